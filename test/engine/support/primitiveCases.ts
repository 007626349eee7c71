import type { Tensor } from '../../../src/graph/builder';
import { ProgramBuilder } from '../../../src/graph/builder';
import type { Bindings } from '../../../src/graph/dimensions';
import { bindShape, product } from '../../../src/graph/dimensions';
import { differentiate } from '../../../src/graph/gradients';
import type { Gradient, Program, ValueId } from '../../../src/graph/program';
import { interpret, normals, programOf, uniformIntegers } from '../../support/programs';
import type { NdArray } from '../../../src/graph/reference/array';
import { allocationCases } from './allocationCases';
import type { ValuesTask } from './deviceTasks';
import { rankingCases, tiedScores } from './rankingCases';
import { relativeAttentionCases } from './relativeAttentionCases';
import { rowTableCases } from './rowTableCases';

/** A small program around one primitive: float operands are parameters, so that its gradients are checked as well. */
export interface PrimitiveCase {
  readonly name: string;
  /** Training where absent. */
  readonly mode?: 'training' | 'evaluation';
  /** The largest tensor that a lowering may make in one piece; large where absent. */
  readonly mostElements?: number;
  build(graph: CaseGraph): Tensor | readonly Tensor[];
}

/** Makes the operands of a case. */
export interface CaseGraph {
  readonly builder: ProgramBuilder;
  /** Normal numbers. */
  float(...shape: number[]): Tensor;
  /** Numbers in (0.5, 2.5): for divisors, logarithms and roots. */
  positive(...shape: number[]): Tensor;
  /** Given numbers. */
  given(shape: readonly number[], values: readonly number[]): Tensor;
  /** Normal numbers, of which a step reads few rows: the gradient is a list of them. */
  table(rows: number, width: number): Tensor;
  /** Given integers, or uniform ones below `values`. */
  int(shape: readonly number[], values: number | readonly number[]): Tensor;
}

export interface BuiltCase {
  readonly program: Program;
  readonly task: ValuesTask;
  readonly feeds: ReadonlyMap<ValueId, NdArray>;
}

/** The case's program with a loss that weights every output element differently, its gradients, and float32 feeds. */
export function buildCase({ build, mode = 'training', mostElements }: PrimitiveCase, bindings: Bindings = {}): BuiltCase {
  const builder = new ProgramBuilder();
  const feeds = new Map<ValueId, NdArray>();
  const parameter = (shape: readonly number[], data: Float64Array, gradient: 'dense' | 'rows' = 'dense'): Tensor => {
    const initialiser = { kind: 'constant', value: 0 } as const;
    const made = builder.parameter(`p${builder.parameters.length}`, shape, { initialiser, role: 'ffn', gradient });
    // Rounded to float32 first, so that both sides compute with the same numbers.
    feeds.set(made.id, { shape, data: Float64Array.from(Float32Array.from(data)) });
    return made;
  };
  const seed = () => builder.parameters.length + 1;
  const built = build({
    builder,
    float: (...shape) => parameter(shape, normals(shape, seed())),
    positive: (...shape) =>
      parameter(
        shape,
        normals(shape, seed()).map((x) => 0.5 + 2 / (1 + Math.exp(-x))),
      ),
    given: (shape, values) => parameter(shape, Float64Array.from(values)),
    table: (rows, width) => parameter([rows, width], normals([rows, width], seed()), 'rows'),
    int: (shape, values) => {
      const made = builder.input(`i${builder.inputs.length}`, shape, 'int32');
      const count = shape.reduce((product, size) => product * size, 1);
      const data = typeof values === 'number' ? uniformIntegers(count, values, builder.inputs.length) : Int32Array.from(values);
      feeds.set(made.id, { shape, data });
      return made;
    },
  });
  const outputs = 'id' in built ? [built] : built;
  const losses = outputs
    .filter(({ dtype }) => dtype === 'float32')
    .map((output) => {
      const weights = builder.input(`w${builder.inputs.length}`, output.shape, 'float32');
      const shape = bindShape(output.shape, bindings);
      feeds.set(weights.id, { shape, data: Float64Array.from(Float32Array.from(normals(shape, 99))) });
      return builder.sum(
        builder.multiply(output, weights),
        output.shape.map((_, axis) => axis),
      );
    });
  const loss = losses.reduce((sum, next) => builder.add(sum, next), builder.constant(0));
  const { program, gradients } = differentiate(programOf(builder, loss));
  const wanted = [...outputs.map(({ id }) => id), ...gradients.flatMap(gradientValues)];
  return {
    program,
    feeds,
    task: {
      kind: 'values',
      program,
      bindings,
      mode,
      wanted,
      ...(mostElements === undefined ? {} : { mostElements }),
      feeds: [...feeds].map(([id, { data }]) => [id, data instanceof Int32Array ? data : Float32Array.from(data)] as const),
    },
  };
}

/** What of a gradient leaves the graph: the whole, or the parts of a row-sparse one. */
function gradientValues(gradient: Gradient): readonly ValueId[] {
  if (gradient.kind === 'dense') return [gradient.value];
  return gradient.parts.flatMap(({ indices, coefficients, vectors }) => [indices, coefficients, vectors]);
}

export function reference({ program, feeds, task }: BuiltCase): NdArray[] {
  const values = interpret(program, { bindings: task.bindings, mode: task.mode, feeds, wanted: task.wanted });
  return task.wanted.map((id) => {
    const value = values.get(id);
    if (value === undefined) throw new RangeError(`Value ${id} was not computed.`);
    return value;
  });
}

type Unary = 'negate' | 'exp' | 'sigmoid' | 'tanh';
const unary = (op: Unary): PrimitiveCase => ({ name: op, build: ({ builder, float }) => builder[op](float(3, 5)) });

/** One routed layer as mixtureOfExperts builds it, on given choices; every output has a shape that both layouts share. */
export function routedCase(name: string, units: number, experts: number, chosen: number | readonly (readonly number[])[]): PrimitiveCase {
  const k = typeof chosen === 'number' ? chosen : (chosen[0]?.length ?? 0);
  return {
    name,

    build: ({ builder, float, int }) => {
      const x = float(units, 6);
      const scores = float(units, experts);
      const indices = typeof chosen === 'number' ? builder.topK(scores, k) : int([units, k], chosen.flat());
      const routing = builder.route(indices, experts);
      const weights = builder.takeAlongLast(builder.softmax(scores), indices);
      const rows = builder.permute(x, routing);
      const hidden = builder.multiply(
        builder.activation('silu', builder.expertMatmul(rows, float(experts, 6, 5), routing)),
        builder.expertMatmul(rows, float(experts, 6, 5), routing),
      );
      const mixed = builder.combine(builder.expertMatmul(hidden, float(experts, 6, 5), routing, true), weights, routing);
      return [mixed, routing.counts, builder.countChoices(indices, experts, 1), builder.countChoices(indices, experts, k)];
    },
  };
}

/** Units of a symbolic number, routed by expert choice as models do it, with their gradients; `quantised` as in a BitLinear. */
function expertChoiceCase(name: string, quantised: boolean): PrimitiveCase {
  return {
    name,
    build: ({ builder, float, int }) => {
      const experts = 4;
      const symbolic = (rows: Tensor) => builder.scatterRows(int([6], [4, 1, 0, 5, 2, 3]), rows, 'batch*time');
      const [scores, x] = [symbolic(float(6, experts)), symbolic(float(6, 3))];
      const chosen = builder.expertChoice(scores, 2);
      const weights = builder.takeAlongLast(builder.transpose(builder.softmax(scores), [1, 0]), chosen);
      const weight = float(experts, 3, 5);
      const rows = builder.matmul(builder.gatherRows(x, chosen), quantised ? builder.quantiseWeight(weight, 'ternary') : weight);
      const weighted = builder.multiply(rows, builder.reshape(weights, [...weights.shape, 1]));
      const flat = product(chosen.shape);
      return [chosen, builder.scatterRows(builder.reshape(chosen, [flat]), builder.reshape(weighted, [flat, 5]), 'batch*time')];
    },
  };
}

export const primitiveCases: readonly PrimitiveCase[] = [
  {
    name: 'constant, symbolic divisor',

    build: ({ builder, float }) => builder.add(float(2, 3), builder.constant(3, [2, 3], [4, 'batch'])),
  },
  { name: 'add, broadcast', build: ({ builder, float }) => builder.add(float(4, 1, 3), float(2, 3)) },
  { name: 'subtract, broadcast', build: ({ builder, float }) => builder.subtract(float(3), float(2, 3)) },
  { name: 'multiply, scalar', build: ({ builder, float }) => builder.multiply(float(4, 3), float()) },
  { name: 'divide', build: ({ builder, float, positive }) => builder.divide(float(4, 3), positive(4, 1)) },
  ...(['negate', 'exp', 'sigmoid', 'tanh'] as const).map(unary),
  {
    // By their logarithms, which show a relative error; a router orders experts by scores as small as these.
    name: 'sigmoid far from 0',
    build: ({ builder, given }) => builder.log(builder.sigmoid(given([8], [-10, -12, -14, -16, -17, -18, -24, -30]))),
  },
  { name: 'log', build: ({ builder, positive }) => builder.log(positive(7)) },
  { name: 'sqrt', build: ({ builder, positive }) => builder.sqrt(positive(2, 3, 2)) },
  ...(['silu', 'relu', 'gelu'] as const).map((kind): PrimitiveCase => ({
    name: `activation ${kind}`,

    build: ({ builder, float }) => builder.activation(kind, float(4, 9)),
  })),
  { name: 'greaterEqual', build: ({ builder, int }) => builder.greaterEqual(int([6], [-3, 0, 1, 2, 3, 9]), 2) },
  ...(['training', 'evaluation'] as const).map((mode): PrimitiveCase => ({
    name: `trainingMode in ${mode}`,
    mode,
    build: ({ builder, float }) => builder.multiply(float(3), builder.trainingMode()),
  })),
  {
    name: 'sign',
    build: ({ builder, given, float }) => [builder.sign(given([2, 3], [-2, 0, 3, 1e-30, -1e-30, -0])), builder.sign(float(5))],
  },
  {
    name: 'stopGradient',

    build: ({ builder, float }) => {
      const x = float(3);
      return builder.multiply(builder.stopGradient(x), x);
    },
  },
  {
    name: 'reshape and transpose',

    build: ({ builder, float }) => builder.transpose(builder.reshape(float(4, 6), [2, 2, 3, 2]), [0, 2, 1, 3]),
  },
  { name: 'transpose, cycle', build: ({ builder, float }) => builder.transpose(float(2, 3, 4), [1, 2, 0]) },
  { name: 'expand', build: ({ builder, float }) => builder.expand(float(3, 1), [2, 3, 4]) },
  { name: 'slice', build: ({ builder, float }) => builder.slice(float(3, 7), 1, 2, 5) },
  { name: 'pad', build: ({ builder, float }) => builder.pad(float(3, 2, 2), 1, 1, 3) },
  {
    name: 'concat',

    build: ({ builder, float }) => builder.concat([float(2, 3), float(2, 1), float(2, 2)], 1),
  },
  { name: 'sum', build: ({ builder, float }) => builder.sum(float(3, 4, 2), [0, 2]) },
  { name: 'sum, kept', build: ({ builder, float }) => builder.sum(float(3, 4), [1], true) },
  ...[false, true].flatMap((transposeA) =>
    [false, true].map((transposeB): PrimitiveCase => ({
      name: `matmul ${transposeA ? 'A^T' : 'A'} ${transposeB ? 'B^T' : 'B'}`,

      build: ({ builder, float }) => [
        builder.matmul(transposeA ? float(5, 3) : float(3, 5), transposeB ? float(4, 5) : float(5, 4), { transposeA, transposeB }),
        builder.matmul(transposeA ? float(2, 5, 3) : float(2, 3, 5), transposeB ? float(2, 4, 5) : float(2, 5, 4), {
          transposeA,
          transposeB,
        }),
      ],
    })),
  ),
  { name: 'softmax', build: ({ builder, float }) => builder.softmax(float(4, 7)) },
  {
    name: 'logSumExp',
    build: ({ builder, float, given }) => [
      builder.logSumExp(float(4, 7)),
      builder.logSumExp(builder.reshape(float(6), [2, 1, 3])),
      builder.logSumExp(given([2, 3], [500, 499, 501, -500, -500, -490])),
      builder.logSumExp(float(5)),
    ],
  },
  {
    name: 'rmsNorm',

    build: ({ builder, float, positive }) => builder.rmsNorm(float(5, 8), positive(8), 1e-6),
  },
  {
    name: 'rotary',

    build: ({ builder, float }) => [builder.rotary(float(2, 3, 5, 8), 10000), builder.rotary(float(4, 6), 100, true)],
  },
  {
    name: 'attention, causal',

    build: ({ builder, float }) => builder.attention(float(2, 3, 5, 4), float(2, 3, 5, 4), float(2, 3, 5, 4), true, 0.5),
  },
  {
    name: 'attention over a long context',
    build: ({ builder, float }) => builder.attention(float(1, 2, 200, 3), float(1, 2, 200, 3), float(1, 2, 200, 3), true, 0.5),
  },
  {
    name: 'attention, full',

    build: ({ builder, float }) => builder.attention(float(1, 2, 6, 3), float(1, 2, 6, 3), float(1, 2, 6, 3), false, 0.7),
  },
  ...relativeAttentionCases,
  {
    name: 'gatherRows',

    build: ({ builder, float, int }) => builder.gatherRows(float(5, 3), int([7], [4, 0, 4, 4, 1, 0, 2])),
  },
  {
    name: 'gatherRows from a table of many rows',

    build: ({ builder, float, int }) => builder.gatherRows(float(1500, 3), int([2, 4], [1499, 0, 7, 7, 1499, 7, 3, 7])),
  },
  {
    name: 'scatterRows',
    build: ({ builder, float, int }) => builder.scatterRows(int([6], [3, 3, 0, 1, 3, 1]), float(6, 2), 5),
  },
  {
    name: 'scatterRows in pieces',
    mostElements: 18,
    build: ({ builder, float, int }) => builder.scatterRows(int([6], [6, 3, 0, 1, 3, 6]), float(6, 2), 7),
  },
  {
    name: 'crossEntropy with ignored targets',

    build: ({ builder, float, int }) => builder.crossEntropy(float(6, 9), int([6], [0, 8, -1, 3, 3, -100])),
  },
  ...rankingCases,
  {
    name: 'takeAlongLast',

    build: ({ builder, float, int }) => builder.takeAlongLast(float(3, 5), int([3, 2], [4, 0, 1, 2, 3, 0])),
  },
  {
    name: 'scatterAlongLast',

    build: ({ builder, float, int }) => [
      builder.scatterAlongLast(int([3, 2], [4, 0, 1, 2, 3, 0]), float(3, 2), 6),
      // A column that comes up more than once in a row.
      builder.scatterAlongLast(int([2, 4], [4, 0, 4, 4, 1, 2, 2, 1]), float(2, 4), 5),
      builder.scatterAlongLast(builder.topK(float(4, 5), 2), float(4, 2), 5),
    ],
  },
  ...(['unit', 'choice'] as const).flatMap((order) => [
    {
      name: `withinCapacity by ${order}, top-2 and top-1`,
      build: ({ builder, float }: CaseGraph) =>
        [2, 1].map((k) => builder.withinCapacity(builder.topK(float(40, 5), k), 5, k === 2 ? 1 : 0.6, order)),
    },
    {
      name: `withinCapacity by ${order}, crowded, empty and spacious experts`,
      build: ({ builder, int }: CaseGraph) => [
        builder.withinCapacity(int([4, 2], [0, 1, 0, 2, 0, 1, 1, 0]), 3, 0.75, order),
        builder.withinCapacity(int([70, 1], new Array<number>(70).fill(3)), 5, 1.25, order),
        builder.withinCapacity(int([9, 2], [0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0]), 3, 3, order),
      ],
    },
  ]),
  {
    name: 'expertChoice, one, some and all units, ties to the lower unit',
    build: (graph) => {
      const { builder, float } = graph;
      return [
        builder.expertChoice(float(40, 5), 2),
        builder.inScope('one', () => builder.expertChoice(float(2, 5), 1)),
        builder.inScope('all', () => builder.expertChoice(float(9, 3), 3)),
        builder.inScope('ties', () => builder.expertChoice(tiedScores(graph, 50, 4), 2)),
      ];
    },
  },
  {
    name: 'expertChoice among more units than a workgroup sorts',
    build: (graph) => graph.builder.expertChoice(tiedScores(graph, 2100, 2), 1),
  },
  expertChoiceCase('expert choice: gather, matmul and scatter of a symbolic number of units', false),
  expertChoiceCase('expert choice with ternary weights', true),
  ...(['ternary', 'binary'] as const).map((levels): PrimitiveCase => ({
    name: `quantiseWeight ${levels}: a matrix, a stack, halves and zeros`,
    build: ({ builder, float, given }) => [
      builder.quantiseWeight(float(6, 5), levels),
      builder.quantiseWeight(float(3, 4, 5), levels),
      // mean |w| = 1 in the first matrix, mean = 0 in the second.
      builder.quantiseWeight(given([2, 2, 4], [0.5, -0.5, 1.5, -1.5, 0.5, -1.5, 1, 1, -2, 0, 2, 0, 0, 1, -1, 0]), levels),
      builder.quantiseWeight(given([2, 2], [0, 0, 0, 0]), levels),
    ],
  })),
  {
    name: 'quantiseActivation: rows, halves and zeros',
    build: ({ builder, float, given }) => [
      builder.quantiseActivation(float(7, 9)),
      builder.quantiseActivation(given([2, 7], [127, 0.5, 1.5, 2.5, -0.5, -1.5, -126.5, 0, 0, 0, 0, 0, 0, 0])),
    ],
  },
  {
    name: 'routed experts of a BitLinear',
    build: ({ builder, float }) => {
      const scores = float(21, 4);
      const indices = builder.topK(scores, 2);
      const routing = builder.route(indices, 4);
      const x = builder.permute(builder.quantiseActivation(float(21, 6)), routing);
      const hidden = builder.expertMatmul(x, builder.quantiseWeight(float(4, 6, 5), 'ternary'), routing);
      const out = builder.expertMatmul(hidden, builder.quantiseWeight(float(4, 6, 5), 'binary'), routing, true);
      return builder.combine(out, builder.takeAlongLast(builder.softmax(scores), indices), routing);
    },
  },
  routedCase('routed experts, top-1', 21, 4, 1),
  routedCase('routed experts, top-2', 40, 5, 2),
  routedCase('routed experts, all chosen', 9, 3, 3),
  routedCase('one expert', 7, 1, 1),
  routedCase('empty experts', 5, 6, [[1], [4], [1], [1], [4]]),
  routedCase(
    'all units on one expert',
    70,
    5,
    Array.from({ length: 70 }, () => [3]),
  ),
  ...allocationCases,
  ...rowTableCases,
];
