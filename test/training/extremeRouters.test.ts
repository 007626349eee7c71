import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../src/config/schema';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { buildLanguageModel } from '../../src/models/languageModel';
import { collect } from '../engine/support/deviceTasks';
import { tinyExperiment } from '../support/experiments';
import { uniformIntegers } from '../support/programs';

/** One step of one window of three tokens in float32, in which these routers under- and overflow. */
async function stepOf(experiment: Experiment) {
  const session = await createEngine('cpu').compile(buildLanguageModel(experiment), {
    batch: 1,
    time: 3,
    microbatches: 1,
    seed: 1,
    threads: 1,
  });
  const batch = { batch: 1, time: 3, tokens: uniformIntegers(3, 11, 1), targets: uniformIntegers(3, 11, 2) };
  const metrics = await session.step([batch], { step: 1, learningRate: 1e-3 });
  const { negativeLogLikelihood } = await session.evaluate(batch);
  const state = await collect(session.exportState());
  await session.dispose();
  return { metrics, negativeLogLikelihood, state };
}

const routed = (moe: Record<string, unknown>) =>
  tinyExperiment({ context: 3, moe: { kind: 'smoe', every: 1, expert_width: 4, ...moe } }, { batch_tokens: 3, micro_batch: 1 });

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

  it.each([3, 7, 14, 60])('the loss-free bias stays where it is under loads that are exactly equal: %d experts', async (experts) => {
    const { state } = await stepOf(
      routed({ experts, top_k: experts, router: { select: 'top_k_biased', balance: 'loss_free', bias_rate: 0.1 } }),
    );
    const biases = state.filter(({ name }) => name.endsWith('router.bias'));
    expect(biases).toHaveLength(2);
    for (const { data } of biases) expect([...data]).toEqual(new Array(experts).fill(0));
  });
});
