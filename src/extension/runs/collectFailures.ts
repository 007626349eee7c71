import { isLive, type ObservedState } from '../../runs/liveness';
import type { RunSummary } from '../../runs/runIndex';

/** The states in which runs were last seen, by directory. */
export type SeenStates = ReadonlyMap<string, ObservedState>;

/** Runs that were training when last seen and have failed, or vanished, since. What had failed before anybody looked is no news. */
export function collectFailures(seen: SeenStates, runs: readonly RunSummary[]): RunSummary[] {
  return runs.filter(({ directory, state }) => {
    const before = seen.get(directory);
    return (state === 'failed' || state === 'lost') && before !== undefined && isLive(before);
  });
}

export function failureMessage({ name, state, step, failure, sweep }: RunSummary): string {
  const waiting = sweep === null ? 0 : sweep.waiting.length;
  const rest = waiting === 0 ? '' : ` Then the sweep goes on: ${waiting} more ${waiting === 1 ? 'waits' : 'wait'}.`;
  if (state === 'lost' || failure === null)
    return `${name} is lost at step ${step}: its process ended without a word. It can be resumed.${rest}`;
  return `${name} failed at step ${failure.step}: ${failure.message} ${failure.advice}`.trim();
}
