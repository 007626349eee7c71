import type { RunSummary } from '../../runs/runIndex';
import { sweepProblems } from '../../runs/sweepSummary';

/** Something that keeps members of a sweep from being trained. */
export interface SweepNews {
  /** The run behind which they wait. */
  readonly directory: string;
  readonly text: string;
  /** Whether a resume of that run starts them at once. */
  readonly resumable: boolean;
}

/** What keeps members of sweeps from being trained, by a key that stays the same while a member that was passed over moves on with those that wait. */
export function collectSweepNews(runs: readonly RunSummary[]): ReadonlyMap<string, SweepNews> {
  return new Map(
    runs.flatMap(({ directory, name, state, sweep }) => {
      if (sweep === null) return [];
      const news = (key: string, text: string): [string, SweepNews] => [
        key,
        { directory, text: `Sweep after ${name}: ${text}`, resumable: !sweep.goesOn && state === 'finished' },
      ];
      return [
        ...sweepProblems({ ...sweep, halted: null }).map((text) => news(text, text)),
        ...sweepProblems({ ...sweep, refused: [] }).map((text) => news(`${directory}: ${text}`, text)),
      ];
    }),
  );
}
