import { expect } from 'vitest';
import type { ModelConfig } from '../../../src/config/schema';
import { attendedRows, layerFeeds, matrixOf, oracleWeights, routedLayerProgram, runLayer } from './routedLayer';
import { routedLayerOracle } from './routedLayerOracle';

export type Mode = 'training' | 'evaluation';

export function expectClose(actual: readonly number[], expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const error = Math.max(...expected.map((e, i) => Math.abs(e - (actual[i] ?? NaN))));
  expect(error, what).toBeLessThan(1e-11 * Math.max(1, ...expected.map(Math.abs)));
}

/** What a layer is run with besides its weights. */
export interface LayerCase {
  readonly seed: number;
  readonly mode: Mode;
  readonly tokens?: number;
  readonly windows?: number;
  readonly what: string;
}

/** One layer of `model` with random weights against the oracle: output, losses, counts, numbers of experts, drops and the next bias. */
export function expectOracle(model: ModelConfig, { seed, mode, tokens = 7, windows = 1, what }: LayerCase) {
  const { moe } = model;
  if (moe === undefined) throw new RangeError('The model has no routed layers.');
  const built = routedLayerProgram(model, tokens, { windows });
  const feeds = layerFeeds(built, tokens, seed, mode);
  const actual = runLayer(built, tokens, feeds, mode);
  const given = (id: number | undefined) => {
    const value = feeds.get(id ?? -1);
    return value === undefined ? undefined : matrixOf(value);
  };
  const noise = (name: string) => given(built.program.noises.find((drawn) => drawn.name === `router.${name}`)?.value);
  const bias = given(built.program.buffers[0]?.value)?.[0];
  const [jitter, expertDropout] = [noise('jitter'), noise('expert_dropout')];
  const attended = attendedRows(built, feeds, model.objective === 'causal');
  const expected = routedLayerOracle(given(built.x) ?? [], model, moe, oracleWeights(built, feeds), {
    training: mode === 'training',
    ...(bias === undefined ? {} : { bias }),
    ...(jitter === undefined ? {} : { jitter }),
    ...(expertDropout === undefined ? {} : { expertDropout }),
    ...(attended === undefined ? {} : { attended }),
  });
  expectClose(actual.output, expected.output.flat(), `${what}: output`);
  expect(actual.counts, `${what}: counts`).toEqual(expected.counts);
  expect(actual.balance === undefined, `${what}: balance`).toBe(expected.balance === undefined);
  expect(actual.balance ?? 0, `${what}: balance`).toBeCloseTo(expected.balance ?? 0, 12);
  if (moe.router.z_loss_weight > 0) expect(actual.zLoss, `${what}: z-loss`).toBeCloseTo(expected.zLoss, 11);
  expect(actual.zLoss === undefined, `${what}: z-loss`).toBe(moe.router.z_loss_weight === 0);
  const hasEntropy = moe.router.select === 'top_p' && moe.router.entropy_weight > 0;
  if (hasEntropy) expect(actual.entropy, `${what}: entropy`).toBeCloseTo(expected.entropy, 11);
  expect(actual.entropy === undefined, `${what}: entropy`).toBe(!hasEntropy);
  const varies = moe.router.select === 'dynamic' || moe.router.select === 'top_p';
  expect(actual.taken, `${what}: taken`).toEqual(varies ? expected.taken : undefined);
  const pairs = expected.counts.reduce((sum, count) => sum + count, 0);
  const capped = moe.router.capacity_factor !== undefined && moe.router.select !== 'expert_choice';
  expect(actual.dropped, `${what}: dropped`).toBe(capped ? expected.dropped : undefined);
  if (capped) expect(actual.dropRate, `${what}: drop rate`).toBeCloseTo(expected.dropped / pairs, 12);
  if (moe.router.select === 'top_k_biased') expectClose(actual.updates.flat(), expected.nextBias, `${what}: bias`);
  return { actual, expected };
}
