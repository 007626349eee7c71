import { describe, expect, it } from 'vitest';
import type { Program } from '../../src/graph/program';
import { buildLanguageModel } from '../../src/models/languageModel';
import { layerKinds, tinyExperiment } from '../support/experiments';

const d = 12;
const layers = 2;

function program(model: Record<string, unknown>): Program {
  return buildLanguageModel(tinyExperiment(model));
}

/** Every parameter of `model` with its initialiser; constants left out. */
function drawn(model: Record<string, unknown>): [string, unknown][] {
  return program(model).parameters.flatMap(({ name, initialiser }): [string, unknown][] =>
    initialiser.kind === 'constant' ? [] : [[name, initialiser]],
  );
}

const multiHead = { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 6, every: 1, shared_width: 7 };
const switchHead = { heads: 3, head_width: 5, moe: { experts: 4, top_k: 2 } };
const everyProjection = { ...switchHead.moe, projections: ['query', 'key', 'value', 'output'] };

describe('gpt2', () => {
  const normal = (standardDeviation: number) => ({ kind: 'normal', standardDeviation });

  /** Everything is drawn alike but for what is said to write into the residual stream. */
  it.each([
    { name: 'dense', model: { attention: { heads: 2, position: 'xl' } }, residual: ['attention.output', 'ffn.w2'] },
    { name: 'SwitchHead', model: { attention: switchHead }, residual: ['attention.output', 'ffn.w2'] },
    {
      name: 'SwitchHead, every projection',
      model: { attention: { ...switchHead, moe: everyProjection } },
      residual: ['attention.output', 'ffn.w2'],
    },
    {
      name: 'smoe',
      model: { moe: { kind: 'smoe', every: 1, experts: 5, top_k: 2, expert_width: 6, router: { type: 'cosine' } } },
      residual: ['attention.output', 'moe.experts.w2'],
    },
    { name: 'mh-moe', model: { moe: multiHead }, residual: ['attention.output', 'moe.merge.weight', 'moe.shared.w2'] },
    {
      name: 'mh-moe without merge layer, untied',
      model: { moe: { ...multiHead, merge_layer: false }, tie_embeddings: false },
      residual: ['attention.output', 'moe.experts.w2', 'moe.shared.w2'],
    },
  ])('$name: one deviation, less by 1 / sqrt(2 layers) for what writes into the residual stream', ({ model, residual }) => {
    for (const [wanted, scale] of [
      [0.02, 1],
      [0.05, 2.5],
    ] as const) {
      for (const [name, initialiser] of drawn({ ...model, initial_std: wanted })) {
        const writes = residual.some((part) => name.endsWith(part));
        // 1 / sqrt(4) with two layers: exact, whatever the order of multiplication.
        expect(initialiser, name).toEqual(normal(0.02 * (writes ? 0.5 : 1) * scale));
      }
    }
  });
});

describe('fan_in', () => {
  const deviation = (inputs: number): number => Math.sqrt(2 / (layers * inputs));
  const normal = (inputs: number) => ({ kind: 'normal', standardDeviation: deviation(inputs) });
  const equalColumns = (inputs: number) => ({ kind: 'equalColumns', standardDeviation: deviation(inputs) });
  const table = { kind: 'normal', standardDeviation: 1 / Math.sqrt(d) };
  const ofLayer = (parts: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries([0, 1].flatMap((layer) => Object.entries(parts).map(([name, value]) => [`layers.${layer}.${name}`, value])));
  const dense = { 'attention.query': normal(d), 'attention.key': normal(d), 'attention.value': normal(d), 'attention.output': normal(d) };
  const feedForward = { 'ffn.w1': normal(d), 'ffn.w3': normal(d), 'ffn.w2': normal(10) };

  it.each([
    { name: 'dense, untied', model: { tie_embeddings: false }, expected: { ...ofLayer({ ...dense, ...feedForward }), output: table } },
    {
      name: 'relative positions, wide heads',
      model: { attention: { heads: 3, head_width: 5, position: 'xl' } },
      expected: ofLayer({ ...dense, 'attention.output': normal(15), 'attention.position': normal(d), ...feedForward }),
    },
    {
      name: 'SwitchHead: an output sums over all heads',
      model: { attention: switchHead },
      expected: ofLayer({
        ...dense,
        'attention.output': normal(15),
        'attention.source.router.weight': equalColumns(d),
        'attention.destination.router.weight': equalColumns(d),
        ...feedForward,
      }),
    },
    {
      name: 'sigma-MoE: as the dense layer as wide as all its experts',
      model: { ffn: { width: 10, activation: 'relu' }, moe: { kind: 'smoe', every: 1, experts: 5, top_k: 2, expert_width: 6 } },
      expected: ofLayer({ ...dense, 'moe.router.weight': equalColumns(d), 'moe.experts.w1': normal(d), 'moe.experts.w2': normal(30) }),
    },
    {
      name: 'mh-moe',
      model: { moe: { ...multiHead, router: { type: 'cosine', dimension: 4 } } },
      expected: ofLayer({
        ...dense,
        'moe.head.weight': normal(d),
        'moe.merge.weight': normal(d),
        'moe.router.projection': equalColumns(6),
        'moe.router.experts': equalColumns(4),
        'moe.experts.w1': normal(6),
        'moe.experts.w3': normal(6),
        'moe.experts.w2': normal(30),
        'moe.shared.w1': normal(d),
        'moe.shared.w3': normal(d),
        'moe.shared.w2': normal(7),
      }),
    },
  ])('$name', ({ model, expected }) => {
    const found = drawn({ ...model, initialization: 'fan_in' });
    expect(Object.fromEntries(found)).toEqual({ embedding: table, ...expected });
    expect(drawn({ ...model, initialization: 'fan_in', initial_std: 0.3 })).toEqual(found);
  });

  it('changes nothing but what is drawn', () => {
    for (const { model } of layerKinds) {
      const [usual, other] = [program(model), program({ ...model, initialization: 'fan_in' })];
      const initialisersAside = (built: Program) => built.parameters.map((parameter) => ({ ...parameter, initialiser: undefined }));
      expect(initialisersAside(other)).toEqual(initialisersAside(usual));
      expect(other.nodes).toEqual(usual.nodes);
      for (const [index, { name, initialiser }] of usual.parameters.entries()) {
        if (initialiser.kind === 'constant') expect(other.parameters[index]?.initialiser, name).toEqual(initialiser);
      }
    }
  });
});

describe('norms of the residual stream', () => {
  it('have a gain of 1 and, of LayerNorm, a bias of 0; neither decays', () => {
    for (const norm of ['rms', 'layer'] as const) {
      const norms = program({ norm }).parameters.filter(({ role }) => role === 'norm');
      const names = ['layers.0.attention.norm', 'layers.0.ffn.norm', 'layers.1.attention.norm', 'layers.1.ffn.norm', 'norm'];
      const expected = names.flatMap((name) => [{ name, value: 1 }, ...(norm === 'layer' ? [{ name: `${name}_bias`, value: 0 }] : [])]);
      expect(norms.map(({ name, initialiser }) => ({ name, value: initialiser.kind === 'constant' ? initialiser.value : NaN }))).toEqual(
        expected,
      );
      for (const { shape, group } of norms) expect({ shape, group }).toEqual({ shape: [d], group: 'undecayed' });
    }
  });

  it('of queries and keys are RMSNorm also where the stream has LayerNorm', () => {
    const { parameters } = program({ norm: 'layer', attention: { heads: 2, qk_norm: 'head' } });
    expect(parameters.filter(({ name }) => /query_norm|key_norm/.test(name)).map(({ name }) => name)).toEqual(
      [0, 1].flatMap((layer) => ['query', 'key'].map((name) => `layers.${layer}.attention.${name}_norm`)),
    );
  });
});
