import { describe, expect, it } from 'vitest';
import type { ExperimentInput, ModelConfig } from '../../src/config/schema';
import { experimentSchema } from '../../src/config/schema';
import { differentiate } from '../../src/graph/gradients';
import type { ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { denseGradients, interpret, randomParameters, randomTokens } from '../support/programs';
import { layerFeeds, oracleWeights, routedLayerProgram, runLayer } from './support/routedLayer';

type Router = NonNullable<NonNullable<ExperimentInput['model']['moe']>['router']>;

const tokens = 20;
const experts = 5;

function modelOf(router: Router, k = 2): ModelConfig {
  return experimentSchema.parse({
    model: {
      d_model: 6,
      layers: 1,
      context: tokens,
      attention: { heads: 1 },
      ffn: { width: 5 },
      moe: { kind: 'smoe', experts, top_k: k, expert_width: 3, every: 1, router },
    },
  }).model;
}

const gap = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((e, i) => Math.abs(e - (b[i] ?? NaN))));

describe('jitter', () => {
  it('disturbs training and not evaluation', () => {
    const [plain, jittered] = [routedLayerProgram(modelOf({}), tokens), routedLayerProgram(modelOf({ jitter: 0.4 }), tokens)];
    const run = (layer: typeof plain, mode: 'training' | 'evaluation') => runLayer(layer, tokens, layerFeeds(layer, tokens, 3, mode), mode);
    const still = run(plain, 'evaluation').output;
    expect(run(jittered, 'evaluation').output).toEqual(still);
    expect(gap(run(jittered, 'training').output, still)).toBeGreaterThan(1e-3);
    expect(jittered.program.noises).toMatchObject([{ name: 'router.jitter', low: 0.6, high: 1.4, evaluation: 1 }]);
  });
});

describe('the loss-free bias', () => {
  const router: Router = { select: 'top_k_biased', balance: 'loss_free', score: 'sigmoid', bias_rate: 0.01 };
  const layer = routedLayerProgram(modelOf(router), tokens);
  const [buffer] = layer.program.buffers;
  const bias = buffer?.value ?? -1;
  const withBias = (data: readonly number[]): Map<ValueId, NdArray> =>
    new Map([...layerFeeds(layer, tokens, 4), [bias, { shape: [experts], data: Float64Array.from(data) }]]);

  it('is a buffer that a step replaces, from 0', () => {
    expect(buffer).toMatchObject({ name: 'router.bias', shape: [experts], initial: 0, updated: 'step' });
    expect(layer.program.parameters.map(({ name }) => name)).not.toContain('router.bias');
  });

  it('falls for experts with too much to do and rises for the others', () => {
    const start = [0.1, 0, -0.1, 0, 0];
    const { counts, updates } = runLayer(layer, tokens, withBias(start));
    const mean = (2 * tokens) / experts;
    counts.forEach((count, expert) => {
      const moved = (updates[0]?.[expert] ?? NaN) - (start[expert] ?? NaN);
      expect(moved).toBeCloseTo(count > mean ? -0.01 : count < mean ? 0.01 : 0, 12);
    });
    expect(new Set(counts.map((count) => Math.sign(count - mean))).size).toBeGreaterThan(1);
  });

  it('moves by the relative error where the config says so', () => {
    const other = routedLayerProgram(modelOf({ ...router, score: 'softmax', bias_update: 'error' }), tokens);
    const zero: [ValueId, NdArray] = [other.program.buffers[0]?.value ?? -1, { shape: [experts], data: new Float64Array(experts) }];
    const { counts, updates } = runLayer(other, tokens, new Map([...layerFeeds(other, tokens, 4), zero]));
    const mean = (2 * tokens) / experts;
    counts.forEach((count, expert) => expect(updates[0]?.[expert]).toBeCloseTo((0.01 * (mean - count)) / mean, 14));
  });

  it('balances a router that stands still', () => {
    const violation = (counts: readonly number[]): number => Math.max(...counts) / ((2 * tokens) / experts) - 1;
    let run = runLayer(layer, tokens, withBias([0.3, 0.2, -0.3, 0, -0.2]));
    const before = violation(run.counts);
    for (let step = 0; step < 60; step++) run = runLayer(layer, tokens, withBias(run.updates[0] ?? []));
    expect(before).toBeGreaterThan(0.8);
    expect(violation(run.counts)).toBeLessThan(before / 3);
  });

  it('chooses and does not weigh: a bias that changes no choice changes no output', () => {
    const still = runLayer(layer, tokens, withBias([0, 0, 0, 0, 0]));
    // The same for every expert changes no order.
    expect(runLayer(layer, tokens, withBias([3, 3, 3, 3, 3])).output).toEqual(still.output);
    const forced = runLayer(layer, tokens, withBias([100, 0, 0, 0, 100]));
    expect(forced.counts).toEqual([tokens, 0, 0, 0, tokens]);
    // With weights from s + b the outputs would be a hundred times larger.
    expect(Math.max(...forced.output.map(Math.abs))).toBeLessThan(3 * Math.max(...still.output.map(Math.abs)));
  });
});

describe('the cosine router', () => {
  const layer = routedLayerProgram(modelOf({ type: 'cosine', dimension: 4 }), tokens);
  const parameterOf = (name: string) => layer.program.parameters.find((parameter) => parameter.name === name);

  it('has a projection, expert vectors and an undecayed temperature', () => {
    expect(layer.program.parameters.filter(({ role }) => role === 'router').map(({ name, shape, group }) => [name, shape, group])).toEqual([
      ['router.projection', [6, 4], 'decayed'],
      ['router.experts', [4, experts], 'decayed'],
      ['router.log_scale', [1], 'undecayed'],
    ]);
    expect(parameterOf('router.log_scale')?.initialiser).toEqual({ kind: 'constant', value: Math.log(1 / 0.3) });
  });

  it('does not care how long its vectors are', () => {
    const feeds = layerFeeds(layer, tokens, 6);
    const longer = new Map(feeds);
    for (const name of ['router.projection', 'router.experts']) {
      const id = parameterOf(name)?.value ?? -1;
      const value = feeds.get(id);
      if (value !== undefined) longer.set(id, { ...value, data: Float64Array.from(value.data, (e) => 7 * e) });
    }
    expect(gap(runLayer(layer, tokens, longer).output, runLayer(layer, tokens, feeds).output)).toBeLessThan(1e-10);
    expect(oracleWeights(layer, longer).matrix('router.experts')[0]?.[0]).not.toBe(
      oracleWeights(layer, feeds).matrix('router.experts')[0]?.[0],
    );
  });
});

describe('what is not trained', () => {
  const bindings = { batch: 2, time: 6 };

  /** The largest gradient of each router parameter, and of the first other one. */
  function gradientsOf(router: Router): Map<string, number> {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 4, router } }));
    const differentiated = differentiate(program);
    const gradients = denseGradients(differentiated);
    const feeds = new Map([...randomParameters(program, 2, 0.6), ...randomTokens(program, bindings, 11, 2)]);
    const values = interpret(differentiated.program, { bindings, feeds, wanted: gradients });
    return new Map(
      program.parameters.map(({ name, role }, index) => {
        const gradient = values.get(gradients[index] ?? -1)?.data as Float64Array;
        return [role === 'router' ? (name.split('.router.')[1] ?? name) : name, Math.max(...gradient.map(Math.abs))];
      }),
    );
  }

  it.each(['linear', 'cosine'] as const)('a frozen %s router has no gradient and does not decay', (type) => {
    const trained = gradientsOf({ type, z_loss_weight: 0.1 });
    const frozen = gradientsOf({ type, z_loss_weight: 0.1, frozen: true });
    const names = type === 'linear' ? ['weight'] : ['projection', 'experts', 'log_scale'];
    for (const name of names) {
      expect(trained.get(name), name).toBeGreaterThan(1e-6);
      expect(frozen.get(name), name).toBe(0);
    }
    expect(frozen.get('layers.1.moe.experts.w1')).toBeGreaterThan(1e-6);
    const program = buildLanguageModel(
      tinyExperiment({ moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 4, router: { type, frozen: true } } }),
    );
    for (const parameter of program.parameters.filter(({ role }) => role === 'router')) expect(parameter.group).toBe('undecayed');
  });

  it('a fixed temperature has no gradient, while its router has', () => {
    const gradients = gradientsOf({ type: 'cosine', learn_temperature: false });
    expect(gradients.get('log_scale')).toBe(0);
    expect(gradients.get('projection')).toBeGreaterThan(1e-6);
  });

  it('a single renormalised weight is 1, and the task teaches its router nothing', () => {
    const program = buildLanguageModel(
      tinyExperiment({ moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 4, router: { renormalize: true, balance: 'none' } } }),
    );
    const differentiated = differentiate(program);
    const gradients = denseGradients(differentiated);
    const index = program.parameters.findIndex(({ role }) => role === 'router');
    const feeds = new Map([...randomParameters(program, 2, 0.6), ...randomTokens(program, bindings, 11, 2)]);
    const gradient = interpret(differentiated.program, { bindings, feeds, wanted: gradients }).get(gradients[index] ?? -1)
      ?.data as Float64Array;
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-15);
  });
});

describe('capacity', () => {
  it('drops only in training unless evaluation shall too', () => {
    const drops = (router: Router, mode: 'training' | 'evaluation') => {
      const layer = routedLayerProgram(modelOf({ capacity_factor: 0.5, ...router }), tokens);
      return runLayer(layer, tokens, layerFeeds(layer, tokens, 8, mode), mode);
    };
    const training = drops({}, 'training');
    expect(training.dropped).toBeGreaterThanOrEqual(tokens);
    expect(training.dropRate).toBeCloseTo((training.dropped ?? NaN) / (2 * tokens), 14);
    expect(drops({}, 'evaluation').dropped).toBe(0);
    expect(drops({ capacity_in_evaluation: true }, 'evaluation').dropped).toBe(training.dropped);
  });

  it('counts what it drops: the counts are those of the dropless layer', () => {
    const [capped, dropless] = [{ capacity_factor: 0.5 }, {}].map((router) => {
      const layer = routedLayerProgram(modelOf(router), tokens);
      return runLayer(layer, tokens, layerFeeds(layer, tokens, 8));
    });
    expect(capped?.counts).toEqual(dropless?.counts);
    expect(capped?.counts.reduce((sum, count) => sum + count, 0)).toBe(2 * tokens);
    expect(gap(capped?.output ?? [], dropless?.output ?? [])).toBeGreaterThan(1e-3);
  });
});
