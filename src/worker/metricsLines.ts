import type { IdleExperts, MetricsLine } from '../runs/format';
import { toJsonNumber } from '../runs/jsonNumber';
import type { TrainStepEvent, ValidationEvent } from '../training/trainingEvents';

/**
 * The line of metrics.jsonl about a step. `retrievals`: of the program, in its order. `idleExperts`: where it is the last of those that
 * they are counted over.
 */
export function trainingLine(
  event: TrainStepEvent,
  retrievals: readonly { readonly experts: number }[],
  idleExperts?: IdleExperts,
): MetricsLine {
  const { step, seconds, tokens, loss, crossEntropy, learningRate, gradientNorm, tokensPerSecond } = event;
  const { balance, zLoss, dropRate, taken } = event;
  const choices = choicesOf(taken);
  const usage = event.retrievals.map((use, index) => use.experts.length / (retrievals[index]?.experts ?? Number.NaN));
  return {
    step,
    time: rounded(seconds),
    tokens,
    train: {
      loss: toJsonNumber(loss),
      crossEntropy: toJsonNumber(crossEntropy),
      ...stated({ balance, zLoss, dropRate }),
      ...stated({ meanK: choices === null ? null : choices.mean }),
      ...(choices === null ? {} : { kShares: choices.shares.map((share) => Number(share.toPrecision(6))) }),
      ...stated({ expertUsage: usage.length === 0 ? null : usage.reduce((sum, share) => sum + share, 0) / usage.length }),
      ...(idleExperts === undefined ? {} : { idleExperts }),
    },
    learningRate,
    gradientNorm: toJsonNumber(gradientNorm),
    tokensPerSecond: rounded(tokensPerSecond),
  };
}

export function validationLine({ step, seconds, tokens, sets }: ValidationEvent): MetricsLine {
  const validation = Object.fromEntries(
    Object.entries(sets).map(([name, { loss, perplexity, ...others }]) => [
      name,
      { loss: toJsonNumber(loss), perplexity: toJsonNumber(perplexity), ...stated(others) },
    ]),
  );
  return { step, time: rounded(seconds), tokens, validation };
}

/** Only what the model has. */
function stated<Name extends string>(
  figures: Readonly<Record<Name, number | null>>,
): Partial<Record<Name, ReturnType<typeof toJsonNumber>>> {
  const entries = Object.entries<number | null>(figures).flatMap(([name, value]) => (value === null ? [] : [[name, toJsonNumber(value)]]));
  return Object.fromEntries(entries) as Partial<Record<Name, ReturnType<typeof toJsonNumber>>>;
}

/**
 * How many experts units took, over all layers where that varies: the mean, and the shares of the units that took 1, 2, ... `taken`: per
 * routed layer how many units took at least 1, 2, ... experts. Null where no layer says so. Every unit takes one at least, so the first
 * entry is the number of units.
 */
export function choicesOf(taken: readonly (Float32Array | null)[]): { readonly mean: number; readonly shares: readonly number[] } | null {
  const varying = taken.filter((counts) => counts !== null);
  const most = Math.max(0, ...varying.map((counts) => counts.length));
  const atLeast = Array.from({ length: most + 1 }, (_, index) => varying.reduce((sum, counts) => sum + (counts[index] ?? 0), 0));
  const [units = 0] = atLeast;
  if (units === 0) return null;
  return {
    mean: atLeast.reduce((sum, count) => sum + count, 0) / units,
    shares: atLeast.slice(0, -1).map((count, index) => (count - (atLeast[index + 1] ?? 0)) / units),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
