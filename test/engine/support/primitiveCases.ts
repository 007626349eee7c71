import type { Tensor } from '../../../src/graph/builder';
import { ProgramBuilder } from '../../../src/graph/builder';
import type { Bindings } from '../../../src/graph/dimensions';
import { differentiate } from '../../../src/graph/gradients';
import type { Program, ValueId } from '../../../src/graph/program';
import { interpret, normals, programOf, uniformIntegers } from '../../support/programs';
import type { NdArray } from '../../../src/graph/reference/array';
import type { ValuesTask } from './deviceTasks';

/** A small program around one primitive: float operands are parameters, so that its gradients are checked as well. */
export interface PrimitiveCase {
  readonly name: string;
  build(graph: CaseGraph): Tensor | readonly Tensor[];
}

/** Makes the operands of a case. */
export interface CaseGraph {
  readonly builder: ProgramBuilder;
  /** Normal numbers. */
  float(...shape: number[]): Tensor;
  /** Numbers in (0.5, 2.5): for divisors, logarithms and roots. */
  positive(...shape: number[]): Tensor;
  /** Given integers, or uniform ones below `values`. */
  int(shape: readonly number[], values: number | readonly number[]): Tensor;
}

export interface BuiltCase {
  readonly program: Program;
  readonly task: ValuesTask;
  readonly feeds: ReadonlyMap<ValueId, NdArray>;
}

/** The case's program with a loss that weights every output element differently, its gradients, and float32 feeds. */
export function buildCase({ build }: PrimitiveCase, bindings: Bindings = {}): BuiltCase {
  const builder = new ProgramBuilder();
  const feeds = new Map<ValueId, NdArray>();
  const parameter = (shape: readonly number[], data: Float64Array): Tensor => {
    const made = builder.parameter(`p${builder.parameters.length}`, shape, { initialiser: { kind: 'constant', value: 0 }, role: 'ffn' });
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
      const weights = parameter(output.shape.map(Number), normals(output.shape.map(Number), 99));
      const weighted = builder.multiply(output, builder.stopGradient(weights));
      return builder.sum(
        weighted,
        output.shape.map((_, axis) => axis),
      );
    });
  const loss = losses.reduce((sum, next) => builder.add(sum, next), builder.constant(0));
  const { program, gradients } = differentiate(programOf(builder, loss));
  const wanted = [...outputs.map(({ id }) => id), ...gradients];
  return {
    program,
    feeds,
    task: {
      kind: 'values',
      program,
      bindings,
      wanted,
      feeds: [...feeds].map(([id, { data }]) => [id, data instanceof Int32Array ? data : Float32Array.from(data)] as const),
    },
  };
}

export function reference({ program, feeds, task }: BuiltCase): NdArray[] {
  const values = interpret(program, { bindings: task.bindings, feeds, wanted: task.wanted });
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
  { name: 'log', build: ({ builder, positive }) => builder.log(positive(7)) },
  { name: 'sqrt', build: ({ builder, positive }) => builder.sqrt(positive(2, 3, 2)) },
  ...(['silu', 'relu', 'gelu'] as const).map((kind): PrimitiveCase => ({
    name: `activation ${kind}`,

    build: ({ builder, float }) => builder.activation(kind, float(4, 9)),
  })),
  { name: 'greaterEqual', build: ({ builder, int }) => builder.greaterEqual(int([6], [-3, 0, 1, 2, 3, 9]), 2) },
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
    name: 'crossEntropy with ignored targets',

    build: ({ builder, float, int }) => builder.crossEntropy(float(6, 9), int([6], [0, 8, -1, 3, 3, -100])),
  },
  {
    name: 'topK, ties to the lower column',

    build: ({ builder, int, float }) => {
      const ones = (values: readonly number[]) => builder.greaterEqual(int([3, 4], values), 1);
      const scores = builder.add(ones([0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0]), ones([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
      return [builder.topK(scores, 3), builder.topK(float(6, 5), 2), builder.topK(float(6, 5), 5)];
    },
  },
  {
    name: 'takeAlongLast',

    build: ({ builder, float, int }) => builder.takeAlongLast(float(3, 5), int([3, 2], [4, 0, 1, 2, 3, 0])),
  },
  {
    name: 'scatterAlongLast',

    build: ({ builder, float, int }) => builder.scatterAlongLast(int([3, 2], [4, 0, 1, 2, 3, 0]), float(3, 2), 6),
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
];
