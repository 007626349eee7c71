import { describe, expect, it } from 'vitest';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { interpret, randomParameters, randomTokens, scalar, stateFeeds } from '../support/programs';

const bindings = { batch: 2, time: 6 };
const smoe = { kind: 'smoe', every: 1, experts: 5, top_k: 2, expert_width: 6 };
const multiHead = { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 6 };

function program(model: Record<string, unknown>, train: Record<string, unknown> = {}): Program {
  return buildLanguageModel(tinyExperiment(model, train));
}

function feedsOf(built: Program, seed = 2): Map<ValueId, NdArray> {
  return new Map([...randomParameters(built, seed, 0.6), ...randomTokens(built, bindings, 11, seed), ...stateFeeds(built, bindings, seed)]);
}

describe('the objective', () => {
  /** By how much the logits at each position move when the token at `position` of the first window changes. */
  function moved(built: Program, position: number): number[] {
    const logits = built.nodes.find((node) => node.op === 'crossEntropy')?.inputs[0] ?? -1;
    const feeds = feedsOf(built);
    const tokens = built.inputs[0]?.value ?? -1;
    const changed = Int32Array.from(feeds.get(tokens)?.data ?? []);
    changed[position] = ((changed[position] ?? 0) + 1) % 11;
    const other = new Map([...feeds, [tokens, { shape: [2, 6], data: changed }] as const]);
    const [before, after] = [feeds, other].map((given) => interpret(built, { bindings, feeds: given, wanted: [logits] }).get(logits)?.data);
    return Array.from({ length: 12 }, (_, row) =>
      Math.max(...Array.from({ length: 11 }, (_unused, i) => Math.abs((before?.[row * 11 + i] ?? NaN) - (after?.[row * 11 + i] ?? NaN)))),
    );
  }

  it('masked sees both sides, but no other window', () => {
    const differences = moved(program({ objective: 'masked' }), 3);
    for (const difference of differences.slice(0, 6)) expect(difference).toBeGreaterThan(1e-6);
    for (const difference of differences.slice(6)) expect(difference).toBe(0);
  });

  it('causal sees what was before', () => {
    const differences = moved(program({}), 3);
    for (const difference of differences.slice(0, 3)) expect(difference).toBe(0);
    for (const difference of differences.slice(3, 6)) expect(difference).toBeGreaterThan(1e-6);
  });

  it('masked is the mean over the hidden tokens alone', () => {
    const built = program({ objective: 'masked' }, { batch_tokens: 12 });
    const targets = built.inputs[1]?.value ?? -1;
    const only = (...positions: number[]): number => {
      const data = new Int32Array(12).fill(-1);
      for (const position of positions) data[position] = 4;
      const feeds = new Map([...feedsOf(built), [targets, { shape: [2, 6], data }] as const]);
      return scalar(interpret(built, { bindings, feeds, wanted: [built.outputs.loss] }), built.outputs.loss);
    };
    expect(only(2)).not.toBeCloseTo(only(9), 3);
    expect(only(2, 9)).toBeCloseTo((only(2) + only(9)) / 2, 12);
  });
});

describe('the loss', () => {
  it('adds the weighted sums over layers of balance and z-loss', () => {
    const built = program({ moe: { ...smoe, router: { balance_weight: 0.25, z_loss_weight: 0.5 } } });
    const { loss, crossEntropy, balance, zLoss } = built.outputs;
    const values = interpret(built, { bindings, feeds: feedsOf(built), wanted: [loss, balance ?? -1, zLoss ?? -1] });
    const expected = scalar(values, crossEntropy) + 0.25 * scalar(values, balance ?? -1) + 0.5 * scalar(values, zLoss ?? -1);
    expect(scalar(values, loss)).toBeCloseTo(expected, 12);

    // The z-losses of both layers, from the logits of their routers.
    const logits = built.nodes.filter((node) => node.op === 'matmul' && /router/.test(node.scope)).map((node) => node.outputs[0] ?? -1);
    expect(logits).toHaveLength(2);
    const zLosses = logits.map((id) => {
      const data = Array.from(values.get(id)?.data ?? []);
      const units = Array.from({ length: 12 }, (_, unit) =>
        Math.log(data.slice(unit * 5, unit * 5 + 5).reduce((sum, z) => sum + Math.exp(z), 0)),
      );
      return units.reduce((sum, unit) => sum + unit ** 2, 0) / 12;
    });
    expect(scalar(values, zLoss ?? -1)).toBeCloseTo((zLosses[0] ?? NaN) + (zLosses[1] ?? NaN), 11);
  });

  it('shows a balance that weighs nothing', () => {
    const { loss, crossEntropy, balance } = program({ moe: { ...smoe, router: { balance_weight: 0 } } }).outputs;
    expect(loss).toBe(crossEntropy);
    expect(balance).not.toBeNull();
  });

  it('names what there is not', () => {
    const none = { balance: null, zLoss: null, dropRate: null };
    expect(program({}).outputs).toMatchObject(none);
    expect(program({ moe: { ...smoe, router: { balance: 'none' } } }).outputs).toMatchObject(none);
  });

  it('reports the share of dropped choices as the mean over routed layers', () => {
    const built = program({ moe: { ...multiHead, every: 1, router: { capacity_factor: 1 } } });
    const dropped = built.routedLayers.map((layer) => layer.dropped ?? -1);
    const wanted = [built.outputs.dropRate ?? -1, ...dropped];
    const values = interpret(built, { bindings, feeds: feedsOf(built), wanted });
    const shares = dropped.map((id) => scalar(values, id) / (2 * 2 * 12));
    expect(shares).toHaveLength(2);
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares[0]).not.toBe(shares[1]);
    expect(scalar(values, built.outputs.dropRate ?? -1)).toBeCloseTo(((shares[0] ?? NaN) + (shares[1] ?? NaN)) / 2, 12);
  });
});

describe('balance of the whole step', () => {
  const model = { moe: { ...smoe, router: { balance_scope: 'global' } } };

  it('takes means over the microbatches', () => {
    expect(program(model, { batch_tokens: 24 }).statistics).not.toHaveLength(0);
  });

  it('needs none where a step is one microbatch', () => {
    const single = program(model, { batch_tokens: 12 });
    expect(single.statistics).toHaveLength(0);
    expect(single.nodes).toEqual(program({ moe: smoe }, { batch_tokens: 12 }).nodes);
  });
});

describe('masked tokens of the whole step', () => {
  const names = (built: Program) => built.statistics.map(({ name }) => name);

  it('count the same, however many a microbatch hides', () => {
    expect(names(program({ objective: 'masked' }, { batch_tokens: 24 }))).toEqual(['logits.scored']);
  });

  it('need no figure of the step in a single microbatch, nor where every token is scored', () => {
    expect(names(program({ objective: 'masked' }, { batch_tokens: 12 }))).toEqual([]);
    expect(names(program({}, { batch_tokens: 24 }))).toEqual([]);
  });
});

describe('parameters', () => {
  const named = (built: Program, name: string) => built.parameters.find((parameter) => parameter.name === name);
  const normal = (standardDeviation: number) => ({ kind: 'normal', standardDeviation });

  it('are drawn from a distribution as wide as the config says, gains and biases apart', () => {
    const routed = { moe: { ...multiHead, projection_bias: true } };
    const [usual, wide] = [program(routed), program({ ...routed, initial_std: 0.06 })];
    usual.parameters.forEach(({ initialiser }, index) => {
      const other = wide.parameters[index]?.initialiser;
      if (initialiser.kind === 'constant') expect(other).toEqual(initialiser);
      else expect(other).toMatchObject({ kind: 'normal', standardDeviation: expect.closeTo(3 * initialiser.standardDeviation, 12) });
    });
  });

  it('of an untied output are drawn like the embeddings', () => {
    const built = program({ tie_embeddings: false });
    expect(named(built, 'output')).toMatchObject({ shape: [11, 12], role: 'output', group: 'decayed', initialiser: normal(0.02) });
    expect(named(program({}), 'output')).toBeUndefined();
  });

  it('of grouped attention are as wide as their heads together', () => {
    const built = program({ attention: { heads: 4, kv_heads: 2, head_width: 6, qk_norm: 'full' } });
    const shape = (name: string) => named(built, `layers.0.attention.${name}`)?.shape;
    expect([shape('query'), shape('key'), shape('value'), shape('output')]).toEqual([
      [12, 24],
      [12, 12],
      [12, 12],
      [24, 12],
    ]);
    for (const name of ['query_norm', 'key_norm']) {
      expect(named(built, `layers.0.attention.${name}`)).toMatchObject({
        role: 'norm',
        group: 'undecayed',
        initialiser: { kind: 'constant', value: 1 },
      });
    }
    expect([shape('query_norm'), shape('key_norm')]).toEqual([[24], [12]]);
    const ofHeads = program({ attention: { heads: 4, kv_heads: 2, head_width: 6, qk_norm: 'head' } });
    expect(named(ofHeads, 'layers.0.attention.key_norm')?.shape).toEqual([6]);
  });

  it('that are biases start at 0 and do not decay', () => {
    const built = program({ moe: { ...multiHead, projection_bias: true } });
    for (const role of ['head', 'merge']) {
      expect(named(built, `layers.1.moe.${role}.bias`)).toMatchObject({
        shape: [12],
        role,
        group: 'undecayed',
        initialiser: { kind: 'constant', value: 0 },
      });
    }
    expect(program({ moe: multiHead }).parameters.filter(({ name }) => name.endsWith('bias'))).toEqual([]);
  });

  it('that write into the residual stream start smaller', () => {
    const built = program({ moe: multiHead });
    for (const name of ['layers.0.attention.output', 'layers.0.ffn.w2', 'layers.1.moe.merge.weight']) {
      expect(named(built, name)?.initialiser).toEqual(normal(0.02 / 2));
    }
    expect(named(built, 'layers.1.moe.experts.w2')?.initialiser).toEqual(normal(0.02));
    const unmerged = program({ moe: { ...multiHead, merge_layer: false } });
    expect(named(unmerged, 'layers.1.moe.experts.w2')?.initialiser).toEqual(normal(0.02 / 2));
  });

  it('have the same names and shapes when they are quantised', () => {
    const shapes = (built: Program) => built.parameters.map(({ name, shape, role, group }) => ({ name, shape, role, group }));
    expect(shapes(program({ moe: multiHead, bitnet: {} }))).toEqual(shapes(program({ moe: multiHead })));
  });
});
