import { basename, dirname } from 'node:path';
import { isLive } from '../runs/liveness';
import { RunIndex, type RunSummary } from '../runs/runIndex';
import { dropSweepQueue } from '../runs/sweepQueue';
import { leftBehind } from '../runs/sweepSummary';
import { requestStop, type RequestRoute } from './client';

export interface StoppedSweep {
  /** Where the sweep stood: the run that was named, or one that came after it. */
  readonly run: RunSummary;
  /** Members that will not be trained. */
  readonly dropped: number;
  /** How the run was asked to stop; null where it did not train. */
  readonly route: RequestRoute | null;
}

/**
 * Drops the members that wait behind a run and stops it if it trains. A sweep goes on by itself, perhaps at this moment: where nothing
 * waits behind the run any more it is the run after it that is meant. Undefined where nothing of the sweep trains or waits. Throws
 * RunStorageError.
 */
export async function stopSweep(run: string): Promise<StoppedSweep | undefined> {
  const index = new RunIndex(dirname(run));
  for (;;) {
    const at = whereItStands(await index.refresh(), basename(run));
    if (at === undefined) return undefined;
    // First: should it end at this moment, the next is not started.
    if (at.sweep !== null && !dropSweepQueue(at.directory)) continue;
    const route = isLive(at.state) ? await requestStop(at.directory) : null;
    return { run: at, dropped: leftBehind(at.sweep), route };
  }
}

/** Of a run and those that follow it, the first that trains or has members waiting behind it. */
export function whereItStands<Run extends Pick<RunSummary, 'id' | 'state' | 'sweep' | 'follows'>>(
  runs: readonly Run[],
  id: string,
): Run | undefined {
  // A run directory that was edited may follow itself: each is looked at once.
  const ids = new Set([id]);
  for (const one of ids) {
    const run = runs.find((known) => known.id === one);
    if (run !== undefined && (run.sweep !== null || isLive(run.state))) return run;
    for (const { id: next, follows } of runs) if (follows === one) ids.add(next);
  }
  return undefined;
}
