import type { RunSummary } from '../../runs/runIndex';
import { sweepProblems } from '../../runs/sweepSummary';
import { isResumable } from './runItems';

/** Something that keeps members of a sweep from being trained. */
export interface SweepNews {
  /** The run behind which they wait. */
  readonly directory: string;
  readonly text: string;
  /** Whether a resume of that run goes on with them: at once, or when it has ended. */
  readonly resumable: boolean;
}

/**
 * What keeps members of sweeps from being trained, by a key that stays the same while a member that was passed over moves on with those
 * that wait.
 */
export function collectSweepNews(runs: readonly RunSummary[]): ReadonlyMap<string, SweepNews> {
  return new Map(
    runs.flatMap((run) => {
      const { directory, name, sweep } = run;
      if (sweep === null) return [];
      const news = (key: string, text: string): [string, SweepNews] => [
        key,
        { directory, text: `Sweep after ${name}: ${text}`, resumable: isResumable(run) },
      ];
      return [
        ...sweepProblems({ ...sweep, halted: null }).map((text) => news(text, text)),
        ...sweepProblems({ ...sweep, refused: [] }).map((text) => news(`${directory}: ${text}`, text)),
      ];
    }),
  );
}
