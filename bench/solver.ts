import { presetOf, presets } from '../src/config/presets/catalogue';
import type { Experiment } from '../src/config/schema';
import { experimentSchema } from '../src/config/schema';
import { solve } from '../src/parity/solver/solve';
import { percentile } from './calibration';

/** Milliseconds of a median and of a slow solution. */
export interface SolverTimes {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
  readonly target: string;
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

/** How long the choices take behind a quick fix: of all pairs of presets, the first solution of the process, and the pair that takes longest. */
export function measureSolver(rounds: number): readonly SolverTimes[] {
  const pairs = presetPairs();
  const timed = ({ subject, baseline }: Pair): number => {
    const start = performance.now();
    solve(subject, baseline);
    return performance.now() - start;
  };
  const [first] = pairs;
  const cold = first === undefined ? Number.NaN : timed(first);
  for (const pair of pairs) timed(pair);
  const times = pairs.map((pair) => ({ id: pair.id, each: Array.from({ length: rounds }, () => timed(pair)) }));
  const all = times.flatMap(({ each }) => each);
  const slowest = times.reduce((one, other) => (percentile(other.each, 0.5) > percentile(one.each, 0.5) ? other : one));
  const row = (what: string, values: readonly number[]): SolverTimes => ({
    what,
    p50: percentile(values, 0.5),
    p95: percentile(values, 0.95),
    target: '<= 50',
  });
  return [row(`solver, ${pairs.length} pairs of presets`, all), row(slowest.id, slowest.each), row('its first solution', [cold])];
}
