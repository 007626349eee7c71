import { createHash } from 'node:crypto';
import type { RunnableExperiment, Experiment } from '../config/schema';

/** How fast this machine has trained a model. */
export interface Measurement {
  /** What was trained, as `trainedAs` says it. */
  readonly trained: string;
  readonly host: string;
  /** `cpu`, `webgpu`. */
  readonly device: string;
  readonly tokensPerSecond: number;
  /** Of the model, forward. */
  readonly macsPerToken: number;
  /** ISO 8601, UTC. */
  readonly measuredAt: string;
}

/** How long a run would take. */
export interface Estimate {
  readonly tokensPerSecond: number;
  readonly tokens: number;
  readonly secondsToFinish: number;
  /** `this config`: the very same training was measured; `similar models`: others were, and a token takes time as it has MACs. */
  readonly basis: 'this config' | 'similar models';
}

/**
 * How long the training of a config takes on the machine that was measured; undefined without `train`, or where nothing was measured on its
 * device.
 */
export function estimate(
  experiment: Experiment,
  count: { readonly macsPerToken: { readonly total: number } },
  measurements: readonly Measurement[],
): Estimate | undefined {
  const { train, engine } = experiment;
  if (train === undefined) return undefined;
  const here = measurements.filter(({ device, tokensPerSecond }) => device === engine.device && tokensPerSecond > 0);
  const tokens = train.steps * train.batch_tokens;
  const trained = trainedAs({ ...experiment, train });
  const newest = here.filter((one) => one.trained === trained).toSorted((one, other) => (one.measuredAt < other.measuredAt ? 1 : -1))[0];
  if (newest !== undefined) {
    const { tokensPerSecond } = newest;
    return { tokensPerSecond, tokens, secondsToFinish: tokens / tokensPerSecond, basis: 'this config' };
  }
  const nearest = nearestTo(count.macsPerToken.total, here);
  if (nearest === undefined) return undefined;
  const tokensPerSecond = (nearest.tokensPerSecond * nearest.macsPerToken) / count.macsPerToken.total;
  return { tokensPerSecond, tokens, secondsToFinish: tokens / tokensPerSecond, basis: 'similar models' };
}

/** The measurement of the model whose cost is the nearest: small models have a larger part of their time in other things than MACs. */
function nearestTo(macs: number, measurements: readonly Measurement[]): Measurement | undefined {
  const distance = ({ macsPerToken }: Measurement): number => Math.abs(Math.log(macsPerToken / macs));
  return measurements.toSorted((one, other) => distance(one) - distance(other))[0];
}

/** A hash of all of an experiment that the time of a step depends on: its model, its batch, its threads. */
export function trainedAs({ model, train, engine }: Pick<RunnableExperiment, 'model' | 'train' | 'engine'>): string {
  const { batch_tokens: batchTokens, micro_batch: microBatch } = train;
  const text = JSON.stringify([model, batchTokens, microBatch, engine.threads]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
