import type { RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { dropdown } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { amount, percent } from '../shared/figures';
import type { Hover } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { barTable } from './barTable';
import { expertsHeatmap, layerFigures, type LayerFigures } from './expertFigures';
import { expertsTable } from './tables';
import { Heatmap } from './heatmap';
import { HeatmapLegend } from './heatmapLegend';
import { uniqueLabel } from './runLabels';
import { heatmapRun, retrievalRuns, routedRuns, type DashboardState } from './state';
import { stretchOf, TimeControl } from './timeControl';

export interface ExpertsActions {
  readonly chooseRun: (run: string) => void;
  /** Null follows the run. */
  readonly lookBack: (step: number | null) => void;
}

/** Expert utilisation of one run: which run, when, the heatmap and its legend, or all of it as a table. */
export class ExpertsSection {
  private readonly run = dropdown<string>('Run', (run) => this.actions.chooseRun(run));
  private readonly time: TimeControl;
  private readonly legend = new HeatmapLegend();
  private readonly heatmap: Heatmap;
  private readonly table = element('div', {
    class: 'table-scroller',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Expert utilisation as a table',
  });
  /** How many experts units take, where that varies. */
  private readonly choices = element('div', { class: 'bars' });
  private readonly empty = element('p', { class: 'empty' });
  private readonly body: HTMLElement;
  readonly element: HTMLElement;
  private drawn: readonly unknown[] = [];

  constructor(
    private readonly actions: ExpertsActions,
    hover: Hover,
    theme: Theme,
  ) {
    this.heatmap = new Heatmap(hover, theme, { name: 'heatmap' });
    this.time = new TimeControl('experts-step', (step) => this.actions.lookBack(step));
    this.body = element(
      'div',
      {},
      element('div', { class: 'controls' }, this.run.element, this.time.element),
      this.heatmap.element,
      this.table,
      this.legend.element,
      this.choices,
    );
    this.element = element(
      'section',
      { 'aria-labelledby': 'experts-title' },
      element('h2', { id: 'experts-title' }, 'Expert utilisation'),
      this.empty,
      this.body,
    );
  }

  update(state: DashboardState, theme: Theme): void {
    const inputs = [state.experts, state.lookBack, state.summaries, state.runs, state.ui, theme];
    if (inputs.every((input, index) => input === this.drawn[index])) return;
    this.drawn = inputs;
    const chosen = heatmapRun(state);
    const summary = chosen === null ? undefined : state.summaries.get(chosen);
    const { experts: frame } = state;
    // A run that only retrieves has a section of its own.
    setHidden(this.element, summary === undefined && retrievalRuns(state).length > 0);
    setHidden(this.body, summary === undefined || frame === null);
    setText(this.empty, summary === undefined ? noRouting(state) : `${summary.name} has not reported its experts yet.`);
    setHidden(this.empty, summary !== undefined && frame !== null);
    if (summary === undefined || frame === null) return;
    const runs = routedRuns(state);
    this.run.set(
      runs.map(({ run, name }) => ({ value: run, label: uniqueLabel(run, name, runs) })),
      summary.run,
    );
    const stretch = stretchOf(frame.fromStep, frame.step);
    const { first, last } = summary.expertSteps ?? { first: 0, last: frame.step };
    this.time.update({ first, last, at: state.lookBack ?? last, stretch, live: state.lookBack === null });
    const layers: readonly LayerFigures[] = layerFigures(summary, frame);
    setHidden(this.heatmap.element, state.ui.asTable);
    setHidden(this.table, !state.ui.asTable);
    if (state.ui.asTable) this.table.replaceChildren(expertsTable(layers, stretch));
    else this.heatmap.update(expertsHeatmap(layers, stretch), theme);
    setHidden(this.legend.element, state.ui.asTable);
    this.legend.update(theme);
    setHidden(this.choices, summary.choices === null);
    if (summary.choices !== null) this.choices.replaceChildren(choicesTable(summary.choices));
  }
}

/** The shares of the units that took 1, 2, ... experts; what hardly any took, at the far end, is left out. */
function choicesTable({ meanK, shares, macsAtMeanK }: NonNullable<RunSummary['choices']>): HTMLTableElement {
  const shown = shares.slice(0, 1 + shares.findLastIndex((share) => share >= 0.0005));
  const cost = macsAtMeanK === null ? '' : `, ${amount(macsAtMeanK)} MACs/token at that mean`;
  return barTable(
    `Experts per unit in the newest step: ${meanK.toFixed(2)} on average${cost}`,
    ['Experts', 'Share of units'],
    shown.map((share, index) => ({ label: String(index + 1), share: share / Math.max(...shares), figures: [percent(share)] })),
  );
}

function noRouting(state: DashboardState): string {
  return state.runs.length === 0 ? '' : 'None of the shown runs has routed layers.';
}
