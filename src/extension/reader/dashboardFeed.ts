import type {
  CurveDelta,
  CurveName,
  DashboardUpdate,
  DashboardView,
  ExpertsFrame,
  RetrievalSeries,
  RunKey,
  RunSummary,
} from '../panels/dashboard-protocol';
import { parityView } from '../../language/parityView';
import type { PyramidCursor } from './pyramid';
import type { RunWatch } from './runWatch';

/** Columns of a retrieval over time: as many as a chart has room for. */
const MOST_COLUMNS = 240;

/** Decides what one dashboard has to be told next: everything at first, then only what is new since the last time. */
export class DashboardFeed {
  private snapshotDue = true;
  private view: DashboardView | null = null;
  private watches: readonly RunWatch[] = [];
  private runsDue = true;
  private readonly cursors = new Map<string, PyramidCursor>();
  private readonly sentSummaries = new Map<RunKey, string>();
  private sentExperts: { readonly run: RunKey; readonly revision: number } | null = null;
  private sentRetrieval: SentRetrieval | null = null;
  private sentParity = '';

  /** The webview is new, or new again: it knows nothing. */
  restart(): void {
    this.snapshotDue = true;
    this.view = null;
    this.runsDue = true;
    this.cursors.clear();
    this.sentSummaries.clear();
    this.sentExperts = null;
    this.sentRetrieval = null;
    this.sentParity = '';
  }

  setView(view: DashboardView): void {
    if (this.view?.width !== view.width) this.cursors.clear();
    if (view.heatmap?.follow !== true) this.sentExperts = null;
    const { retrieval } = view;
    const sent = this.sentRetrieval;
    if (sent !== null && (retrieval?.run !== sent.run || retrieval.layer !== sent.layer)) this.sentRetrieval = null;
    else if (sent !== null && retrieval?.follow !== true) this.sentRetrieval = { ...sent, followed: null };
    this.view = view;
  }

  setRuns(watches: readonly RunWatch[]): void {
    this.watches = watches;
    this.runsDue = true;
    const kept = new Set(watches.map((watch) => watch.run));
    for (const run of this.sentSummaries.keys()) {
      if (kept.has(run)) continue;
      this.sentSummaries.delete(run);
      for (const key of this.cursors.keys()) {
        if (key.startsWith(cursorKey(run, ''))) this.cursors.delete(key);
      }
    }
  }

  /** Null when nothing has changed, or the webview has not said yet what it shows. `now`: milliseconds since the epoch. */
  next(now: number): DashboardUpdate | null {
    const { view } = this;
    if (view === null) return null;
    const update: DashboardUpdate = {
      type: 'update',
      snapshot: this.snapshotDue,
      runs: this.runsDue ? this.watches.map((watch) => watch.run) : null,
      summaries: this.nextSummaries(now),
      curves: this.watches.filter((watch) => !view.hidden.includes(watch.run)).flatMap((watch) => this.nextCurves(watch, view)),
      experts: this.nextExperts(view),
      retrieval: this.nextRetrieval(view),
      parity: this.nextParity(view),
    };
    this.snapshotDue = false;
    this.runsDue = false;
    const { snapshot, runs, summaries, curves, experts, retrieval, parity } = update;
    const changed = summaries.length > 0 || curves.length > 0 || experts !== null || retrieval !== null || parity !== null;
    return snapshot || runs !== null || changed ? update : null;
  }

  private nextSummaries(now: number): RunSummary[] {
    const summaries = this.watches.map((watch) => watch.summary(now));
    return summaries.filter((summary) => {
      const text = JSON.stringify(summary);
      if (this.sentSummaries.get(summary.run) === text) return false;
      this.sentSummaries.set(summary.run, text);
      return true;
    });
  }

  private nextCurves(watch: RunWatch, view: DashboardView): CurveDelta[] {
    return [...watch.series.curves].flatMap(([curve, pyramid]) => {
      if (!isWanted(curve, view)) return [];
      const key = cursorKey(watch.run, curve);
      const delta = pyramid.since(this.cursors.get(key) ?? null, view.width);
      if (delta === null) return [];
      this.cursors.set(key, delta.cursor);
      return [{ run: watch.run, curve, from: delta.from, points: delta.points.buffer }];
    });
  }

  /** What the other shown runs cost against the chosen one. */
  private nextParity({ baseline }: DashboardView): DashboardUpdate['parity'] {
    const theirs = this.watches.find(({ run }) => run === baseline);
    if (baseline === null || theirs === undefined) return null;
    const name = theirs.name;
    const runs = this.watches
      .filter(({ run }) => run !== baseline)
      .map(({ run, cost }) => ({ run, parity: cost && theirs.cost ? parityView(name, cost, theirs.cost) : null }));
    const parity = { baseline, runs };
    const text = JSON.stringify(parity);
    if (text === this.sentParity) return null;
    this.sentParity = text;
    return parity;
  }

  private nextExperts({ heatmap }: DashboardView): ExpertsFrame | null {
    if (heatmap?.follow !== true) return null;
    const watch = this.watches.find(({ run }) => run === heatmap.run);
    if (watch === undefined) return null;
    const { revision } = watch.experts;
    if (this.sentExperts?.run === watch.run && this.sentExperts.revision === revision) return null;
    this.sentExperts = { run: watch.run, revision };
    return watch.expertsFrame('latest');
  }

  private nextRetrieval({ retrieval }: DashboardView): DashboardUpdate['retrieval'] {
    if (retrieval === null) return null;
    const { run, layer, follow } = retrieval;
    const history = this.watches.find((watch) => watch.run === run)?.retrievals[layer];
    if (history === undefined || history.length === 0) return null;
    const known = this.sentRetrieval;
    const { generation, length: frames } = history;
    const continues = known?.generation === generation;
    let series: RetrievalSeries | null = null;
    let stride = known?.stride ?? 0;
    if (!continues || known.frames !== frames) {
      // The last column that was sent may have been incomplete.
      const from = continues ? Math.max(0, Math.ceil(known.frames / known.stride) - 1) : 0;
      const columns = history.columns(MOST_COLUMNS, { stride: continues ? known.stride : 0, from });
      stride = columns.stride;
      series = { run, layer, from: columns.from, steps: columns.steps.buffer, bands: columns.bands.buffer };
    }
    const newest = follow ? history.figures('latest') : null;
    const isNew = newest !== null && (!continues || known.followed !== newest.step);
    this.sentRetrieval = { run, layer, generation, frames, stride, followed: newest?.step ?? null };
    return series === null && !isNew ? null : { series, figures: isNew ? { run, layer, ...newest } : null };
  }
}

/** What the webview has of the retrieval that it shows. */
interface SentRetrieval {
  readonly run: RunKey;
  readonly layer: number;
  readonly generation: number;
  readonly frames: number;
  readonly stride: number;
  /** Step of the newest frame that was sent; null where it did not follow. */
  readonly followed: number | null;
}

function isWanted(curve: CurveName, { quantity, smoothed }: DashboardView): boolean {
  if (quantity !== 'perplexity') return curve === quantity || curve.startsWith(`${quantity}.`);
  return curve === (smoothed ? 'trainSmoothed' : 'train') || curve.startsWith('validation.');
}

function cursorKey(run: RunKey, curve: string): string {
  return `${run}\n${curve}`;
}

/** The buffers of an update, which it may give away. */
export function buffersOf(update: DashboardUpdate): ArrayBuffer[] {
  const series = update.retrieval?.series ?? null;
  return [
    ...update.curves.map((curve) => curve.points),
    ...(update.experts?.layers.map((layer) => layer.counts) ?? []),
    ...(series === null ? [] : [series.steps, series.bands]),
  ];
}
