import { table } from '../markdown';
import { overlap, spreadOf, type Spread } from '../statistics';
import type { TrainingPlan } from './plan';
import type { TrainedModel } from './trainCompared';

export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
const nats = (value: number | null): string => (value === null ? 'diverged' : value.toFixed(4));

/** What the learning-rate sweep gave, and for which models its best rate lies at an end. */
export function sweepTable(plan: TrainingPlan, models: readonly TrainedModel[]): string {
  const last = plan.rates.length - 1;
  const atEdge = models.filter(({ rate }) => rate === plan.rates[0] || rate === plan.rates[last]).map(({ name }) => name);
  return [
    `Learning rates: loss in nats per byte on a text of its own, ${grouped(plan.sweepSteps)} steps, seed ${plan.sweepSeed}.`,
    '',
    table(
      ['model', ...plan.rates.map(String), 'taken'],
      models.map(({ name, sweep, rate }) => [name, ...sweep.map(({ loss }) => nats(loss)), String(rate)]),
    ),
    ...(atEdge.length === 0 ? [] : ['', `At an end of the sweep, so that a still better rate may lie beyond: ${atEdge.join(', ')}.`]),
  ].join('\n');
}

/** One model on one text. */
export interface Score {
  readonly name: string;
  /** Perplexity by seed, and over them; undefined if any diverged. */
  readonly bySeed: readonly number[];
  readonly spread: Spread | undefined;
}

export function scoresOn(set: string, models: readonly TrainedModel[]): Score[] {
  return models.map(({ name, seeds }): Score => {
    const losses = seeds.map(({ losses: bySet }) => bySet?.[set]);
    const known = losses.filter((loss) => loss !== undefined);
    const bySeed = known.map(Math.exp);
    return { name, bySeed, spread: known.length === losses.length ? spreadOf(bySeed) : undefined };
  });
}

export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return 'a seed diverged';
  const { mean, deviation, least, most } = spread;
  return `${mean.toFixed(3)} ± ${deviation.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`;
}

/**
 * Which differences the seeds do not support. Of a pair the same seed has the same text in the same order, so that seeds can be compared
 * one by one.
 */
export function undecided(rows: readonly Score[]): string {
  const ranked = rows
    .filter(({ spread }) => spread !== undefined)
    .sort((one, other) => (one.spread?.mean ?? 0) - (other.spread?.mean ?? 0));
  const pairs = ranked.flatMap((better, index) =>
    ranked
      .slice(index + 1)
      .filter((other) => better.spread !== undefined && other.spread !== undefined && overlap(better.spread, other.spread))
      .map((other) => {
        const wins = better.bySeed.filter((value, seed) => value < (other.bySeed[seed] ?? Number.NaN)).length;
        return `${better.name} and ${other.name} (the first is lower with ${wins} of ${better.bySeed.length} seeds)`;
      }),
  );
  return pairs.length === 0 ? 'The ranges of no two models meet.' : `Ranges over the seeds meet for ${pairs.join('; ')}.`;
}
