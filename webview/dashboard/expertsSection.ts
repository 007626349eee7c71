import { checkbox, dropdown } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { count } from '../shared/figures';
import type { Hover } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { layerFigures, type LayerFigures } from './expertFigures';
import { expertsTable } from './tables';
import { Heatmap } from './heatmap';
import { HeatmapLegend } from './heatmapLegend';
import { heatmapRun, routedRuns, type DashboardState } from './state';

export interface ExpertsActions {
  readonly chooseRun: (run: string) => void;
  /** Null follows the run. */
  readonly lookBack: (step: number | null) => void;
}

/** Expert utilisation of one run: which run, when, the heatmap and its legend, or all of it as a table. */
export class ExpertsSection {
  private readonly run = dropdown<string>('Run', (run) => this.actions.chooseRun(run));
  private readonly live = checkbox('Live', (live) => this.actions.lookBack(live ? null : this.slider.valueAsNumber));
  private readonly slider = element('input', { type: 'range', id: 'experts-step', min: 0, max: 1, step: 1, class: 'slider' });
  private readonly stretch = element('output', { for: 'experts-step', class: 'stretch' });
  private readonly legend = new HeatmapLegend();
  private readonly heatmap: Heatmap;
  private readonly table = element('div', {
    class: 'table-scroller',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Expert utilisation as a table',
  });
  private readonly empty = element('p', { class: 'empty' });
  private readonly body: HTMLElement;
  readonly element: HTMLElement;
  private drawn: readonly unknown[] = [];

  constructor(
    private readonly actions: ExpertsActions,
    hover: Hover,
    theme: Theme,
  ) {
    this.heatmap = new Heatmap(hover, theme);
    const time = element(
      'div',
      { class: 'time' },
      element('label', { for: 'experts-step' }, 'Step'),
      this.slider,
      this.stretch,
      this.live.element,
    );
    this.body = element(
      'div',
      {},
      element('div', { class: 'controls' }, this.run.element, time),
      this.heatmap.element,
      this.table,
      this.legend.element,
    );
    this.element = element(
      'section',
      { 'aria-labelledby': 'experts-title' },
      element('h2', { id: 'experts-title' }, 'Expert utilisation'),
      this.empty,
      this.body,
    );
    this.slider.addEventListener('input', () => this.actions.lookBack(this.slider.valueAsNumber));
  }

  update(state: DashboardState, theme: Theme): void {
    const inputs = [state.experts, state.lookBack, state.summaries, state.runs, state.ui, theme];
    if (inputs.every((input, index) => input === this.drawn[index])) return;
    this.drawn = inputs;
    const chosen = heatmapRun(state);
    const summary = chosen === null ? undefined : state.summaries.get(chosen);
    const { experts: frame } = state;
    setHidden(this.body, summary === undefined || frame === null);
    setText(this.empty, summary === undefined ? noRouting(state) : `${summary.name} has not reported its experts yet.`);
    setHidden(this.empty, summary !== undefined && frame !== null);
    if (summary === undefined || frame === null) return;
    const runs = routedRuns(state);
    this.run.set(
      runs.map(({ run, name }) => ({ value: run, label: uniqueLabel(run, name, runs) })),
      summary.run,
    );
    this.live.set(state.lookBack === null);
    this.slider.min = String(summary.expertSteps?.first ?? 0);
    this.slider.max = String(summary.expertSteps?.last ?? frame.step);
    this.slider.value = String(state.lookBack ?? summary.expertSteps?.last ?? frame.step);
    const stretch = stretchOf(frame.fromStep, frame.step);
    this.slider.setAttribute('aria-valuetext', `Steps ${stretch}`);
    setText(this.stretch, stretch);
    const layers: readonly LayerFigures[] = layerFigures(summary, frame);
    setHidden(this.heatmap.element, state.ui.asTable);
    setHidden(this.table, !state.ui.asTable);
    if (state.ui.asTable) this.table.replaceChildren(expertsTable(layers, stretch));
    else this.heatmap.update(layers, stretch, theme);
    setHidden(this.legend.element, state.ui.asTable);
    this.legend.update(theme);
  }
}

/** A frame holds the steps after `fromStep` up to `step`. */
function stretchOf(fromStep: number, step: number): string {
  return step - fromStep <= 1 ? count(step) : `${count(fromStep + 1)} to ${count(step)}`;
}

function noRouting(state: DashboardState): string {
  return state.runs.length === 0 ? '' : 'None of the shown runs has routed layers.';
}

/** Runs of one config have one name: their directory tells them apart. */
function uniqueLabel(run: string, name: string, runs: readonly { readonly run: string; readonly name: string }[]): string {
  return runs.some((other) => other.run !== run && other.name === name) ? `${name} (${run.split(/[\\/]/).at(-1)})` : name;
}
