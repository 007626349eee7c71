import { POINT_STRIDE, type CurveName, type DashboardUiState, type RunKey } from '../../src/extension/panels/dashboard-protocol';
import { quantityStyles } from './quantity';
import type { DashboardState } from './state';

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  readonly step: number;
}

/** A curve as the chart draws it. */
export interface ChartCurve {
  readonly id: string;
  readonly run: RunKey;
  readonly runName: string;
  /** `training`, the name of the validation set, or of the quantity. */
  readonly label: string;
  readonly kind: 'training' | 'validation' | 'other';
  /** Which validation set, in alphabetical order over all runs: it chooses marker and dashes. */
  readonly set: number;
  readonly colour: number;
  readonly points: readonly ChartPoint[];
}

const axisColumn: Readonly<Record<DashboardUiState['xAxis'], number>> = { step: 0, time: 1, tokens: 2 };
const valueColumn = 3;
const validationPrefix = 'validation.';

/** Names of the kinds of lines, as the choice of the user holds them. */
export const trainingLine: CurveName = 'train';
export function validationLine(set: string): CurveName {
  return validationPrefix + set;
}

/** What the names of the chosen quantity's curves of validation sets begin with. */
function setPrefix(state: DashboardState): string {
  return state.ui.quantity === 'perplexity' ? validationPrefix : `${state.ui.quantity}.`;
}

/** Names of the sets that the chosen quantity was validated on, of all shown runs. */
export function validationSets(state: DashboardState): readonly string[] {
  const prefix = setPrefix(state);
  const names = [...state.curves.values()].flatMap((curves) => [...curves.keys()]).filter((name) => name.startsWith(prefix));
  return [...new Set(names)].sort().map((name) => name.slice(prefix.length));
}

/** What is to be drawn, and where the horizontal axis begins; null leaves that to the points. */
export interface ChartContent {
  readonly curves: readonly ChartCurve[];
  readonly start: number | null;
}

/** The chosen curves without the part of the axis that is to be skipped. A curve that lies in that part as a whole is left empty. */
export function chartContent(state: DashboardState): ChartContent {
  const curves = chartCurves(state);
  const { skipStart } = state.ui;
  const end = Math.max(0, ...curves.map((curve) => curve.points.at(-1)?.x ?? 0));
  if (skipStart === 0 || end === 0) return { curves, start: null };
  const start = skipStart * end;
  return { start, curves: curves.map((curve) => ({ ...curve, points: curve.points.filter((point) => point.x >= start) })) };
}

/** The curves of the runs that are not hidden: training (as chosen, smoothed or not), then validation. */
export function chartCurves(state: DashboardState): readonly ChartCurve[] {
  const { quantity, hiddenLines } = state.ui;
  const training = quantity !== 'perplexity' ? quantity : state.ui.smoothed ? 'trainSmoothed' : 'train';
  const sets = validationSets(state);
  return state.runs.flatMap((run): ChartCurve[] => {
    if (state.ui.hidden.includes(run)) return [];
    const curves = state.curves.get(run) ?? new Map<string, Float64Array>();
    const common = { run, runName: state.summaries.get(run)?.name ?? run, colour: state.colours.get(run) ?? 0 };
    const points = (name: string) => pointsOf(curves.get(name) ?? new Float64Array(), axisColumn[state.ui.xAxis]);
    const own = quantity === 'perplexity' ? 'training' : quantityStyles[quantity].title.toLowerCase();
    // A quantity that is never validated has one line, which is always shown.
    if (quantity !== 'perplexity' && sets.length === 0) {
      return [{ ...common, id: `${run}\n${quantity}`, label: own, kind: 'other' as const, set: 0, points: points(quantity) }];
    }
    const all = [
      {
        ...common,
        id: `${run}\n${trainingLine}`,
        line: trainingLine,
        label: own,
        kind: 'training' as const,
        set: 0,
        from: training,
      },
      ...sets.map((name, set) => {
        const line = validationLine(name);
        return { ...common, id: `${run}\n${line}`, line, label: name, kind: 'validation' as const, set, from: setPrefix(state) + name };
      }),
    ];
    return all.flatMap(({ line, from, ...curve }) => {
      const absent = curve.kind === 'validation' && !curves.has(from);
      return absent || hiddenLines.includes(line) ? [] : [{ ...curve, points: points(from) }];
    });
  });
}

function pointsOf(flat: Float64Array, column: number): ChartPoint[] {
  return Array.from({ length: flat.length / POINT_STRIDE }, (_, index) => {
    const at = index * POINT_STRIDE;
    return { x: flat[at + column] ?? 0, y: flat[at + valueColumn] ?? 0, step: flat[at] ?? 0 };
  });
}

/** Whether a curve says something about `x`: it has points on both sides, or an end within `reach` of it. */
export function covers(points: readonly ChartPoint[], x: number, reach: number): boolean {
  const [first] = points;
  const last = points.at(-1);
  return first !== undefined && last !== undefined && x >= first.x - reach && x <= last.x + reach;
}

/** Index of the point nearest to `x`; -1 in an empty curve. x ascends. */
export function nearestIndex(points: readonly ChartPoint[], x: number): number {
  let low = 0;
  let high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.x ?? 0) <= x) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  const toLow = Math.abs((points[low]?.x ?? 0) - x);
  const toHigh = Math.abs((points[high]?.x ?? 0) - x);
  return toHigh < toLow ? high : low;
}
