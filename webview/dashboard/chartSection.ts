import { quantities, type DashboardUiState, type Quantity } from '../../src/extension/panels/dashboard-protocol';
import { checkbox, dropdown, type CheckboxControl } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import type { Hover } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { seriesColour } from './chartOptions';
import { LineKey } from './lineKey';
import { CurveChart } from './curveChart';
import { quantityStyles } from './quantity';
import type { DashboardState, UiChoices } from './state';
import { curvesTable } from './tables';

export interface ChartActions {
  readonly choose: (ui: Partial<UiChoices>) => void;
  readonly toggleHidden: (run: string) => void;
  readonly toggleLine: (line: string) => void;
}

const axes: readonly { readonly value: DashboardUiState['xAxis']; readonly label: string }[] = [
  { value: 'step', label: 'Steps' },
  { value: 'tokens', label: 'Tokens' },
  { value: 'time', label: 'Time' },
];
const quantityOptions = quantities.map((value) => ({ value, label: quantityStyles[value].title }));
const skips = [
  { value: '0', label: 'Whole' },
  { value: '0.05', label: 'From 5 %' },
  { value: '0.1', label: 'From 10 %' },
  { value: '0.25', label: 'From 25 %' },
  { value: '0.5', label: 'From 50 %' },
];

/** The chart, its settings and its legend, which shows and hides runs; or all of it as a table. */
export class ChartSection {
  private readonly title = element('h2', { id: 'chart-title' });
  private readonly quantity = dropdown<Quantity>('Show', (quantity) => this.actions.choose({ quantity }));
  private readonly skip = dropdown<string>('Range', (part) => this.actions.choose({ skipStart: Number(part) }));
  private readonly axis = dropdown<DashboardUiState['xAxis']>('Over', (xAxis) => this.actions.choose({ xAxis }));
  private readonly logarithmic = checkbox('Logarithmic', (on) => this.actions.choose({ yScale: on ? 'logarithmic' : 'linear' }));
  private readonly smoothed = checkbox('Smooth training', (smoothed) => this.actions.choose({ smoothed }));
  private readonly asTable = checkbox('Show as table', (asTable) => this.actions.choose({ asTable }));
  private readonly legend = element('div', { class: 'legend', role: 'group', 'aria-label': 'Shown runs' });
  private readonly lineKey = new LineKey((line) => this.actions.toggleLine(line));
  private readonly table = element('div', { class: 'table-scroller', tabindex: 0, role: 'region', 'aria-labelledby': 'chart-title' });
  private readonly entries = new Map<
    string,
    { readonly element: HTMLElement; readonly swatch: HTMLElement; readonly box: CheckboxControl }
  >();
  readonly chart: CurveChart;
  readonly element: HTMLElement;
  private drawn: readonly unknown[] = [];

  constructor(
    private readonly actions: ChartActions,
    hover: Hover,
    theme: Theme,
    state: DashboardState,
  ) {
    this.chart = new CurveChart(hover, theme, state);
    this.element = element(
      'section',
      { 'aria-labelledby': 'chart-title' },
      this.title,
      element(
        'div',
        { class: 'controls' },
        this.quantity.element,
        this.axis.element,
        this.skip.element,
        this.logarithmic.element,
        this.smoothed.element,
        this.asTable.element,
      ),
      this.chart.element,
      this.table,
      element('div', { class: 'legends' }, this.legend, this.lineKey.element),
    );
  }

  update(state: DashboardState, theme: Theme): void {
    const inputs = [state.curves, state.summaries, state.runs, state.ui, theme];
    if (inputs.every((input, index) => input === this.drawn[index])) return;
    this.drawn = inputs;
    const { ui } = state;
    setText(this.title, quantityStyles[ui.quantity].title);
    this.quantity.set(quantityOptions, ui.quantity);
    this.skip.set(skips, String(ui.skipStart));
    this.axis.set(axes, ui.xAxis);
    this.logarithmic.set(ui.yScale === 'logarithmic');
    this.smoothed.set(ui.smoothed);
    setHidden(this.smoothed.element, ui.quantity !== 'perplexity');
    this.asTable.set(ui.asTable);
    setHidden(this.chart.element, ui.asTable);
    setHidden(this.table, !ui.asTable);
    if (ui.asTable) this.table.replaceChildren(curvesTable(state));
    else this.chart.update(state, theme);
    this.updateLegend(state, theme);
    this.lineKey.update(state);
  }

  private updateLegend(state: DashboardState, theme: Theme): void {
    const names = state.runs.map((run) => state.summaries.get(run)?.name ?? run);
    const key = JSON.stringify([state.runs, names]);
    if (this.legend.dataset['key'] !== key) {
      this.legend.dataset['key'] = key;
      this.entries.clear();
      for (const [index, run] of state.runs.entries()) this.entries.set(run, this.entry(run, names[index] ?? run));
      this.legend.replaceChildren(...[...this.entries.values()].map((entry) => entry.element));
    }
    for (const [run, { swatch, box }] of this.entries) {
      swatch.style.backgroundColor = seriesColour(theme, state.colours.get(run) ?? 0);
      box.set(!state.ui.hidden.includes(run));
    }
  }

  private entry(run: string, name: string): { element: HTMLElement; swatch: HTMLElement; box: CheckboxControl } {
    const swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
    const box = checkbox(name, () => this.actions.toggleHidden(run));
    return { element: element('div', { class: 'legend-entry', title: run }, swatch, box.element), swatch, box };
  }
}
