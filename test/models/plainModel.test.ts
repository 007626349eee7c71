import { describe, expect, it } from 'vitest';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { plainWindow, type PlainLane } from '../support/plainModel';
import { interpret, randomParameters, randomTokens, scalar, stateFeeds } from '../support/programs';

const bindings = { batch: 2, time: 6 };
const smoe = { kind: 'smoe', experts: 5, top_k: 2, expert_width: 6 };
const multiHead = { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 6 };

/** Two heads of four experts each, two of them used. */
const headExperts = { experts: 4, top_k: 2 };
const switchHead = (moe: Record<string, unknown> = {}, attention: Record<string, unknown> = {}) => ({
  attention: { heads: 2, head_width: 4, ...attention, moe: { ...headExperts, ...moe } },
});
const combinations = Array.from({ length: 15 }, (_, index) =>
  ['query', 'key', 'value', 'output'].filter((_name, bit) => ((index + 1) >> bit) % 2 === 1),
);

interface Case {
  readonly name: string;
  readonly model: Record<string, unknown>;
  readonly routed?: readonly number[];
}

const cases: readonly Case[] = [
  { name: 'dense', model: {} },
  { name: 'relu, no positions', model: { ffn: { width: 10, activation: 'relu' }, attention: { heads: 3, position: 'none' } } },
  { name: 'another base of the angles', model: { attention: { heads: 1, rope_base: 50 } } },
  { name: 'grouped heads, wider than d_model together', model: { attention: { heads: 4, kv_heads: 2, head_width: 6 } } },
  { name: 'one head of keys and values', model: { attention: { heads: 3, kv_heads: 1 } } },
  { name: 'norm of each head', model: { attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head' } } },
  { name: 'norm of the projections', model: { attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'full' } } },
  { name: 'masked objective', model: { objective: 'masked' } },
  { name: 'untied output', model: { tie_embeddings: false } },
  { name: 'smoe', model: { moe: smoe }, routed: [1] },
  { name: 'smoe renormalised, in listed layers', model: { moe: { ...smoe, layers: [0], router: { renormalize: true } } }, routed: [0] },
  { name: 'mh-moe', model: { moe: { ...multiHead, every: 1 } }, routed: [0, 1] },
  { name: 'mh-moe h=3, shared expert', model: { moe: { ...multiHead, heads: 3, shared_width: 4 } }, routed: [1] },
  { name: 'mh-moe, biases', model: { moe: { ...multiHead, projection_bias: true } }, routed: [1] },
  { name: 'mh-moe, biases, head layer only', model: { moe: { ...multiHead, projection_bias: true, merge_layer: false } }, routed: [1] },
  { name: 'mh-moe, merge layer only', model: { moe: { ...multiHead, head_layer: false } }, routed: [1] },
  { name: 'mh-moe, inner residual', model: { moe: { ...multiHead, inner_residual: true, shared_width: 4 } }, routed: [1] },
  {
    name: 'mh-moe, inner residual and no projections, iso-MAC',
    model: { moe: { ...multiHead, inner_residual: true, head_layer: false, merge_layer: false, ablation: 'iso_mac' } },
    routed: [1],
  },
  { name: 'mh-moe h=1', model: { moe: { ...multiHead, heads: 1, inner_residual: true } }, routed: [1] },
  { name: 'ternary', model: { bitnet: {} } },
  { name: 'binary', model: { bitnet: { weights: 'binary' } } },
  { name: 'ternary without norm', model: { bitnet: { norm: 'none' } } },
  { name: 'binary without rounded inputs', model: { bitnet: { weights: 'binary', activation_bits: 'none' } } },
  { name: 'ternary, grouped heads with norm', model: { bitnet: {}, attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head' } } },
  {
    name: 'ternary smoe, relu, shared expert',
    model: { bitnet: {}, ffn: { width: 10, activation: 'relu' }, moe: { ...smoe, shared_width: 4 } },
    routed: [1],
  },
  { name: 'ternary mh-moe', model: { bitnet: {}, moe: multiHead }, routed: [1] },
  {
    name: 'binary mh-moe without norm',
    model: { bitnet: { weights: 'binary', norm: 'none' }, moe: { ...multiHead, shared_width: 4 } },
    routed: [1],
  },
  {
    name: 'ternary mh-moe, head and merge too, biases',
    model: { bitnet: { quantize_head_merge: true }, moe: { ...multiHead, projection_bias: true, inner_residual: true } },
    routed: [1],
  },
  { name: 'half of the channels rotated', model: { attention: { heads: 2, rope_share: 0.5 } } },
  { name: 'no pair of channels within the share', model: { attention: { heads: 2, rope_share: 0.2 } } },
  { name: 'an odd head width, partly rotated', model: { attention: { heads: 2, head_width: 5, rope_share: 0.9 } } },
  { name: 'LayerNorm, scaled embeddings', model: { norm: 'layer', scale_embeddings: true } },
  { name: 'sigma-MoE', model: { ffn: { width: 10, activation: 'relu' }, moe: { ...smoe, router: { score: 'sigmoid' } } }, routed: [1] },
  ...combinations.flatMap((projections) => [
    { name: `experts for ${projections.join(', ')}`, model: switchHead({ projections }) },
    { name: `shared selection for ${projections.join(', ')}`, model: switchHead({ projections, shared_selection: true }) },
    { name: `relative positions, experts for ${projections.join(', ')}`, model: switchHead({ projections }, { position: 'xl' }) },
    {
      name: `relative positions, shared selection for ${projections.join(', ')}`,
      model: switchHead({ projections, shared_selection: true }, { position: 'xl' }),
    },
  ]),
  { name: 'dense heads with gates', model: switchHead({ experts: 1, top_k: 1 }) },
  { name: 'all experts of a head', model: switchHead({ top_k: 4 }) },
  { name: 'one of many experts in one head', model: switchHead({ experts: 9, top_k: 1 }, { heads: 1 }) },
  {
    name: 'experts everywhere, norm of heads',
    model: switchHead({ projections: ['query', 'key', 'value', 'output'] }, { qk_norm: 'head' }),
  },
  {
    name: 'experts everywhere, norm of projections, half of the channels rotated',
    model: switchHead({ projections: ['query', 'key', 'value', 'output'] }, { qk_norm: 'full', rope_share: 0.5 }),
  },
  { name: 'output experts of grouped heads', model: switchHead({ projections: ['output'] }, { heads: 4, kv_heads: 2 }) },
  { name: 'experts in an encoder', model: { objective: 'masked', ...switchHead() } },
  { name: 'relative positions', model: { attention: { heads: 2, position: 'xl' } } },
  { name: 'relative positions, LayerNorm, three layers', model: { layers: 3, norm: 'layer', attention: { heads: 3, position: 'xl' } } },
  {
    name: 'relative positions, grouped heads with norm',
    model: { attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head', position: 'xl' } },
  },
  { name: 'relative positions, ternary', model: { bitnet: {}, attention: { heads: 2, position: 'xl' } } },
  {
    name: 'SwitchAll',
    model: {
      ...switchHead({}, { position: 'xl' }),
      norm: 'layer',
      tie_embeddings: false,
      ffn: { width: 10, activation: 'relu' },
      moe: { ...smoe, every: 1, router: { score: 'sigmoid', balance: 'entropy' } },
    },
    routed: [0, 1],
  },
];

describe('the model of plain loops', () => {
  it.each(cases)('$name', ({ model, routed = [] }) => {
    const experiment = tinyExperiment(model);
    const program = buildLanguageModel(experiment);
    const given = [...randomTokens(program, bindings, 11, 3), ...stateFeeds(program, bindings, 3)];
    const feeds = new Map([...randomParameters(program, 3, 0.6), ...given]);
    // The first window goes on from its cache, the second begins anew.
    const lanes = program.inputs.find(({ name }) => name === 'resets');
    if (lanes !== undefined) feeds.set(lanes.value, { shape: [2], data: Int32Array.of(0, 1) });
    const logits = program.nodes.find((node) => node.op === 'crossEntropy')?.inputs[0] ?? -1;
    const values = interpret(program, { bindings, feeds, wanted: [logits, program.outputs.negativeLogLikelihood] });

    const weights = new Map(
      program.parameters.map(({ name, value }) => {
        const tensor = feeds.get(value);
        if (tensor === undefined) throw new RangeError(`${name} was not fed.`);
        return [name, tensor];
      }),
    );
    const [tokens = [], targets = [], resets = []] = program.inputs.map(({ value }) => Array.from(feeds.get(value)?.data ?? []));
    const caches = program.buffers.map(({ value }) => Array.from(feeds.get(value)?.data ?? []));
    const plain = [0, 1].flatMap((window) => {
      const lane: PlainLane = {
        seen: resets[window] === 0,
        caches: caches.map((cache) =>
          Array.from({ length: 6 }, (_, time) => cache.slice((window * 6 + time) * 12, (window * 6 + time + 1) * 12)),
        ),
      };
      return plainWindow(experiment.model, weights, routed, tokens.slice(window * 6, (window + 1) * 6), lane).logits;
    });
    expect(plain.flat()).toHaveLength(2 * 6 * 11);
    plain.flat().forEach((expected, i) => expect(values.get(logits)?.data[i]).toBeCloseTo(expected, 9));

    const likelihood = targets.reduce((sum, target, row) => {
      if (target < 0) return sum;
      const exponentials = (plain[row] ?? []).map(Math.exp);
      return sum - Math.log((exponentials[target] ?? NaN) / exponentials.reduce((a, b) => a + b, 0));
    }, 0);
    expect(scalar(values, program.outputs.negativeLogLikelihood)).toBeCloseTo(likelihood, 8);
  });
});
