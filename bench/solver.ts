import { presetOf, presets } from '../src/config/presets/catalogue';
import type { Experiment } from '../src/config/schema';
import { experimentSchema } from '../src/config/schema';
import { solve } from '../src/parity/solver/solve';
import { percentile, processorTime } from './calibration';

/** Milliseconds of a median and of a slow solution. */
export interface SolverTimes {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
  /** Of processor time, at the 95th percentile. */
  readonly spent: number;
  readonly target: string;
}

/** What a clock says that a solution took, and what it took of the processor. */
interface Timed {
  readonly waited: number;
  readonly spent: number;
}

interface Pair {
  readonly id: string;
  readonly subject: Experiment;
  readonly baseline: Experiment;
}

/** Every preset beside the one that it is compared with. */
function presetPairs(): readonly Pair[] {
  return presets.flatMap(({ id, experiment, baseline }) => {
    const other = baseline === undefined || baseline === id ? undefined : presetOf(baseline);
    if (other === undefined) return [];
    return [{ id, subject: experimentSchema.parse(experiment), baseline: experimentSchema.parse(other.experiment) }];
  });
}

/**
 * How long the choices take behind a quick fix: of all pairs of presets, the first solution of the process, and the pair that takes
 * longest.
 */
export function measureSolver(rounds: number): readonly SolverTimes[] {
  const pairs = presetPairs();
  const timed = ({ subject, baseline }: Pair): Timed => {
    const [start, begun] = [performance.now(), processorTime()];
    solve(subject, baseline);
    return { waited: performance.now() - start, spent: processorTime() - begun };
  };
  const [first] = pairs;
  const cold = first === undefined ? [] : [timed(first)];
  for (const pair of pairs) timed(pair);
  const times = pairs.map((pair) => ({ id: pair.id, each: Array.from({ length: rounds }, () => timed(pair)) }));
  const all = times.flatMap(({ each }) => each);
  // By what it takes of the processor: on a busy machine the clock says who had to wait.
  const median = (each: readonly Timed[]): number => percentile(spentOf(each), 0.5);
  const slowest = times.reduce((one, other) => (median(other.each) > median(one.each) ? other : one));
  return [row(`solver, ${pairs.length} pairs of presets`, all), row(slowest.id, slowest.each), row('its first solution', cold)];
}

function spentOf(times: readonly Timed[]): readonly number[] {
  return times.map(({ spent }) => spent);
}

function row(what: string, times: readonly Timed[]): SolverTimes {
  const waited = times.map((time) => time.waited);
  return {
    what,
    p50: percentile(waited, 0.5),
    p95: percentile(waited, 0.95),
    spent: percentile(spentOf(times), 0.95),
    target: '<= 50',
  };
}
