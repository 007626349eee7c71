import type { CurveDelta, CurveName, DashboardUpdate, DashboardView, ExpertsFrame, RunKey, RunSummary } from '../panels/dashboard-protocol';
import type { PyramidCursor } from './pyramid';
import type { RunWatch } from './runWatch';

/** Decides what one dashboard has to be told next: everything at first, then only what is new since the last time. */
export class DashboardFeed {
  private snapshotDue = true;
  private view: DashboardView | null = null;
  private watches: readonly RunWatch[] = [];
  private runsDue = true;
  private readonly cursors = new Map<string, PyramidCursor>();
  private readonly sentSummaries = new Map<RunKey, string>();
  private sentExperts: { readonly run: RunKey; readonly revision: number } | null = null;

  /** The webview is new, or new again: it knows nothing. */
  restart(): void {
    this.snapshotDue = true;
    this.view = null;
    this.runsDue = true;
    this.cursors.clear();
    this.sentSummaries.clear();
    this.sentExperts = null;
  }

  setView(view: DashboardView): void {
    if (this.view?.width !== view.width) this.cursors.clear();
    if (view.heatmap?.follow !== true) this.sentExperts = null;
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
    };
    this.snapshotDue = false;
    this.runsDue = false;
    const { snapshot, runs, summaries, curves, experts } = update;
    return snapshot || runs !== null || summaries.length > 0 || curves.length > 0 || experts !== null ? update : null;
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

  private nextExperts({ heatmap }: DashboardView): ExpertsFrame | null {
    if (heatmap?.follow !== true) return null;
    const watch = this.watches.find(({ run }) => run === heatmap.run);
    if (watch === undefined) return null;
    const { revision } = watch.experts;
    if (this.sentExperts?.run === watch.run && this.sentExperts.revision === revision) return null;
    this.sentExperts = { run: watch.run, revision };
    return watch.expertsFrame('latest');
  }
}

function isWanted(curve: CurveName, { quantity, smoothed }: DashboardView): boolean {
  if (quantity !== 'perplexity') return curve === quantity;
  return curve === (smoothed ? 'trainSmoothed' : 'train') || curve.startsWith('validation.');
}

function cursorKey(run: RunKey, curve: string): string {
  return `${run}\n${curve}`;
}

/** The buffers of an update, which it may give away. */
export function buffersOf(update: DashboardUpdate): ArrayBuffer[] {
  return [...update.curves.map((curve) => curve.points), ...(update.experts?.layers.map((layer) => layer.counts) ?? [])];
}
