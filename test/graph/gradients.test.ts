import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import { product } from '../../src/graph/dimensions';
import type { Primitive } from '../../src/graph/primitives';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import { gradientErrors } from '../support/gradientCheck';
import { gradientArrays, interpret, normals, programOf, randomParameters, uniformIntegers } from '../support/programs';

const options = { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'ffn' } as const;

interface Case {
  readonly name: string;
  build(builder: ProgramBuilder, make: Maker): Tensor;
}

interface Maker {
  parameter(name: string, shape: readonly number[], gradient?: 'dense' | 'rows'): Tensor;
  integers(name: string, shape: readonly number[], limit: number): Tensor;
}

/** Positive everywhere, so that log, sqrt and divide are smooth. */
function positive(builder: ProgramBuilder, x: Tensor): Tensor {
  return builder.add(builder.multiply(x, x), builder.constant(0.5));
}

const cases: readonly Case[] = [
  { name: 'add, broadcast', build: (b, m) => b.add(m.parameter('a', [2, 3, 4]), m.parameter('b', [3, 1])) },
  { name: 'subtract, broadcast', build: (b, m) => b.subtract(m.parameter('a', [4]), m.parameter('b', [2, 3, 4])) },
  { name: 'multiply, broadcast', build: (b, m) => b.multiply(m.parameter('a', [2, 1, 4]), m.parameter('b', [3, 4])) },
  { name: 'divide', build: (b, m) => b.divide(m.parameter('a', [2, 3]), positive(b, m.parameter('b', [3]))) },
  { name: 'negate', build: (b, m) => b.negate(m.parameter('a', [5])) },
  { name: 'exp', build: (b, m) => b.exp(m.parameter('a', [5])) },
  { name: 'log', build: (b, m) => b.log(positive(b, m.parameter('a', [5]))) },
  { name: 'sqrt', build: (b, m) => b.sqrt(positive(b, m.parameter('a', [5]))) },
  { name: 'sigmoid', build: (b, m) => b.sigmoid(m.parameter('a', [5])) },
  { name: 'tanh', build: (b, m) => b.tanh(m.parameter('a', [5])) },
  { name: 'silu', build: (b, m) => b.activation('silu', m.parameter('a', [7])) },
  { name: 'relu', build: (b, m) => b.activation('relu', m.parameter('a', [7])) },
  { name: 'gelu', build: (b, m) => b.activation('gelu', m.parameter('a', [7])) },
  { name: 'reshape', build: (b, m) => b.reshape(m.parameter('a', [2, 6]), [3, 4]) },
  { name: 'transpose', build: (b, m) => b.transpose(m.parameter('a', [2, 3, 4]), [2, 0, 1]) },
  { name: 'expand', build: (b, m) => b.expand(m.parameter('a', [3, 1]), [2, 3, 4]) },
  { name: 'slice', build: (b, m) => b.slice(m.parameter('a', [3, 5]), 1, 1, 4) },
  { name: 'pad', build: (b, m) => b.pad(m.parameter('a', [3, 2]), 1, 2, 1) },
  { name: 'concat', build: (b, m) => b.concat([m.parameter('a', [3, 2]), m.parameter('b', [3, 4])], 1) },
  { name: 'sum', build: (b, m) => b.sum(m.parameter('a', [2, 3, 4]), [0, 2]) },
  { name: 'sum, kept', build: (b, m) => b.sum(m.parameter('a', [2, 3, 4]), [1], true) },
  ...[false, true].flatMap((transposeA) =>
    [false, true].map((transposeB): Case => ({
      name: `matmul, transposeA ${transposeA}, transposeB ${transposeB}`,

      build: (b, m) =>
        b.matmul(m.parameter('a', transposeA ? [2, 4, 3] : [2, 3, 4]), m.parameter('b', transposeB ? [2, 5, 4] : [2, 4, 5]), {
          transposeA,
          transposeB,
        }),
    })),
  ),
  { name: 'softmax', build: (b, m) => b.softmax(m.parameter('a', [3, 5])) },
  { name: 'logSumExp', build: (b, m) => b.logSumExp(m.parameter('a', [2, 3, 5])) },
  { name: 'rmsNorm', build: (b, m) => b.rmsNorm(m.parameter('a', [3, 5]), m.parameter('gain', [5]), 1e-6) },
  { name: 'rotary', build: (b, m) => b.rotary(m.parameter('a', [2, 5, 6]), 100) },
  {
    name: 'attention, causal',
    build: (b, m) => b.attention(m.parameter('q', [2, 2, 5, 4]), m.parameter('k', [2, 2, 5, 4]), m.parameter('v', [2, 2, 5, 4]), true, 0.5),
  },
  {
    name: 'attention, bidirectional',
    build: (b, m) =>
      b.attention(m.parameter('q', [1, 2, 4, 3]), m.parameter('k', [1, 2, 4, 3]), m.parameter('v', [1, 2, 4, 3]), false, 0.7),
  },
  {
    name: 'relativeAttention, one window with its cache and one without',
    build: (b, m) => {
      const part = (name: string): Tensor => m.parameter(name, [2, 2, 4, 3]);
      const operands = { q: part('q'), k: part('k'), v: part('v'), memoryKeys: part('memoryKeys'), memoryValues: part('memoryValues') };
      const seen = b.concat([b.constant(1, [1]), b.constant(0, [1])], 0);
      return b.relativeAttention({ ...operands, positions: m.parameter('positions', [2, 8, 3]), seen }, 0.6);
    },
  },
  {
    name: 'relativeAttention by sinusoids through a projection',
    build: (b, m) => {
      const part = (name: string): Tensor => m.parameter(name, [1, 2, 3, 4]);
      const operands = { q: part('q'), k: part('k'), v: part('v'), memoryKeys: part('memoryKeys'), memoryValues: part('memoryValues') };
      const projected = b.matmul(b.sinusoid(6, 6), m.parameter('position', [6, 8]));
      const positions = b.transpose(b.reshape(projected, [6, 2, 4]), [1, 0, 2]);
      return b.relativeAttention({ ...operands, positions, seen: b.constant(1, [1]) }, 0.5);
    },
  },
  {
    name: 'gatherRows, with repeated rows',
    build: (b, m) => b.gatherRows(m.parameter('table', [4, 3]), m.integers('indices', [2, 5], 4)),
  },
  {
    name: 'scatterRows',
    build: (b, m) => b.scatterRows(m.integers('indices', [6], 4), m.parameter('values', [6, 3]), 4),
  },
  {
    name: 'crossEntropy, with an ignored target',
    build: (b, m) => b.crossEntropy(m.parameter('logits', [6, 5]), m.integers('targets', [6], 5)),
  },
  {
    name: 'takeAlongLast of topK',
    build: (b, m) => {
      const x = m.parameter('x', [6, 5]);
      return b.takeAlongLast(x, b.topK(x, 2));
    },
  },
  {
    name: 'takeAlongLast of topK of every section',
    build: (b, m) => {
      const x = m.parameter('x', [5, 6]);
      return b.takeAlongLast(x, b.topK(x, 2, 2));
    },
  },
  ...(['dense', 'rows'] as const).map((gradient): Case => ({
    name: `product keys, rowDot and rowSum of tables with a ${gradient} gradient, rows coming up more than once`,
    build: (b, m) => {
      const [a, c, x] = [m.parameter('a', [7, 3]), m.parameter('b', [7, 3]), m.parameter('x', [7, 4])];
      const [down, up] = [m.parameter('down', [9, 4], gradient), m.parameter('up', [9, 4], gradient)];
      const { indices, first, second } = b.productKeys(a, c, 3);
      const weights = b.softmax(b.add(b.takeAlongLast(a, first), b.takeAlongLast(c, second)));
      const hidden = b.activation('gelu', b.rowDot(down, indices, x));
      const retrieved = b.rowSum(up, indices, b.multiply(weights, hidden));
      // Each table is read once more, the other way: its gradient is that of both.
      return b.rowSum(down, indices, b.rowDot(up, indices, retrieved));
    },
  })),
  {
    name: 'rowOuter',
    build: (b, m) => {
      const indices = m.integers('indices', [5, 3], 4);
      return b.rowOuter(indices, m.parameter('coefficients', [5, 3]), m.parameter('vectors', [5, 2]), 4);
    },
  },
  {
    name: 'a limited number of choices by importance, those beyond it nowhere',
    build: (b, m) => {
      const [q, k] = [m.parameter('q', [2, 2, 4, 3]), m.parameter('k', [2, 2, 4, 3])];
      const r = b.attentionImportance(q, k, { statistic: 'received', causal: false, scale: 1.5 });
      const taken = b.allocateChoices(r, { mean: 1.5, least: 1, most: 3, budget: true });
      const scores = b.softmax(m.parameter('scores', [8, 4]));
      const chosen = b.topK(scores, 3);
      const { indices, kept } = b.firstChoices(chosen, taken, 4);
      const routing = b.route(indices, 4, 0.5);
      const rows = b.permute(m.parameter('x', [8, 3]), routing);
      const outputs = b.expertMatmul(rows, m.parameter('weight', [4, 3, 5]), routing);
      return b.combine(outputs, b.multiply(b.takeAlongLast(scores, chosen), kept), routing);
    },
  },
  {
    name: 'choices until their probabilities reach a threshold',
    build: (b, m) => {
      const probabilities = b.softmax(m.parameter('scores', [6, 4]));
      const chosen = b.topK(probabilities, 4);
      const sorted = b.takeAlongLast(probabilities, chosen);
      const { kept } = b.firstChoices(chosen, b.countUntil(sorted, 0.7), 4);
      return b.multiply(sorted, kept);
    },
  },
  {
    name: 'scatterAlongLast',
    build: (b, m) => b.scatterAlongLast(b.topK(m.parameter('x', [6, 5]), 2), m.parameter('values', [6, 2]), 5),
  },
  {
    name: 'permute and unpermute',
    build: (b, m) => {
      const routing = b.route(b.topK(m.parameter('scores', [6, 4]), 2), 4);
      return b.unpermute(b.tanh(b.permute(m.parameter('x', [6, 3]), routing)), routing);
    },
  },
  {
    name: 'expert choice: gather, matmul, scatter, weights by expert',
    build: (b, m) => {
      const scores = m.parameter('scores', [7, 4]);
      const chosen = b.expertChoice(scores, 2);
      const rows = b.matmul(b.gatherRows(m.parameter('x', [7, 3]), chosen), m.parameter('weight', [4, 3, 5]));
      const weights = b.takeAlongLast(b.transpose(b.softmax(scores), [1, 0]), chosen);
      const weighted = b.multiply(rows, b.reshape(weights, [...weights.shape, 1]));
      const flat = product(chosen.shape);
      return b.scatterRows(b.reshape(chosen, [flat]), b.reshape(weighted, [flat, 5]), 7);
    },
  },
  ...(['ternary', 'binary'] as const).map((levels): Case => ({
    name: `quantiseWeight ${levels}, against its surrogate`,
    build: (b, m) => b.tanh(b.matmul(m.parameter('x', [2, 3, 4]), b.quantiseWeight(m.parameter('w', [2, 4, 5]), levels))),
  })),
  {
    name: 'quantiseActivation of what was quantised, against its surrogate',
    build: (b, m) => {
      const hidden = b.matmul(b.quantiseActivation(m.parameter('x', [3, 4])), m.parameter('w', [4, 5]));
      return b.quantiseActivation(b.tanh(hidden));
    },
  },
  ...[false, true].map((transposed): Case => ({
    name: `route, permute, expertMatmul (transposed ${transposed}), combine`,
    build: (b, m) => {
      const scores = m.parameter('scores', [7, 4]);
      const chosen = b.topK(scores, 2);
      const routing = b.route(chosen, 4);
      const rows = b.permute(m.parameter('x', [7, 3]), routing);
      const outputs = b.expertMatmul(rows, m.parameter('weight', transposed ? [4, 5, 3] : [4, 3, 5]), routing, transposed);
      return b.combine(outputs, b.takeAlongLast(b.softmax(scores), chosen), routing);
    },
  })),
];

/** loss = sum(output * random), so that every output element has its own gradient. */
function caseProgram(testCase: Case): { program: Program; feeds: Map<ValueId, NdArray> } {
  const builder = new ProgramBuilder();
  const feeds = new Map<ValueId, NdArray>();
  const output = testCase.build(builder, {
    parameter: (name, shape, gradient = 'dense') => builder.parameter(name, shape, { ...options, gradient }),
    integers: (name, shape, limit) => {
      const tensor = builder.input(name, shape, 'int32');
      const count = shape.reduce((a, b) => a * b, 1);
      const data = uniformIntegers(count, limit, 3);
      if (name === 'targets') data[2] = -1;
      feeds.set(tensor.id, { shape, data });
      return tensor;
    },
  });
  const weights = builder.input('weights', output.shape, 'float32');
  const bound = output.shape.map(Number);
  feeds.set(weights.id, { shape: bound, data: normals(bound, 7) });
  const loss = builder.sum(
    builder.multiply(output, weights),
    output.shape.map((_, axis) => axis),
  );
  const program = programOf(builder, loss);
  for (const [id, value] of randomParameters(program, 5, 1)) feeds.set(id, value);
  return { program, feeds };
}

/** Total over primitives, so that a new one does not compile until somebody says how its gradient is checked. */
const treatment: Record<Primitive, 'checked' | 'passes none' | 'backward only'> = {
  constant: 'passes none',
  add: 'checked',
  subtract: 'checked',
  multiply: 'checked',
  divide: 'checked',
  negate: 'checked',
  exp: 'checked',
  log: 'checked',
  sqrt: 'checked',
  sigmoid: 'checked',
  tanh: 'checked',
  activation: 'checked',
  activationGradient: 'backward only',
  greaterEqual: 'passes none',
  trainingMode: 'passes none',
  sign: 'passes none',
  stopGradient: 'passes none',
  reshape: 'checked',
  transpose: 'checked',
  expand: 'checked',
  slice: 'checked',
  pad: 'checked',
  concat: 'checked',
  sum: 'checked',
  matmul: 'checked',
  softmax: 'checked',
  softmaxGradient: 'backward only',
  logSumExp: 'checked',
  rmsNorm: 'checked',
  rmsNormGradient: 'backward only',
  rotary: 'checked',
  attention: 'checked',
  attentionGradient: 'backward only',
  sinusoid: 'passes none',
  relativeAttention: 'checked',
  relativeAttentionGradient: 'backward only',
  attentionImportance: 'passes none',
  gatherRows: 'checked',
  scatterRows: 'checked',
  crossEntropy: 'checked',
  crossEntropyGradient: 'backward only',
  topK: 'passes none',
  productKeys: 'passes none',
  rowDot: 'checked',
  rowSum: 'checked',
  rowOuter: 'checked',
  allocateChoices: 'passes none',
  countUntil: 'passes none',
  firstChoices: 'passes none',
  takeAlongLast: 'checked',
  scatterAlongLast: 'checked',
  countChoices: 'passes none',
  withinCapacity: 'passes none',
  expertChoice: 'passes none',
  route: 'passes none',
  permute: 'checked',
  unpermute: 'checked',
  expertMatmul: 'checked',
  expertMatmulGradient: 'backward only',
  combine: 'checked',
  combineGradient: 'backward only',
  // Against x + (q(x0) - x0), whose gradient is what straight-through means: see gradientCheck.ts.
  quantiseWeight: 'checked',
  quantiseActivation: 'checked',
};

describe('gradient of every primitive against central finite differences, float64', () => {
  it.each(cases)('$name', (testCase) => {
    const { program, feeds } = caseProgram(testCase);
    for (const { parameter, error } of gradientErrors(program, {}, feeds)) {
      expect(error, parameter).toBeLessThan(1e-6);
    }
  });

  it('has a case whose program holds each primitive that passes a gradient', () => {
    const present = new Set(cases.flatMap((testCase) => caseProgram(testCase).program.nodes.map((node) => node.op)));
    const checked = Object.entries(treatment).flatMap(([op, how]) => (how === 'checked' ? [op] : []));
    expect(checked.filter((op) => !present.has(op as Primitive))).toEqual([]);
  });

  it('stopGradient passes nothing back', () => {
    const builder = new ProgramBuilder();
    const x = builder.parameter('x', [3], options);
    const program = programOf(builder, builder.sum(builder.multiply(x, builder.stopGradient(x)), [0]));
    const differentiated = differentiate(program);
    const feeds = new Map([[x.id, { shape: [3], data: Float64Array.of(1, 2, 3) }]]);
    const values = interpret(differentiated.program, { bindings: {}, feeds, wanted: differentiated.gradients.flatMap(valuesOfGradient) });
    expect([...(gradientArrays(differentiated, values)[0]?.data ?? [])]).toEqual([1, 2, 3]);
  });
});
