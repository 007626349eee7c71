import type { ChartDataset, ChartOptions, Scale, ScriptableContext } from 'chart.js';
import type { DashboardUiState } from '../../src/extension/panels/dashboard-protocol';
import { css, mix, parseColour } from '../shared/colour';
import { duration, tick } from '../shared/figures';
import type { Theme } from '../shared/theme';
import type { ChartContent, ChartCurve, ChartPoint } from './chartCurves';
import { bearsMarker, lineStyle } from './lineStyles';
import { quantityStyles } from './quantity';

const axisTitles: Readonly<Record<DashboardUiState['xAxis'], string>> = { step: 'Step', tokens: 'Tokens', time: 'Training time' };

export function axisFigure(axis: DashboardUiState['xAxis'], value: number): string {
  if (axis === 'time') return duration(value);
  return axis === 'tokens' ? tick(value) : new Intl.NumberFormat('en').format(value);
}

export function seriesColour(theme: Theme, index: number): string {
  return theme.series[index % theme.series.length] ?? theme.foreground;
}

export function datasetOf(curve: ChartCurve, theme: Theme): ChartDataset<'line', ChartPoint[]> {
  const own = seriesColour(theme, curve.colour);
  const colour = curve.kind === 'training' ? faded(own, theme) : own;
  const { marker, dash } = lineStyle(curve.set);
  const count = curve.points.length;
  const marked = ({ dataIndex }: ScriptableContext<'line'>) => bearsMarker(dataIndex, count);
  return {
    data: [...curve.points],
    label: `${curve.runName} ${curve.label}`,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: curve.kind === 'validation' ? 2 : 1.25,
    borderDash: [...dash],
    pointRadius: (point) => ((curve.kind === 'validation' && marked(point)) || count === 1 ? 3 : 0),
    pointHoverRadius: 5,
    pointHoverBorderColor: theme.foreground,
    pointStyle: marker,
    order: curve.kind === 'validation' ? 0 : 1,
  };
}

/** Training lies behind validation, in a weaker tone of the same colour. */
function faded(colour: string, theme: Theme): string {
  const [front, back] = [parseColour(colour), parseColour(theme.background)];
  return front === null || back === null ? colour : css(mix(back, front, theme.highContrast ? 0.8 : 0.6));
}

/** Least and greatest value shown. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

export function valueRange(curves: readonly ChartCurve[]): ValueRange {
  const values = curves.flatMap((curve) => curve.points.map((point) => point.y));
  const among = (pick: (a: number, b: number) => number) => values.reduce((best, value) => pick(best, value), values[0] ?? 1);
  return { low: among(Math.min), high: among(Math.max) };
}

/** A vertical axis and the values that it spans. */
export interface ValueAxis {
  readonly type: DashboardUiState['yScale'];
  readonly range: ValueRange;
}

/**
 * The axis for the shown values. A logarithmic one starts at the least positive value, with zeros on its lower end, and has no place for a
 * negative value (an entropy loss): then the axis is linear, whatever was chosen.
 */
export function valueAxis(chosen: ValueAxis['type'], curves: readonly ChartCurve[]): ValueAxis {
  const range = valueRange(curves);
  if (chosen === 'linear' || range.low < 0 || range.high <= 0) return { type: 'linear', range };
  const low = curves.reduce((least, { points }) => points.reduce((best, { y }) => (y > 0 ? Math.min(best, y) : best), least), range.high);
  return { type: 'logarithmic', range: { low, high: range.high } };
}

type ChartUi = Pick<DashboardUiState, 'quantity' | 'xAxis' | 'yScale'>;

export function chartOptions(theme: Theme, ui: ChartUi, { curves, start }: ChartContent): ChartOptions<'line'> {
  const { type, range } = valueAxis(ui.yScale, curves);
  const hasZeros = type === 'logarithmic' && valueRange(curves).low === 0;
  const ends = curves.flatMap(({ points }) => [points[0], points.at(-1)]).flatMap((point) => point?.x ?? []);
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
        ...(start === null ? {} : { min: start }),
        // Chart.js would leave out what lies below the other axis, as zeros do.
        ...(hasZeros ? { suggestedMin: Math.min(...ends), suggestedMax: Math.max(...ends) } : {}),
        title: { display: true, text: axisTitles[ui.xAxis], color: theme.muted, font },
        ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 16, callback: (value) => axisFigure(ui.xAxis, Number(value)) },
      },
      y: {
        type,
        ...axis,
        ...(hasZeros ? { min: range.low } : {}),
        ...(type === 'logarithmic' && isNarrow(range) ? { afterBuildTicks: setEvenTicks } : {}),
        // A flat curve, or a single point, still gets an axis with figures on it.
        ...(range.high < 1.2 * range.low ? { suggestedMin: range.low / 1.5, suggestedMax: range.high * 1.5 } : {}),
        title: { display: true, text: quantityStyles[ui.quantity].title, color: theme.muted, font },
        ticks: { ...ticks, maxTicksLimit: 8, callback: (value) => tickLabel(Number(value), ui.quantity, { type, range }) },
      },
    },
  };
}

/** So little of a logarithmic axis is almost straight, and is marked like one. */
function isNarrow({ low, high }: ValueRange): boolean {
  return high < 4 * low;
}

function setEvenTicks(axis: Scale): void {
  axis.ticks = evenTicks(axis.min, axis.max).map((value) => ({ value }));
}

/** About six round values from `low` to `high`, evenly spaced. */
export function evenTicks(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ([1, 2, 5].find((factor) => factor * decade >= rough) ?? 10);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** On a long logarithmic axis only round figures are named, or they would run into each other. */
function tickLabel(value: number, quantity: ChartUi['quantity'], { type, range }: ValueAxis): string | null {
  const figure = quantityStyles[quantity].tick(value);
  if (type === 'linear' || isNarrow(range)) return figure;
  const mantissa = Number((value / 10 ** Math.floor(Math.log10(value))).toPrecision(6));
  return [1, 1.5, 2, 3, 4, 5, 7].includes(mantissa) ? figure : null;
}
