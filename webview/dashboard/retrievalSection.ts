import { dropdown } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import type { Hover } from '../shared/hover';
import type { Theme } from '../shared/theme';
import { barTable } from './barTable';
import { Heatmap } from './heatmap';
import { manyRows } from './heatmapLayout';
import { HeatmapLegend } from './heatmapLegend';
import { heaviestBars, retrievalHeatmap, retrievalSummary, retrievalTable, useBars } from './retrievalFigures';
import { uniqueLabel } from './runLabels';
import { retrievalRuns, shownRetrieval, type DashboardState, type UiChoices } from './state';
import { figureTable } from './tables';
import { stretchOf, TimeControl } from './timeControl';

export interface RetrievalActions {
  readonly choose: (ui: Partial<UiChoices>) => void;
  /** Null follows the run. */
  readonly lookBack: (step: number | null) => void;
}

/** Of the experts that are listed by name: at a glance, and in the table. */
const FEW_HEAVIEST = 10;

/** What one layer that retrieves by product keys chose: bands of its experts over time, and the figures of the steps that are looked at. */
export class RetrievalSection {
  private readonly run = dropdown<string>('Run', (retrievalRun) => this.actions.choose({ retrievalRun, retrievalLayer: 0 }));
  private readonly layer = dropdown<string>('Layer', (layer) => this.actions.choose({ retrievalLayer: Number(layer) }));
  private readonly time: TimeControl;
  private readonly heatmap: Heatmap;
  private readonly legend = new HeatmapLegend();
  private readonly table = element('div', {
    class: 'table-scroller',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Retrieved experts as a table',
  });
  private readonly figures = element('div', { class: 'bars' });
  private readonly empty = element('p', { class: 'empty' });
  private readonly body: HTMLElement;
  readonly element: HTMLElement;
  private drawn: readonly unknown[] = [];
  private steps: readonly number[] = [];

  constructor(
    private readonly actions: RetrievalActions,
    hover: Hover,
    theme: Theme,
  ) {
    this.time = new TimeControl('retrieval-step', (step) => this.actions.lookBack(step));
    this.heatmap = new Heatmap(hover, theme, {
      name: 'retrieval-map',
      rowHeight: manyRows,
      choose: ({ column }) => this.actions.lookBack(this.steps[column] ?? null),
    });
    this.body = element(
      'div',
      {},
      element('div', { class: 'controls' }, this.run.element, this.layer.element, this.time.element),
      this.heatmap.element,
      this.table,
      this.legend.element,
      this.figures,
    );
    this.element = element(
      'section',
      { 'aria-labelledby': 'retrieval-title' },
      element('h2', { id: 'retrieval-title' }, 'Retrieved experts'),
      this.empty,
      this.body,
    );
  }

  update(state: DashboardState, theme: Theme): void {
    const inputs = [state.retrieval, state.retrievalStep, state.summaries, state.runs, state.ui, theme];
    if (inputs.every((input, index) => input === this.drawn[index])) return;
    this.drawn = inputs;
    const shown = shownRetrieval(state);
    setHidden(this.element, shown === null);
    if (shown === null) return;
    const { summary, layer, retrieval } = shown;
    const { columns, figures } = state.retrieval;
    const ready = columns.length > 0 && figures !== null;
    setText(this.empty, `${summary.name} has not reported what it retrieves yet.`);
    setHidden(this.empty, ready);
    setHidden(this.body, !ready);
    if (!ready) return;
    const runs = retrievalRuns(state);
    this.run.set(
      runs.map(({ run, name }) => ({ value: run, label: uniqueLabel(run, name, runs) })),
      summary.run,
    );
    this.layer.set(
      summary.retrievals.map(({ name }, index) => ({ value: String(index), label: name })),
      String(layer),
    );
    setHidden(this.layer.element, summary.retrievals.length < 2);
    this.steps = columns.map(({ step }) => step);
    const stretch = stretchOf(figures.fromStep, figures.step);
    const { first, last } = retrieval.steps ?? { first: figures.step, last: figures.step };
    this.time.update({ first, last, at: state.retrievalStep ?? last, stretch, live: state.retrievalStep === null });
    const { asTable } = state.ui;
    setHidden(this.heatmap.element, asTable);
    setHidden(this.legend.element, asTable);
    setHidden(this.table, !asTable);
    if (asTable) {
      const { head, rows } = retrievalTable(retrieval, columns);
      this.table.replaceChildren(figureTable('Share of choices by expert, and times uniform, newest first', head, rows));
    } else this.heatmap.update(retrievalHeatmap(retrieval, columns, figures.step), theme);
    this.legend.update(theme);
    const most = asTable ? figures.heaviest.length : FEW_HEAVIEST;
    this.figures.replaceChildren(
      figureTable(
        `Steps ${stretch}`,
        ['', ''],
        retrievalSummary(retrieval, figures).map((row) => [...row]),
      ),
      barTable('How often experts were chosen', ['Chosen', 'Experts', 'Share'], useBars(retrieval, figures)),
      barTable('Most used experts', ['Expert', 'Choices', 'Times uniform'], heaviestBars(retrieval, figures, most)),
    );
  }
}
