import { describe, expect, it } from 'vitest';
import type { BitnetConfig } from '../../src/config/schema';
import { bitnetSchema } from '../../src/config/bitnetSchema';
import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import { differentiate } from '../../src/graph/gradients';
import type { ParameterRole, Program, ProgramNode, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { bitWeight } from '../../src/models/bitLinear';
import { feedForward } from '../../src/models/feedForward';
import { initialisation as initialisationOf } from '../../src/models/initialisation';
import { buildLanguageModel } from '../../src/models/languageModel';
import { linear } from '../../src/models/linear';
import { tinyExperiment } from '../support/experiments';
import { denseGradients, interpret, normals, programOf, randomParameters, randomTokens } from '../support/programs';

const bindings = { batch: 2, time: 6 };
const multiHead = { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 6, shared_width: 4 };
const smoe = { kind: 'smoe', every: 1, experts: 4, top_k: 2, expert_width: 6 };

const models: readonly {
  readonly name: string;
  readonly model: Record<string, unknown>;
  readonly fullPrecision?: readonly ParameterRole[];
}[] = [
  { name: 'dense', model: { bitnet: {} } },
  { name: 'smoe', model: { moe: smoe, bitnet: {} } },
  {
    name: 'smoe, cosine router, untied',
    model: { moe: { ...smoe, router: { type: 'cosine' } }, tie_embeddings: false, bitnet: { weights: 'binary' } },
  },
  { name: 'smoe, expert choice', model: { moe: { ...smoe, router: { select: 'expert_choice', balance: 'none' } }, bitnet: {} } },
  { name: 'mh-moe', model: { moe: multiHead, bitnet: { norm: 'none' } }, fullPrecision: ['head', 'merge'] },
  { name: 'mh-moe, head and merge too', model: { moe: multiHead, bitnet: { weights: 'binary', quantize_head_merge: true } } },
];

/** A program's nodes by the value they give. */
function sources(program: Program): Map<ValueId, ProgramNode> {
  return new Map(program.nodes.flatMap((node) => node.outputs.map((output): [ValueId, ProgramNode] => [output, node])));
}

/** What a value is before it was only moved about: reshaped, or dealt to experts. */
function unmoved(
  nodes: ReadonlyMap<ValueId, ProgramNode>,
  value: ValueId,
): { readonly value: ValueId; readonly node: ProgramNode | undefined } {
  const node = nodes.get(value);
  const moves = ['reshape', 'transpose', 'permute', 'gatherRows'];
  return node !== undefined && moves.includes(node.op) ? unmoved(nodes, node.inputs[0] ?? -1) : { value, node };
}

describe.each(models)('$name', ({ model, fullPrecision = [] }) => {
  const experiment = tinyExperiment(model);
  const program = buildLanguageModel(experiment);
  const nodes = sources(program);
  const roles = new Map(program.parameters.map(({ value, role }) => [value, role]));
  const latentOf = (weight: ValueId): { readonly role: ParameterRole | undefined; readonly quantised: boolean } => {
    const { value, node } = unmoved(nodes, weight);
    if (node?.op === 'quantiseWeight') return { role: roles.get(node.inputs[0] ?? -1), quantised: true };
    return { role: roles.get(value), quantised: false };
  };

  it('quantises weight and input of attention, feed-forward and experts, and nothing else', () => {
    const unquantised = new Set<ParameterRole | undefined>(['embedding', 'output', 'router', ...fullPrecision]);
    const met = new Set<ParameterRole | undefined>();
    for (const node of program.nodes) {
      if (node.op !== 'matmul' && node.op !== 'expertMatmul') continue;
      // The product of a cosine router is of two vectors of unit length: neither is a parameter.
      if (/\.router$/.test(node.scope)) {
        for (const input of node.inputs) expect(unmoved(nodes, input).node?.op ?? 'parameter', node.scope).not.toMatch(/^quantise/);
        continue;
      }
      const { role, quantised } = latentOf(node.inputs[1] ?? -1);
      met.add(role);
      expect(quantised, node.scope).toBe(!unquantised.has(role));
      expect(unmoved(nodes, node.inputs[0] ?? -1).node?.op === 'quantiseActivation', node.scope).toBe(!unquantised.has(role));
    }
    const wanted = new Set(program.parameters.map(({ role }) => role).filter((role) => role !== 'router' && role !== 'norm'));
    if (experiment.model.tie_embeddings) expect(met).toEqual(wanted);
    else expect(new Set([...met, 'embedding'])).toEqual(wanted);
  });

  it('never quantises the same input or weight twice', () => {
    const quantisers = program.nodes.filter((node) => node.op === 'quantiseWeight' || node.op === 'quantiseActivation');
    expect(new Set(quantisers.map(({ inputs }) => inputs[0])).size).toBe(quantisers.length);
    for (const { inputs } of quantisers) expect(nodes.get(inputs[0] ?? -1)?.op ?? 'parameter').not.toMatch(/^quantise/);
  });

  it('has few distinct weights in every matrix', () => {
    const quantised = program.nodes.filter((node) => node.op === 'quantiseWeight').map(({ outputs }) => outputs[0] ?? -1);
    const feeds = new Map([...randomParameters(program, 5, 0.6), ...randomTokens(program, bindings, 11, 5)]);
    const values = interpret(program, { bindings, feeds, wanted: quantised });
    const levels = experiment.model.bitnet?.weights === 'binary' ? 2 : 3;
    expect(quantised.length).toBeGreaterThan(0);
    for (const id of quantised) {
      const { shape, data } = values.get(id) as NdArray;
      const size = (shape.at(-1) ?? 0) * (shape.at(-2) ?? 0);
      for (let start = 0; start < data.length; start += size) {
        const distinct = [...new Set(data.slice(start, start + size))].sort((a, b) => a - b);
        expect(distinct.length).toBeLessThanOrEqual(levels);
        expect(distinct.length).toBeGreaterThan(1);
        expect(distinct.at(-1)).toBe(-(distinct[0] ?? NaN));
      }
    }
  });
});

it('rounds an input once for all weights that share it', () => {
  const counted = (bitnet: Record<string, unknown>, op: ProgramNode['op']): number =>
    buildLanguageModel(tinyExperiment({ layers: 2, moe: multiHead, bitnet })).nodes.filter((node) => node.op === op).length;
  // Attention twice (q, k and v; o), the dense feed-forward (w1 and w3; w2), the experts and the shared expert the same.
  expect(counted({}, 'quantiseActivation')).toBe(2 * 2 + 2 + 2 + 2);
  expect(counted({ quantize_head_merge: true }, 'quantiseActivation')).toBe(2 * 2 + 2 + 2 + 2 + 2);
  expect(counted({ activation_bits: 'none' }, 'quantiseActivation')).toBe(0);
  expect(counted({ activation_bits: 'none' }, 'quantiseWeight')).toBe(2 * 4 + 3 + 3 + 3);
  // Two norms in each layer and one at the end besides.
  expect(counted({}, 'rmsNorm')).toBe(5 + 10);
  expect(counted({ norm: 'none' }, 'rmsNorm')).toBe(5);
});

const [rows, inputs, outputs] = [4, 6, 5] as const;

/** What gives y [rows, width] for an x [rows, inputs], by weights at random. */
function built(layer: (builder: ProgramBuilder, x: Tensor) => Tensor): (x: Float64Array) => Float64Array {
  const builder = new ProgramBuilder();
  const x = builder.input('x', [rows, inputs], 'float32');
  const y = layer(builder, x);
  const program = programOf(builder, builder.sum(y, [0, 1]));
  const parameters = randomParameters(program, 8, 0.6);
  return (data) => {
    const feeds = new Map<ValueId, NdArray>([...parameters, [x.id, { shape: [rows, inputs], data }]]);
    return interpret(program, { bindings: {}, feeds, wanted: [y.id] }).get(y.id)?.data as Float64Array;
  };
}

const initialisation = initialisationOf(tinyExperiment({ layers: 1 }).model);
const initialiser = initialisation.matrix(inputs);

function bitnet(options: Record<string, unknown>): BitnetConfig {
  return bitnetSchema.parse(options);
}

const layers = {
  linear: (config: BitnetConfig) =>
    built((builder, x) => linear(builder, 'w', x, { inputs, outputs, role: 'ffn', initialiser, bitnet: config })),
  'relu feed-forward': (config: BitnetConfig) =>
    built((builder, x) => feedForward(builder, x, { inputs, width: 7, activation: 'relu', role: 'ffn', initialisation, bitnet: config })),
} as const;

describe.each(Object.entries(layers))('a positive scale of each token, %s', (_, layer) => {
  const x = normals([rows, inputs], 4);
  const scales = [1, 3, 0.5, 40];
  const scaledInput = x.map((element, i) => element * (scales[Math.floor(i / inputs)] ?? NaN));

  it.each(['ternary', 'binary'])('goes through without norm, %s', (weights) => {
    const outputFor = layer(bitnet({ weights, norm: 'none' }));
    const [before, after] = [outputFor(x), outputFor(scaledInput)];
    const width = before.length / rows;
    expect(Math.max(...before.map(Math.abs))).toBeGreaterThan(0.1);
    after.forEach((element, i) => expect(element).toBeCloseTo((before[i] ?? NaN) * (scales[Math.floor(i / width)] ?? NaN), 9));
  });

  it.each(['ternary', 'binary'])('changes nothing behind the norm, %s', (weights) => {
    const outputFor = layer(bitnet({ weights }));
    const [before, after] = [outputFor(x), outputFor(scaledInput)];
    expect(Math.max(...before.map(Math.abs))).toBeGreaterThan(0.1);
    // The norm's epsilon of 1e-6 stands beside mean squares from 0.1 up.
    after.forEach((element, i) => expect(element).toBeCloseTo(before[i] ?? NaN, 4));
  });
});

describe('gradients go straight through', () => {
  it.each(['ternary', 'binary'] as const)('the sum of %s weights has a gradient of ones', (levels) => {
    const builder = new ProgramBuilder();
    const w = builder.parameter('w', [3, 4, 5], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'experts' });
    const program = programOf(builder, builder.sum(bitWeight(builder, w, bitnet({ weights: levels })), [0, 1, 2]));
    const differentiated = differentiate(program);
    const gradient = denseGradients(differentiated)[0] ?? -1;
    const run = interpret(differentiated.program, { bindings: {}, feeds: randomParameters(program, 2), wanted: [gradient] });
    expect(Array.from(run.get(gradient)?.data ?? [])).toEqual(new Array(60).fill(1));
  });

  it.each(['ternary', 'binary'] as const)('the latent weights of a %s linear get x^T g, with x as it was rounded', (weights) => {
    const builder = new ProgramBuilder();
    const x = builder.input('x', [rows, inputs], 'float32');
    const g = builder.input('g', [rows, outputs], 'float32');
    const y = linear(builder, 'w', x, { inputs, outputs, role: 'ffn', initialiser, bitnet: bitnet({ weights, norm: 'none' }) });
    const program = programOf(builder, builder.sum(builder.multiply(y, g), [0, 1]));
    const rounded = program.nodes.find((node) => node.op === 'quantiseActivation')?.outputs[0] ?? -1;
    const differentiated = differentiate(program);
    const gradient = denseGradients(differentiated)[0] ?? -1;
    const [xData, gData] = [normals([rows, inputs], 6), normals([rows, outputs], 7)];
    const feeds = new Map<ValueId, NdArray>([
      ...randomParameters(program, 2),
      [x.id, { shape: [rows, inputs], data: xData }],
      [g.id, { shape: [rows, outputs], data: gData }],
    ]);
    const run = interpret(differentiated.program, { bindings: {}, feeds, wanted: [gradient, rounded] });
    const seen = run.get(rounded)?.data ?? [];
    expect(Math.max(...xData.map((element, i) => Math.abs(element - (seen[i] ?? NaN))))).toBeGreaterThan(1e-4);
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        let expected = 0;
        for (let row = 0; row < rows; row++) expected += (seen[row * inputs + i] ?? NaN) * (gData[row * outputs + o] ?? NaN);
        expect(run.get(gradient)?.data[i * outputs + o]).toBeCloseTo(expected, 12);
      }
    }
  });
});
