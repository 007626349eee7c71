import {
  POINT_STRIDE,
  type CurveDelta,
  type CurveName,
  type DashboardToWebview,
  type DashboardUiState,
  type DashboardUpdate,
  type DashboardView,
  type ExpertsFrame,
  type RetrievalFigures,
  type RetrievalSeries,
  type RunParity,
  type RunKey,
  type RunSummary,
} from '../../src/extension/panels/dashboard-protocol';

/** float64 [n, POINT_STRIDE]: step, seconds, tokens, value; steps ascend. */
export type CurvePoints = Float64Array;

/** What bands of experts were chosen over the steps fromStep < s <= step. */
export interface RetrievalColumn {
  readonly fromStep: number;
  readonly step: number;
  /** float32 [bands]. */
  readonly bands: Float32Array;
}

/** What is held of the retrieval that is shown. */
export interface ShownSketches {
  readonly run: RunKey | null;
  readonly layer: number;
  readonly columns: readonly RetrievalColumn[];
  readonly figures: RetrievalFigures | null;
}

export interface DashboardState {
  readonly connection: 'connecting' | 'connected' | 'versionMismatch';
  /** Whether the first snapshot has come: before that, "no runs" is not known. */
  readonly loaded: boolean;
  readonly runs: readonly RunKey[];
  /** Place of each run in the theme's series colours; it keeps it while it is shown. */
  readonly colours: ReadonlyMap<RunKey, number>;
  readonly summaries: ReadonlyMap<RunKey, RunSummary>;
  readonly curves: ReadonlyMap<RunKey, ReadonlyMap<CurveName, CurvePoints>>;
  readonly experts: ExpertsFrame | null;
  /** The step that the heatmap looks back at; null while it follows the run. */
  readonly lookBack: number | null;
  readonly retrieval: ShownSketches;
  /** As `lookBack`, of the retrieval. */
  readonly retrievalStep: number | null;
  /** What the other runs cost against the chosen one. */
  readonly parity: { readonly baseline: RunKey | null; readonly runs: readonly RunParity[] };
  readonly notice: { readonly message: string; readonly advice: string } | null;
  readonly ui: UiChoices;
}

/** The choices of the user that outlive the page; `runs` is added when they are saved. */
export type UiChoices = Omit<DashboardUiState, 'schemaVersion' | 'runs'>;

export type DashboardAction =
  | { readonly type: 'message'; readonly message: DashboardToWebview }
  | { readonly type: 'choose'; readonly ui: Partial<UiChoices> }
  | { readonly type: 'toggleHidden'; readonly run: RunKey }
  | { readonly type: 'toggleLine'; readonly line: CurveName }
  | { readonly type: 'lookBack'; readonly step: number | null }
  | { readonly type: 'frame'; readonly frame: ExpertsFrame | null }
  | { readonly type: 'lookBackRetrieval'; readonly step: number | null }
  | { readonly type: 'sketch'; readonly figures: RetrievalFigures | null }
  | { readonly type: 'notice'; readonly message: string; readonly advice: string };

const defaultChoices: UiChoices = {
  hidden: [],
  quantity: 'perplexity',
  hiddenLines: [],
  skipStart: 0,
  xAxis: 'step',
  yScale: 'logarithmic',
  smoothed: true,
  asTable: false,
  heatmapRun: null,
  retrievalRun: null,
  retrievalLayer: 0,
  baselineRun: null,
};

const noSketches: ShownSketches = { run: null, layer: 0, columns: [], figures: null };

export function initialState(saved: DashboardUiState | null): DashboardState {
  return {
    connection: 'connecting',
    loaded: false,
    runs: [],
    colours: new Map(),
    summaries: new Map(),
    curves: new Map(),
    experts: null,
    lookBack: null,
    retrieval: noSketches,
    retrievalStep: null,
    parity: { baseline: null, runs: [] },
    notice: null,
    ui: saved === null ? defaultChoices : choicesOf(saved),
  };
}

function choicesOf({ schemaVersion: _version, runs: _runs, ...choices }: DashboardUiState): UiChoices {
  return choices;
}

export function reduce(state: DashboardState, action: DashboardAction): DashboardState {
  switch (action.type) {
    case 'message':
      return receive(state, action.message);
    case 'choose': {
      const ui = { ...state.ui, ...action.ui };
      const otherRun = ui.heatmapRun !== state.ui.heatmapRun;
      const otherRetrieval = ui.retrievalRun !== state.ui.retrievalRun || ui.retrievalLayer !== state.ui.retrievalLayer;
      return {
        ...state,
        ui,
        ...(otherRun ? { lookBack: null, experts: null } : {}),
        ...(otherRetrieval ? { retrievalStep: null, retrieval: noSketches } : {}),
      };
    }
    case 'toggleHidden':
      return { ...state, ui: { ...state.ui, hidden: toggled(state.ui.hidden, action.run) } };
    case 'toggleLine':
      return { ...state, ui: { ...state.ui, hiddenLines: toggled(state.ui.hiddenLines, action.line) } };
    case 'lookBack':
      return { ...state, lookBack: action.step };
    case 'frame':
      return action.frame !== null && action.frame.run !== heatmapRun(state) ? state : { ...state, experts: action.frame };
    case 'lookBackRetrieval':
      return { ...state, retrievalStep: action.step };
    case 'sketch': {
      const { figures } = action;
      if (figures === null || !isShown(state, figures)) return state;
      return { ...state, retrieval: { ...state.retrieval, figures } };
    }
    case 'notice':
      return { ...state, notice: { message: action.message, advice: action.advice } };
  }
}

function toggled(list: readonly string[], item: string): readonly string[] {
  return list.includes(item) ? list.filter((each) => each !== item) : [...list, item];
}

function receive(state: DashboardState, message: DashboardToWebview): DashboardState {
  switch (message.type) {
    case 'welcome':
      return { ...state, connection: 'connected', notice: null };
    case 'versionMismatch':
      return { ...state, connection: 'versionMismatch' };
    case 'notice':
      return { ...state, notice: { message: message.message, advice: message.advice } };
    case 'update':
      return applyUpdate(state, message);
    case 'response':
    case 'error':
      return state;
  }
}

function applyUpdate(state: DashboardState, update: DashboardUpdate): DashboardState {
  const before = update.snapshot ? { ...initialState(null), ...keptOverSnapshots(state) } : state;
  const runs = update.runs ?? before.runs;
  const summaries = keep(new Map([...before.summaries, ...update.summaries.map((summary) => [summary.run, summary] as const)]), runs);
  const curves = new Map(keep(before.curves, runs));
  for (const delta of update.curves) {
    const ofRun = new Map(curves.get(delta.run));
    curves.set(delta.run, ofRun.set(delta.curve, spliced(ofRun.get(delta.curve), delta)));
  }
  const known = { ...before, loaded: true, runs, colours: assignColours(before.colours, runs), summaries, curves };
  const after = { ...known, parity: parityOf(known, update.parity) };
  const chosen = heatmapRun(after);
  const lookBack = chosen === heatmapRun(before) ? after.lookBack : null;
  const fresh = update.experts?.run === chosen && lookBack === null ? update.experts : after.experts;
  return withRetrieval({ ...after, lookBack, experts: fresh?.run === chosen ? fresh : null }, update.retrieval);
}

/** What was sent may be about a run that was chosen before. */
function parityOf(state: DashboardState, update: DashboardUpdate['parity']): DashboardState['parity'] {
  const baseline = baselineRun(state);
  const held = update ?? state.parity;
  return held.baseline === baseline ? held : { baseline, runs: [] };
}

/** The run that the costs of the others are held against: the chosen one, else the first. Null where there are no two to compare. */
export function baselineRun({ runs, ui }: Pick<DashboardState, 'runs' | 'ui'>): RunKey | null {
  if (runs.length < 2) return null;
  return ui.baselineRun !== null && runs.includes(ui.baselineRun) ? ui.baselineRun : (runs[0] ?? null);
}

/** Brings what is held of the shown retrieval up to date; starts anew where another one is shown than before. */
function withRetrieval(state: DashboardState, update: DashboardUpdate['retrieval']): DashboardState {
  const shown = shownRetrieval(state);
  if (shown === null) return { ...state, retrieval: noSketches, retrievalStep: null };
  const { run } = shown.summary;
  const { layer } = shown;
  const same = state.retrieval.run === run && state.retrieval.layer === layer;
  const held = same ? state.retrieval : { ...noSketches, run, layer };
  const retrievalStep = same || state.retrieval.run === null ? state.retrievalStep : null;
  const isOf = (part: { readonly run: RunKey; readonly layer: number } | null | undefined) => part?.run === run && part.layer === layer;
  const series = isOf(update?.series) ? (update?.series ?? null) : null;
  const figures = isOf(update?.figures) && retrievalStep === null ? (update?.figures ?? null) : null;
  if (same && series === null && figures === null) return { ...state, retrievalStep };
  const columns = series === null ? held.columns : [...held.columns.slice(0, series.from), ...columnsOf(series)];
  return { ...state, retrievalStep, retrieval: { ...held, columns, figures: figures ?? held.figures } };
}

function columnsOf({ steps, bands }: RetrievalSeries): RetrievalColumn[] {
  const ends = new Float64Array(steps);
  const choices = new Float32Array(bands);
  const columns = ends.length / 2;
  const width = columns === 0 ? 0 : choices.length / columns;
  return Array.from({ length: columns }, (_, index) => ({
    fromStep: ends[2 * index] ?? 0,
    step: ends[2 * index + 1] ?? 0,
    bands: choices.subarray(index * width, (index + 1) * width),
  }));
}

function keptOverSnapshots(state: DashboardState): Partial<DashboardState> {
  const { connection, colours, lookBack, ui } = state;
  return { connection, colours, lookBack, ui };
}

/** Points with step >= delta.from go, the delta's come. */
export function spliced(held: CurvePoints | undefined, delta: CurveDelta): CurvePoints {
  const fresh = new Float64Array(delta.points);
  let kept = held?.length ?? 0;
  while (kept > 0 && (held?.[kept - POINT_STRIDE] ?? 0) >= delta.from) kept -= POINT_STRIDE;
  const joined = new Float64Array(kept + fresh.length);
  if (held !== undefined) joined.set(held.subarray(0, kept));
  joined.set(fresh, kept);
  return joined;
}

function keep<T>(map: ReadonlyMap<RunKey, T>, runs: readonly RunKey[]): ReadonlyMap<RunKey, T> {
  return new Map([...map].filter(([run]) => runs.includes(run)));
}

/** A run keeps its colour; a new one gets the first that nobody has. */
function assignColours(held: ReadonlyMap<RunKey, number>, runs: readonly RunKey[]): ReadonlyMap<RunKey, number> {
  const colours = new Map(keep(held, runs));
  for (const run of runs) {
    if (colours.has(run)) continue;
    const taken = new Set(colours.values());
    let free = 0;
    while (taken.has(free)) free++;
    colours.set(run, free);
  }
  return colours;
}

/** Runs whose experts can be shown. */
export function routedRuns(state: DashboardState): readonly RunSummary[] {
  return state.runs.flatMap((run) => {
    const summary = state.summaries.get(run);
    return summary === undefined || summary.routedLayers.length === 0 ? [] : [summary];
  });
}

/**
 * The run the heatmap shows: the chosen one while it is there. Without a choice, one that is running; it stays with the run it has as long
 * as no other has a better claim.
 */
export function heatmapRun(state: DashboardState): RunKey | null {
  return bestOf(routedRuns(state), state.ui.heatmapRun, state.experts?.run ?? null)?.run ?? null;
}

function bestOf(runs: readonly RunSummary[], choice: RunKey | null, shown: RunKey | null): RunSummary | undefined {
  const chosen = runs.find(({ run }) => run === choice);
  const held = runs.find(({ run }) => run === shown);
  const running = runs.findLast((summary) => summary.state === 'running');
  return chosen ?? (held?.state === 'running' ? held : (running ?? held ?? runs.at(-1)));
}

/** Runs that retrieve by product keys. */
export function retrievalRuns(state: DashboardState): readonly RunSummary[] {
  return state.runs.flatMap((run) => {
    const summary = state.summaries.get(run);
    return summary === undefined || summary.retrievals.length === 0 ? [] : [summary];
  });
}

/**
 * The retrieval that is shown: of the run that `heatmapRun` would take, the chosen layer, or the first where it has no such. Null without
 * one.
 */
export function shownRetrieval(
  state: DashboardState,
): { readonly summary: RunSummary; readonly layer: number; readonly retrieval: RunSummary['retrievals'][number] } | null {
  const summary = bestOf(retrievalRuns(state), state.ui.retrievalRun, state.retrieval.run);
  const layer = summary?.retrievals[state.ui.retrievalLayer] === undefined ? 0 : state.ui.retrievalLayer;
  const retrieval = summary?.retrievals[layer];
  return summary === undefined || retrieval === undefined ? null : { summary, layer, retrieval };
}

function isShown(state: DashboardState, { run, layer }: { readonly run: RunKey; readonly layer: number }): boolean {
  const shown = shownRetrieval(state);
  return shown?.summary.run === run && shown.layer === layer;
}

/** Widths are rounded up to this, so that curves are not sent again for every pixel that a window grows. */
const WIDTH_STEP = 128;

/** What the host should send. `width`: of the chart in device pixels. */
export function viewOf(state: DashboardState, width: number): DashboardView {
  const run = heatmapRun(state);
  const shown = shownRetrieval(state);
  return {
    width: Math.max(WIDTH_STEP, Math.min(32_768, Math.ceil(width / WIDTH_STEP) * WIDTH_STEP)),
    quantity: state.ui.quantity,
    smoothed: state.ui.smoothed,
    hidden: state.ui.hidden,
    heatmap: run === null ? null : { run, follow: state.lookBack === null },
    retrieval: shown === null ? null : { run: shown.summary.run, layer: shown.layer, follow: state.retrievalStep === null },
    baseline: baselineRun(state),
  };
}

export function savedState(state: DashboardState): DashboardUiState {
  return { schemaVersion: 1, runs: state.runs, ...state.ui };
}
