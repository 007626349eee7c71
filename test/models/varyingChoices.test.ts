import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import type { ExperimentInput, ModelConfig } from '../../src/config/schema';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { interpret, randomParameters, randomTokens, scalar } from '../support/programs';
import { expectOracle } from './support/expectOracle';
import { attendedRows, layerFeeds, routedLayerProgram, runLayer } from './support/routedLayer';
import { importanceOracle } from './support/dynamicOracle';

type Moe = NonNullable<ExperimentInput['model']['moe']>;
type Router = NonNullable<Moe['router']>;

const experts = 6;

function modelOf(router: Router, moe: Partial<Moe> = {}, objective: 'causal' | 'masked' = 'causal'): ModelConfig {
  return experimentSchema.parse({
    model: {
      d_model: 6,
      layers: 1,
      context: 12,
      objective,
      attention: { heads: 2 },
      ffn: { width: 5 },
      moe: { kind: 'smoe', experts, top_k: 2, expert_width: 3, every: 1, ...moe, router },
    },
  }).model;
}

const sum = (xs: readonly number[]): number => xs.reduce((total, x) => total + x, 0);
const meanOf = (taken: readonly number[], units: number): number => sum(taken) / units;

describe('dynamic allocation', () => {
  const everywhere = (['received', 'cls_row', 'row_max', 'entropy'] as const).map((importance) => ({
    importance,
    objective: 'masked' as const,
  }));
  const causal = (['row_max', 'entropy'] as const).map((importance) => ({ importance, objective: 'causal' as const }));

  it.each([...everywhere, ...causal])(
    'equals the oracle by $importance, $objective, with and without a budget',
    ({ importance, objective }) => {
      let differing = 0;
      for (let seed = 1; seed <= 12; seed++) {
        const router: Router = {
          select: 'dynamic',
          importance,
          budget: seed % 2 === 0,
          k_min: 1,
          k_max: seed % 3 === 0 ? experts : 4,
          renormalize: seed % 4 === 0,
          score: seed % 5 === 0 ? 'sigmoid' : 'softmax',
          balance: 'top_k',
          ...(seed % 2 === 0 ? { capacity_factor: 0.8 } : {}),
        };
        const { actual } = expectOracle(modelOf(router, {}, objective), {
          seed,
          mode: 'training',
          tokens: 24,
          windows: 3,
          what: `seed ${seed}`,
        });
        const taken = actual.taken ?? [];
        if (new Set(taken.filter((n) => n > 0)).size > 1) differing++;
        if (router.budget === true) expect(sum(taken)).toBe(2 * 24);
      }
      expect(differing).toBeGreaterThan(8);
    },
  );

  it('gives the sub-tokens of a token what the token gets', () => {
    for (const heads of [2, 3]) {
      const model = modelOf({ select: 'dynamic', budget: true }, { kind: 'mh-moe', heads });
      const { actual } = expectOracle(model, { seed: heads, mode: 'training', tokens: 10, windows: 2, what: `${heads} heads` });
      // Each of the numbers of experts comes `heads` times.
      for (const units of actual.taken ?? []) expect(units % heads).toBe(0);
      expect(meanOf(actual.taken ?? [], 10 * heads)).toBe(2);
    }
  });

  it('stays within its bounds and takes more for more important tokens', () => {
    for (const [k_min, k_max] of [
      [1, 6],
      [2, 3],
      [1, 2],
    ] as const) {
      const layer = routedLayerProgram(modelOf({ select: 'dynamic', k_min, k_max }), 40);
      const feeds = layerFeeds(layer, 40, 5);
      const taken = runLayer(layer, 40, feeds).taken ?? [];
      expect(taken).toHaveLength(k_max);
      expect(taken.slice(0, k_min)).toEqual(Array.from({ length: k_min }, () => 40));
      taken.slice(1).forEach((units, n) => expect(units).toBeLessThanOrEqual(taken[n] ?? NaN));
      const attended = attendedRows(layer, feeds, true);
      const [importance = []] = attended === undefined ? [] : importanceOracle(attended, 'entropy');
      const wanted = importance.filter((r) => 2 * r > 2.5).length;
      if (k_max > 2) expect(taken[2]).toBe(wanted);
    }
  });

  it('is top-k itself where it may only take top_k', () => {
    for (const score of ['softmax', 'sigmoid'] as const) {
      const common: Router = { score, renormalize: true, balance: 'top_k', capacity_factor: 0.9 };
      const [topK, dynamic] = [
        routedLayerProgram(modelOf(common), 20),
        routedLayerProgram(modelOf({ ...common, select: 'dynamic', k_min: 2, k_max: 2 }), 20),
      ];
      const feeds = layerFeeds(dynamic, 20, 7);
      const ofTopK = new Map(layerFeeds(topK, 20, 7));
      for (const { name, value } of topK.program.parameters) {
        const own = feeds.get(dynamic.program.parameters.find((p) => p.name === name)?.value ?? -1);
        if (own !== undefined) ofTopK.set(value, own);
      }
      const [a, b] = [runLayer(topK, 20, ofTopK), runLayer(dynamic, 20, feeds)];
      expect(b.output).toEqual(a.output);
      expect({ counts: b.counts, balance: b.balance, dropped: b.dropped, dropRate: b.dropRate }).toEqual({
        counts: a.counts,
        balance: a.balance,
        dropped: a.dropped,
        dropRate: a.dropRate,
      });
      expect(a.taken).toBeUndefined();
      expect(b.taken).toEqual([20, 20]);
    }
  });
});

describe('top-p', () => {
  it.each([0.2, 0.4, 0.7, 0.95])('equals the oracle at a threshold of %f', (top_p) => {
    for (let seed = 1; seed <= 8; seed++) {
      const router: Router = {
        select: 'top_p',
        top_p,
        entropy_weight: seed % 2 === 0 ? 0.1 : 0,
        renormalize: seed % 3 === 0,
        balance: seed % 2 === 0 ? 'top_k' : 'gshard_first',
        ...(seed % 4 === 0 ? { k_max: 3 } : {}),
        ...(seed % 4 === 1 ? { capacity_factor: 0.8, capacity_in_evaluation: true } : {}),
      };
      expectOracle(modelOf(router), { seed, mode: seed % 2 === 0 ? 'training' : 'evaluation', tokens: 16, what: `seed ${seed}` });
    }
  });

  it('takes the fewest experts whose scores add up to the threshold', () => {
    const taken = (top_p: number): number => {
      const layer = routedLayerProgram(modelOf({ select: 'top_p', top_p }), 30);
      return meanOf(runLayer(layer, 30, layerFeeds(layer, 30, 2)).taken ?? [], 30);
    };
    const means = [0.01, 0.3, 0.5, 0.8, 0.99].map(taken);
    expect(means[0]).toBe(1);
    means.slice(1).forEach((mean, i) => expect(mean).toBeGreaterThan(means[i] ?? NaN));
  });

  it('is top-k at a threshold of 1 with at most k', () => {
    const [topK, topP] = [routedLayerProgram(modelOf({}), 20), routedLayerProgram(modelOf({ select: 'top_p', top_p: 1, k_max: 2 }), 20)];
    const named = (layer: typeof topK) =>
      layer.program.parameters.map(({ name, shape, activeFraction }) => ({ name, shape, activeFraction }));
    expect(named(topP)).toEqual(named(topK));
    const [a, b] = [topK, topP].map((layer) => runLayer(layer, 20, layerFeeds(layer, 20, 3)));
    expect(b?.output).toEqual(a?.output);
    expect(b?.counts).toEqual(a?.counts);
    expect(b?.taken).toEqual([20, 20]);
  });
});

describe('a model whose units take different numbers of experts', () => {
  const bindings = { batch: 2, time: 6 };
  const moe = { kind: 'mh-moe', heads: 2, every: 1, experts: 5, top_k: 2, expert_width: 6 };

  function valuesOf(router: Router, mode: 'training' | 'evaluation' = 'training') {
    const program = buildLanguageModel(tinyExperiment({ moe: { ...moe, router } }));
    const { loss, crossEntropy, balance } = program.outputs;
    const layers = program.routedLayers.flatMap(({ counts, taken }) => [counts, taken ?? -1]);
    const feeds = new Map([...randomParameters(program, 3, 0.6), ...randomTokens(program, bindings, 11, 3)]);
    const entropies = program.nodes.filter(({ op, scope }) => op === 'negate' && /\.router$/.test(scope)).flatMap(({ outputs }) => outputs);
    const values = interpret(program, {
      bindings,
      mode,
      feeds,
      wanted: [loss, crossEntropy, ...(balance === null ? [] : [balance]), ...layers, ...entropies],
    });
    return { program, values, entropies, figure: (id: number | null) => scalar(values, id ?? -1) };
  }

  it.each([
    { router: { select: 'dynamic' } as const, most: 4 },
    { router: { select: 'dynamic', k_max: 3 } as const, most: 3 },
    { router: { select: 'top_p' } as const, most: 5 },
    { router: { select: 'top_p', k_max: 3 } as const, most: 3 },
  ])('$router: says how many took how many, up to $most, and counts what they took', ({ router, most }) => {
    const { program, values } = valuesOf(router);
    expect(program.routedLayers).toHaveLength(2);
    for (const layer of program.routedLayers) {
      expect(layer).toMatchObject({ k: most, unitsPerToken: 2 });
      const taken = Array.from(values.get(layer.taken ?? -1)?.data ?? []);
      expect(taken).toHaveLength(most);
      expect(taken[0]).toBe(24);
      expect(sum(taken)).toBe(sum(Array.from(values.get(layer.counts)?.data ?? [])));
      expect(sum(taken)).toBeLessThan(24 * most);
    }
  });

  it('adds the weighted entropies of top-p to its loss, and no other model has them', () => {
    const { program, entropies, figure } = valuesOf({ select: 'top_p', entropy_weight: 0.3, balance_weight: 0.2 });
    const { loss, crossEntropy, balance } = program.outputs;
    expect(entropies).toHaveLength(2);
    const expected = figure(crossEntropy) + 0.2 * figure(balance) + 0.3 * sum(entropies.map((id) => figure(id)));
    expect(figure(loss)).toBeCloseTo(expected, 12);
    for (const id of entropies) {
      expect(figure(id)).toBeGreaterThan(0);
      expect(figure(id)).toBeLessThan(Math.log(5));
    }
    expect(valuesOf({ select: 'top_p' }).entropies).toEqual([]);
    expect(valuesOf({ entropy_weight: 0.3 }).entropies).toEqual([]);
  });

  it('says nothing of numbers where every unit takes top_k', () => {
    const program = buildLanguageModel(tinyExperiment({ moe }));
    for (const layer of program.routedLayers) expect(layer).toMatchObject({ k: 2, taken: null });
  });
});

describe('expert dropout', () => {
  const layerOf = (router: Router, moe: Partial<Moe> = {}) => routedLayerProgram(modelOf(router, moe), 200);

  it('passes experts over in training and not in evaluation', () => {
    const [plain, dropped] = [layerOf({}), layerOf({ expert_dropout: 0.5 })];
    const run = (layer: typeof plain, mode: 'training' | 'evaluation') => runLayer(layer, 200, layerFeeds(layer, 200, 3, mode), mode);
    expect(run(dropped, 'evaluation').output).toEqual(run(plain, 'evaluation').output);
    expect(run(dropped, 'training').counts).not.toEqual(run(plain, 'training').counts);
    expect(dropped.program.noises).toMatchObject([{ name: 'router.expert_dropout', low: -0.5, high: 0.5, evaluation: 0.5 }]);
  });

  it('passes each over as often as it says', () => {
    // One expert of two: the better one is passed over alone in rate (1 - rate) of the cases; both, and then the first is taken, in rate^2.
    const rate = 0.3;
    const layer = layerOf({ expert_dropout: rate }, { experts: 2, top_k: 1 });
    const feeds = layerFeeds(layer, 200, 4);
    const weight = layer.program.parameters.find(({ name }) => name === 'router.weight');
    // Column 1 is the better for every unit: x is positive.
    feeds.set(weight?.value ?? -1, { shape: [6, 2], data: Float64Array.from({ length: 12 }, (_, i) => i % 2) });
    feeds.set(layer.x, { shape: [200, 6], data: new Float64Array(1200).fill(1) });
    const [first = NaN] = runLayer(layer, 200, feeds).counts;
    // 200 draws with probability 0.3: the deviation is 6.5.
    expect(Math.abs(first - rate * 200)).toBeLessThan(26);
  });

  it.each(['top_k', 'top_k_biased', 'dynamic', 'top_p'] as const)('orders the choice of %s and weighs nothing', (select) => {
    for (let seed = 1; seed <= 6; seed++) {
      const router: Router = { select, expert_dropout: seed > 3 ? 0.9 : 0.3, balance: select === 'top_k_biased' ? 'loss_free' : 'top_k' };
      expectOracle(modelOf(router), { seed, mode: 'training', tokens: 12, what: `seed ${seed}` });
      expectOracle(modelOf(router), { seed, mode: 'evaluation', tokens: 12, what: `seed ${seed} evaluated` });
    }
  });
});
