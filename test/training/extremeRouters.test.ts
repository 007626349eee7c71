import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../src/config/schema';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { buildLanguageModel } from '../../src/models/languageModel';
import { collect } from '../engine/support/deviceTasks';
import { tinyExperiment } from '../support/experiments';
import { uniformIntegers } from '../support/programs';

/** One step of one window in float32, in which these routers under- and overflow. */
async function stepOf(experiment: Experiment) {
  const shape = { batch: 1, time: experiment.model.context };
  const session = await createEngine('cpu').compile(buildLanguageModel(experiment), { ...shape, microbatches: 1, seed: 1, threads: 1 });
  const [tokens, targets] = [uniformIntegers(shape.time, 11, 1), uniformIntegers(shape.time, 11, 2)];
  // With lanes: as if it went on from a window, though there has been none.
  const batch = { ...shape, tokens, targets, resets: Int32Array.of(0) };
  const metrics = await session.step([batch], { step: 1, learningRate: 1e-3 });
  const { negativeLogLikelihood } = await session.evaluate(batch);
  const state = await collect(session.exportState());
  await session.dispose();
  return { metrics, negativeLogLikelihood, state };
}

const routed = (moe: Record<string, unknown>, model: Record<string, unknown> = {}) =>
  tinyExperiment({ context: 3, moe: { kind: 'smoe', every: 1, expert_width: 4, ...moe }, ...model }, { batch_tokens: 3, micro_batch: 1 });

const attending = (moe: Record<string, unknown>, model: Record<string, unknown>, position = 'rope') =>
  tinyExperiment({ context: 3, attention: { heads: 2, position, moe }, ...model }, { batch_tokens: 3, micro_batch: 1 });

const cold = { type: 'cosine', temperature: 0.001, learn_temperature: false };

describe('routers beyond what float32 holds', () => {
  it.each([
    ['sigmoid scores of a single expert that are all but 0', { experts: 1, top_k: 1, router: { ...cold, dimension: 1, score: 'sigmoid' } }],
    ['sigmoid scores that all vanish', { experts: 4, top_k: 2, router: { ...cold, score: 'sigmoid', balance: 'top_k' } }],
    ['renormalised sigmoid scores that all vanish', { experts: 4, top_k: 2, router: { ...cold, score: 'sigmoid', renormalize: true } }],
    ['the entropy of a mean probability that vanishes', { experts: 64, top_k: 1, router: { ...cold, balance: 'entropy' } }],
  ])('train with finite values: %s', async (_, moe) => {
    const { metrics, negativeLogLikelihood, state } = await stepOf(routed(moe));
    for (const figure of [metrics.loss, metrics.balance, metrics.gradientNorm, negativeLogLikelihood]) {
      expect(Number.isFinite(figure)).toBe(true);
    }
    for (const { name, data } of state) expect({ name, finite: data.every(Number.isFinite) }).toEqual({ name, finite: true });
  });

  const peer = (keys: Record<string, unknown>, model: Record<string, unknown> = {}) =>
    tinyExperiment(
      { product_keys: { experts: 16, heads: 2, top_k: 3, key_width: 6, ...keys }, ...model },
      { batch_tokens: 6, micro_batch: 1 },
    );
  const alone = { context: 1 };

  it.each([
    ['queries of one token, normalised over that token alone', peer({}, alone)],
    ['queries that are not normalised and far too large', peer({ query_norm: 'none' }, { initial_std: 1 })],
    ['retrieval scores that all vanish', peer({ query_norm: 'none', score: 'sigmoid' }, { initial_std: 1 })],
    ['the importance of a token that sees itself alone', routed({ experts: 4, top_k: 2, router: { select: 'dynamic' } }, alone)],
    ['importances that are all alike, with a budget', routed({ experts: 4, top_k: 2, router: { select: 'dynamic', budget: true } }, alone)],
    ['scores that must reach 1', routed({ experts: 4, top_k: 2, router: { select: 'top_p', top_p: 1, entropy_weight: 1 } })],
    ['scores all but 0 that must reach a sum', routed({ experts: 4, top_k: 1, router: { ...cold, select: 'top_p', score: 'sigmoid' } })],
    [
      'experts of which nearly all are dropped',
      routed({ experts: 4, top_k: 3, router: { expert_dropout: 0.999, renormalize: true, score: 'sigmoid' } }),
    ],
    ['selections of attention that saturate', attending({ experts: 4, top_k: 2 }, { initial_std: 1 })],
    ['a cache of zeros under LayerNorm', attending({ experts: 3, top_k: 3, expert_dropout: 0.9 }, { norm: 'layer' }, 'xl')],
    ['windows of one token that remember one', attending({ experts: 1, top_k: 1 }, alone, 'xl')],
  ])('train with finite values: %s', async (_, experiment) => {
    const { metrics, negativeLogLikelihood, state } = await stepOf(experiment);
    for (const figure of [metrics.loss, metrics.gradientNorm, negativeLogLikelihood]) expect(Number.isFinite(figure)).toBe(true);
    for (const { name, data } of state) expect({ name, finite: data.every(Number.isFinite) }).toEqual({ name, finite: true });
    for (const { weights } of metrics.retrievals) expect(weights.every(Number.isFinite)).toBe(true);
  });

  it.each([3, 7, 14, 60])('the loss-free bias stays where it is under loads that are exactly equal: %d experts', async (experts) => {
    const { state } = await stepOf(
      routed({ experts, top_k: experts, router: { select: 'top_k_biased', balance: 'loss_free', bias_rate: 0.1 } }),
    );
    const biases = state.filter(({ name }) => name.endsWith('router.bias'));
    expect(biases).toHaveLength(2);
    for (const { data } of biases) expect([...data]).toEqual(new Array(experts).fill(0));
  });
});
