import { element } from '../shared/element';
import { percent, timesUniform } from '../shared/figures';
import { chartContent, type ChartCurve } from './chartCurves';
import type { LayerFigures } from './expertFigures';
import { quantityStyles } from './quantity';
import type { DashboardState } from './state';

/** The same figures as the pictures, as tables. */

/** Rows are the steps at which something was validated (else the last training points), columns the curves. */
export function curvesTable(state: DashboardState): HTMLTableElement {
  const { title, figure } = quantityStyles[state.ui.quantity];
  const curves = chartContent(state).curves.filter((curve) => curve.points.length > 0);
  const validation = curves.filter((curve) => curve.kind === 'validation');
  const steps = stepsOf(validation.length > 0 ? validation : curves);
  const head = ['Step', ...curves.map((curve) => `${curve.runName}, ${curve.label}`)];
  const rows = steps.map((step) => [String(step), ...curves.map((curve) => figure(valueAt(curve, step)))]);
  return figureTable(`${title} by step, newest first`, head, rows);
}

/** Most rows a table shows; older ones can be seen in the chart. */
const MOST_ROWS = 200;

function stepsOf(curves: readonly ChartCurve[]): number[] {
  const steps = new Set(curves.flatMap((curve) => curve.points.map((point) => point.step)));
  return [...steps].sort((a, b) => b - a).slice(0, MOST_ROWS);
}

/** The value logged at that step, or the last one before it. */
function valueAt(curve: ChartCurve, step: number): number | null {
  const point = curve.points.findLast((candidate) => candidate.step <= step);
  return point?.y ?? null;
}

/** Rows are experts, columns layers: share of routed units and times uniform. */
export function expertsTable(layers: readonly LayerFigures[], stretch: string): HTMLTableElement {
  const most = Math.max(0, ...layers.map((layer) => layer.experts.length));
  const rows = Array.from({ length: most }, (_, expert) => [
    String(expert),
    ...layers.map((layer) => {
      const figures = layer.experts[expert];
      return figures === undefined ? '' : `${percent(figures.share)} (${timesUniform(figures.timesUniform)})`;
    }),
  ]);
  return figureTable(`Share of routed units, and times uniform, steps ${stretch}`, ['Expert', ...layers.map((layer) => layer.name)], rows);
}

/** The first cell of each row names it. */
export function figureTable(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  return element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
    element(
      'tbody',
      {},
      ...rows.map(([first = '', ...rest]) =>
        element('tr', {}, element('th', { scope: 'row' }, first), ...rest.map((text) => element('td', {}, text))),
      ),
    ),
  );
}
