import type { DashboardRequest } from '../../src/extension/panels/dashboard-protocol';
import { element, setHidden, setText } from '../shared/element';
import { Hover } from '../shared/hover';
import { readTheme } from '../shared/theme';
import { seriesColour } from './chartOptions';
import { ChartSection } from './chartSection';
import { ExpertsSection } from './expertsSection';
import { ParitySection } from './paritySection';
import { RetrievalSection } from './retrievalSection';
import { RunHeader } from './runHeader';
import type { DashboardAction, DashboardState } from './state';

export interface PageActions {
  readonly dispatch: (action: DashboardAction) => void;
  /** Settles when the host has answered; what went wrong has then been shown. */
  readonly request: (request: DashboardRequest) => Promise<void>;
  readonly lookBack: (step: number | null) => void;
  readonly lookBackRetrieval: (step: number | null) => void;
}

/** The whole page: a pure picture of the state, brought up to date in place so that focus and scrolling stay. */
export class DashboardPage {
  private theme = readTheme();
  private readonly hover = new Hover();
  private readonly notice = element('div', { class: 'notice', role: 'alert', hidden: true });
  private readonly empty = element('p', { class: 'empty', role: 'status' });
  private readonly runs = element('div', { class: 'runs' });
  private readonly headers = new Map<string, RunHeader>();
  private readonly charts: ChartSection;
  private readonly experts: ExpertsSection;
  private readonly retrieval: RetrievalSection;
  private readonly parity: ParitySection;
  private readonly content: HTMLElement;
  readonly element: HTMLElement;

  constructor(
    private state: DashboardState,
    private readonly actions: PageActions,
  ) {
    const { dispatch, lookBack, lookBackRetrieval } = actions;
    const chartActions = {
      choose: (ui: Partial<DashboardState['ui']>) => dispatch({ type: 'choose', ui }),
      toggleHidden: (run: string) => dispatch({ type: 'toggleHidden', run }),
      toggleLine: (line: string) => dispatch({ type: 'toggleLine', line }),
    };
    this.charts = new ChartSection(chartActions, this.hover, this.theme, state);
    this.experts = new ExpertsSection(
      { chooseRun: (run) => dispatch({ type: 'choose', ui: { heatmapRun: run } }), lookBack },
      this.hover,
      this.theme,
    );
    this.parity = new ParitySection((run) => dispatch({ type: 'choose', ui: { baselineRun: run } }));
    this.retrieval = new RetrievalSection({ choose: chartActions.choose, lookBack: lookBackRetrieval }, this.hover, this.theme);
    const runs = element(
      'section',
      { 'aria-labelledby': 'runs-title' },
      element('h2', { id: 'runs-title', class: 'visually-hidden' }, 'Runs'),
      this.runs,
    );
    this.content = element(
      'div',
      { class: 'content' },
      this.charts.element,
      runs,
      this.parity.element,
      this.experts.element,
      this.retrieval.element,
    );
    this.element = element(
      'div',
      {},
      element('h1', { class: 'visually-hidden' }, 'MoE Lab dashboard'),
      this.notice,
      this.empty,
      this.content,
      this.hover.element,
    );
    this.render(state);
  }

  /** Device pixels. */
  get chartWidth(): number {
    return this.charts.chart.width || document.documentElement.clientWidth * window.devicePixelRatio;
  }

  /** Calls back when the chart has another width, once it has settled. */
  onResize(listener: () => void): void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(listener, 150);
    }).observe(this.charts.element);
  }

  readTheme(): void {
    this.theme = readTheme();
    this.render(this.state);
  }

  render(state: DashboardState): void {
    this.state = state;
    const empty = state.runs.length === 0;
    setText(this.empty, emptyText(state));
    setHidden(this.empty, !empty);
    setHidden(this.content, empty);
    this.renderNotice();
    this.renderRuns();
    if (empty) return;
    this.charts.update(state, this.theme);
    this.experts.update(state, this.theme);
    this.retrieval.update(state, this.theme);
    this.parity.update(state);
  }

  private renderNotice(): void {
    const { connection } = this.state;
    const notice =
      connection === 'versionMismatch'
        ? { message: 'The extension was updated while this page was open.', advice: 'Close the dashboard and open it again.' }
        : this.state.notice;
    setText(this.notice, notice === null ? '' : `${notice.message} ${notice.advice}`.trim());
    setHidden(this.notice, notice === null);
  }

  private renderRuns(): void {
    for (const run of this.headers.keys()) {
      if (this.state.runs.includes(run)) continue;
      this.headers.get(run)?.element.remove();
      this.headers.delete(run);
    }
    for (const [index, run] of this.state.runs.entries()) {
      const summary = this.state.summaries.get(run);
      if (summary === undefined) continue;
      const header = this.header(run);
      header.update(summary, seriesColour(this.theme, this.state.colours.get(run) ?? 0));
      if (this.runs.children[index] !== header.element) this.runs.insertBefore(header.element, this.runs.children[index] ?? null);
    }
  }

  private header(run: string): RunHeader {
    const known = this.headers.get(run);
    if (known !== undefined) return known;
    const created: RunHeader = new RunHeader(run, {
      stop: () => void this.actions.request({ kind: 'stopRun', run }).then(() => created.stopAnswered()),
      openConfig: () => void this.actions.request({ kind: 'openConfig', run }),
      remove: () => void this.actions.request({ kind: 'toggleRun', run }),
      branch: () => void this.actions.request({ kind: 'branchWithFix', run }),
    });
    this.headers.set(run, created);
    return created;
  }
}

function emptyText(state: DashboardState): string {
  return state.loaded ? 'No runs are shown. Tick runs in the MoE Lab sidebar, or start one from a *.moe.yaml file.' : 'Reading runs…';
}
