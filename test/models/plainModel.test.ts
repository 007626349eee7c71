import { describe, expect, it } from 'vitest';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { plainLogits } from '../support/plainModel';
import { interpret, randomParameters, randomTokens, scalar } from '../support/programs';

const bindings = { batch: 2, time: 6 };
const smoe = { kind: 'smoe', experts: 5, top_k: 2, expert_width: 6 };
const multiHead = { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 6 };

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
];

describe('the model of plain loops', () => {
  it.each(cases)('$name', ({ model, routed = [] }) => {
    const experiment = tinyExperiment(model);
    const program = buildLanguageModel(experiment);
    const feeds = new Map([...randomParameters(program, 3, 0.6), ...randomTokens(program, bindings, 11, 3)]);
    const logits = program.nodes.find((node) => node.op === 'crossEntropy')?.inputs[0] ?? -1;
    const values = interpret(program, { bindings, feeds, wanted: [logits, program.outputs.negativeLogLikelihood] });

    const weights = new Map(
      program.parameters.map(({ name, value }) => {
        const tensor = feeds.get(value);
        if (tensor === undefined) throw new RangeError(`${name} was not fed.`);
        return [name, tensor];
      }),
    );
    const [tokens = [], targets = []] = program.inputs.map(({ value }) => Array.from(feeds.get(value)?.data ?? []));
    const plain = [tokens.slice(0, 6), tokens.slice(6)].flatMap((window) => plainLogits(experiment.model, weights, routed, window));
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
