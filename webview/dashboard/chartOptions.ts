import type { ChartDataset, ChartOptions, PointStyle } from 'chart.js';
import type { DashboardUiState } from '../../src/extension/panels/dashboard-protocol';
import { compact, duration } from '../shared/figures';
import type { Theme } from '../shared/theme';
import type { ChartCurve, ChartPoint } from './chartCurves';

/** One per validation set. */
export const markers: readonly PointStyle[] = ['circle', 'triangle', 'rect', 'rectRot', 'star'];

/** Beyond that the markers would hide the line. */
const MOST_MARKERS = 80;

const axisTitles: Readonly<Record<DashboardUiState['xAxis'], string>> = { step: 'Step', tokens: 'Tokens', time: 'Training time' };

export function axisFigure(axis: DashboardUiState['xAxis'], value: number): string {
  if (axis === 'time') return duration(value);
  return axis === 'tokens' ? compact(value) : new Intl.NumberFormat('en').format(value);
}

export function seriesColour(theme: Theme, index: number): string {
  return theme.series[index % theme.series.length] ?? theme.foreground;
}

export function datasetOf(curve: ChartCurve, theme: Theme): ChartDataset<'line', ChartPoint[]> {
  const colour = seriesColour(theme, curve.colour);
  const validation = curve.kind === 'validation';
  return {
    data: [...curve.points],
    label: `${curve.runName} ${curve.label}`,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: validation ? 2 : 1,
    borderDash: validation ? [] : [4, 3],
    pointRadius: (validation && curve.points.length <= MOST_MARKERS) || curve.points.length === 1 ? 2.5 : 0,
    pointHoverRadius: 5,
    pointHoverBorderColor: theme.foreground,
    pointStyle: validation ? (markers[curve.set % markers.length] ?? 'circle') : 'circle',
    order: validation ? 0 : 1,
  };
}

/** Least and greatest perplexity shown. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

export function valueRange(curves: readonly ChartCurve[]): ValueRange {
  const values = curves.flatMap((curve) => curve.points.map((point) => point.y));
  const among = (pick: (a: number, b: number) => number) => values.reduce((best, value) => pick(best, value), values[0] ?? 1);
  return { low: among(Math.min), high: among(Math.max) };
}

export function chartOptions(theme: Theme, ui: Pick<DashboardUiState, 'xAxis' | 'yScale'>, range: ValueRange): ChartOptions<'line'> {
  const font = { family: theme.fontFamily, size: theme.fontSize - 1 };
  const axis = { grid: { color: theme.grid, tickLength: 4 }, border: { color: theme.grid } };
  const ticks = { color: theme.muted, font };
  return {
    animation: false,
    parsing: false,
    normalized: true,
    responsive: true,
    maintainAspectRatio: false,
    // The pointer and the keys are handled by the chart's owner, in one way.
    events: [],
    layout: { padding: { top: 8, right: 12 } },
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    scales: {
      x: {
        type: 'linear',
        ...axis,
        title: { display: true, text: axisTitles[ui.xAxis], color: theme.muted, font },
        ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 16, callback: (value) => axisFigure(ui.xAxis, Number(value)) },
      },
      y: {
        type: ui.yScale,
        ...axis,
        // A flat curve, or a single point, still gets an axis with figures on it.
        ...(range.high < 1.2 * range.low ? { suggestedMin: range.low / 1.5, suggestedMax: range.high * 1.5 } : {}),
        title: { display: true, text: 'Perplexity', color: theme.muted, font },
        ticks: { ...ticks, maxTicksLimit: 8, callback: (value) => tickLabel(Number(value), ui.yScale, range) },
      },
    },
  };
}

/** On a long logarithmic axis only round figures are named, or they would run into each other. */
function tickLabel(value: number, scale: DashboardUiState['yScale'], { low, high }: ValueRange): string | null {
  if (scale === 'linear' || high < 4 * low) return compact(value);
  const mantissa = Number((value / 10 ** Math.floor(Math.log10(value))).toPrecision(6));
  return [1, 1.5, 2, 3, 4, 5, 7].includes(mantissa) ? compact(value) : null;
}
