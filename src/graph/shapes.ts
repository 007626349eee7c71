import type { Dimension, Shape } from './dimensions';
import { product, sameShape } from './dimensions';
import type { Primitive, PrimitiveAttributes } from './primitives';
import type { Value } from './program';

/** Thrown while a program is built: an operand has the wrong rank, size or dtype. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export type ShapeRule<P extends Primitive> = (attributes: PrimitiveAttributes[P], inputs: readonly Value[]) => Value[];

function describe(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

function operand(inputs: readonly Value[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new ShapeError(`Operand ${index} is missing.`);
  return value;
}

function require(condition: boolean, message: () => string): void {
  if (!condition) throw new ShapeError(message());
}

const float32 = (shape: Shape): Value => ({ shape, dtype: 'float32' });
const int32 = (shape: Shape): Value => ({ shape, dtype: 'int32' });

/** The last `count` dimensions, or an error naming the shape. */
function last(shape: Shape, index: number): Dimension {
  const dimension = shape[shape.length - 1 - index];
  if (dimension === undefined) throw new ShapeError(`Shape ${describe(shape)} has no axis ${-1 - index}.`);
  return dimension;
}

/** A dimension that must be a number, since the rule needs its size when the program is built. */
function numeric(dimension: Dimension): number {
  if (typeof dimension === 'string') throw new ShapeError(`Axis of size "${dimension}" must have a numeric size here.`);
  return dimension;
}

function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new ShapeError(`Shapes ${describe(a)} and ${describe(b)} do not broadcast.`);
  });
}

const elementwise = (_: unknown, inputs: readonly Value[]): Value[] => [float32(operand(inputs, 0).shape)];
const broadcasting = (_: unknown, inputs: readonly Value[]): Value[] => [
  float32(broadcastShapes(operand(inputs, 0).shape, operand(inputs, 1).shape)),
];
const likeInputs =
  (...indices: readonly number[]) =>
  (_: unknown, inputs: readonly Value[]): Value[] =>
    indices.map((index) => float32(operand(inputs, index).shape));

function requireSame(a: Value, b: Value, what: string): void {
  require(sameShape(a.shape, b.shape), () => `${what}: shapes ${describe(a.shape)} and ${describe(b.shape)} differ.`);
}

function requireInt(value: Value, what: string): void {
  require(value.dtype === 'int32', () => `${what} must be int32.`);
}

/** The units of int32 [units, choices]. */
function unitsOf(indices: Value, what: string): Dimension {
  requireInt(indices, what);
  require(indices.shape.length === 2, () => `${what} must be [units, choices], not ${describe(indices.shape)}.`);
  return last(indices.shape, 1);
}

function unitsAndChoices(indices: Value, what: string): readonly [Dimension, number] {
  return [unitsOf(indices, what), numeric(last(indices.shape, 0))];
}

/** Shapes and dtypes of every primitive's outputs. */
export const shapeRules: { readonly [P in Primitive]: ShapeRule<P> } = {
  constant: ({ shape }) => [float32(shape)],
  add: broadcasting,
  subtract: broadcasting,
  multiply: broadcasting,
  divide: broadcasting,
  negate: elementwise,
  exp: elementwise,
  log: elementwise,
  sqrt: elementwise,
  sigmoid: elementwise,
  tanh: elementwise,
  activation: elementwise,
  activationGradient: (_, inputs) => {
    requireSame(operand(inputs, 0), operand(inputs, 1), 'activationGradient');
    return [float32(operand(inputs, 0).shape)];
  },
  greaterEqual: (_, inputs) => {
    requireInt(operand(inputs, 0), 'greaterEqual operand');
    return [float32(operand(inputs, 0).shape)];
  },
  trainingMode: () => [float32([])],
  sign: elementwise,
  stopGradient: elementwise,
  reshape: ({ shape }, inputs) => {
    const from = operand(inputs, 0);
    require(product(from.shape) === product(shape), () => `Cannot reshape ${describe(from.shape)} to ${describe(shape)}.`);
    return [{ shape, dtype: from.dtype }];
  },
  transpose: ({ permutation }, inputs) => {
    const from = operand(inputs, 0);
    const sorted = [...permutation].sort((a, b) => a - b);
    require(sorted.length === from.shape.length && sorted.every((axis, index) => axis === index), () => {
      return `[${permutation.join(', ')}] is no permutation of the axes of ${describe(from.shape)}.`;
    });
    return [{ shape: permutation.map((axis) => from.shape[axis] ?? 1), dtype: from.dtype }];
  },
  expand: ({ shape }, inputs) => {
    const from = operand(inputs, 0);
    require(sameShape(broadcastShapes(from.shape, shape), shape), () => `${describe(from.shape)} does not expand to ${describe(shape)}.`);
    return [float32(shape)];
  },
  slice: ({ axis, start, end }, inputs) => {
    const from = operand(inputs, 0);
    const size = numeric(from.shape[axis] ?? 'missing axis');
    require(0 <= start && start < end && end <= size, () => `Slice [${start}, ${end}) is outside axis ${axis} of ${describe(from.shape)}.`);
    return [float32(from.shape.map((dimension, index) => (index === axis ? end - start : dimension)))];
  },
  pad: ({ axis, before, after }, inputs) => {
    const from = operand(inputs, 0);
    const size = numeric(from.shape[axis] ?? 'missing axis');
    require(before >= 0 && after >= 0, () => 'Padding must not be negative.');
    return [float32(from.shape.map((dimension, index) => (index === axis ? size + before + after : dimension)))];
  },
  concat: ({ axis }, inputs) => {
    const first = operand(inputs, 0);
    const total = inputs.reduce((sum, input) => sum + numeric(input.shape[axis] ?? 'missing axis'), 0);
    for (const input of inputs) {
      const rest = input.shape.map((dimension, index) => (index === axis ? total : dimension));
      const expected = first.shape.map((dimension, index) => (index === axis ? total : dimension));
      require(sameShape(rest, expected), () => `Cannot concatenate ${describe(first.shape)} and ${describe(input.shape)} along ${axis}.`);
    }
    return [float32(first.shape.map((dimension, index) => (index === axis ? total : dimension)))];
  },
  sum: ({ axes, keepDimensions }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(axes.every((axis) => axis >= 0 && axis < shape.length), () => `Axes [${axes.join(', ')}] are outside ${describe(shape)}.`);
    return [
      float32(
        keepDimensions ? shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : shape.filter((_, axis) => !axes.includes(axis)),
      ),
    ];
  },
  matmul: ({ transposeA, transposeB }, inputs) => {
    const a = operand(inputs, 0).shape;
    const b = operand(inputs, 1).shape;
    require(a.length >= 2 && a.length === b.length, () =>
      `matmul operands ${describe(a)} and ${describe(b)} need one equal rank of at least 2.`);
    require(sameShape(a.slice(0, -2), b.slice(0, -2)), () =>
      `matmul operands ${describe(a)} and ${describe(b)} have different leading dimensions.`);
    const [rows, innerA] = transposeA ? [last(a, 0), last(a, 1)] : [last(a, 1), last(a, 0)];
    const [innerB, columns] = transposeB ? [last(b, 0), last(b, 1)] : [last(b, 1), last(b, 0)];
    require(innerA === innerB, () => `matmul operands ${describe(a)} and ${describe(b)} have inner dimensions ${innerA} and ${innerB}.`);
    return [float32([...a.slice(0, -2), rows, columns])];
  },
  softmax: elementwise,
  logSumExp: (_, inputs) => {
    const { shape } = operand(inputs, 0);
    last(shape, 0);
    return [float32(shape.slice(0, -1))];
  },
  softmaxGradient: (_, inputs) => {
    requireSame(operand(inputs, 0), operand(inputs, 1), 'softmaxGradient');
    return [float32(operand(inputs, 0).shape)];
  },
  rmsNorm: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const gain = operand(inputs, 1).shape;
    require(gain.length === 1 && gain[0] === last(x, 0), () => `rmsNorm gain ${describe(gain)} does not fit ${describe(x)}.`);
    return [float32(x)];
  },
  rmsNormGradient: likeInputs(0, 1),
  rotary: (_, inputs) => {
    const { shape } = operand(inputs, 0);
    require(numeric(last(shape, 0)) % 2 === 0, () => `rotary needs an even last axis, not ${describe(shape)}.`);
    last(shape, 1);
    return [float32(shape)];
  },
  attention: (_, inputs) => {
    const q = operand(inputs, 0);
    require(q.shape.length === 4, () => `attention operands must be [batch, heads, time, d], not ${describe(q.shape)}.`);
    requireSame(q, operand(inputs, 1), 'attention');
    requireSame(q, operand(inputs, 2), 'attention');
    return [float32(q.shape)];
  },
  attentionGradient: likeInputs(0, 1, 2),
  gatherRows: (_, inputs) => {
    const table = operand(inputs, 0);
    const indices = operand(inputs, 1);
    requireInt(indices, 'gatherRows indices');
    require(table.shape.length === 2, () => `gatherRows table must be [rows, d], not ${describe(table.shape)}.`);
    return [float32([...indices.shape, last(table.shape, 0)])];
  },
  scatterRows: ({ rows }, inputs) => {
    requireInt(operand(inputs, 0), 'scatterRows indices');
    return [float32([rows, last(operand(inputs, 1).shape, 0)])];
  },
  crossEntropy: (_, inputs) => {
    const logits = operand(inputs, 0).shape;
    const targets = operand(inputs, 1);
    requireInt(targets, 'crossEntropy targets');
    require(logits.length === 2 && sameShape(targets.shape, logits.slice(0, 1)), () => {
      return `crossEntropy needs logits [N, V] and targets [N], not ${describe(logits)} and ${describe(targets.shape)}.`;
    });
    return [float32(targets.shape)];
  },
  crossEntropyGradient: likeInputs(0),
  topK: ({ k }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `topK needs [units, columns], not ${describe(shape)}.`);
    require(k >= 1 && k <= numeric(last(shape, 0)), () => `topK cannot choose ${k} of ${last(shape, 0)}.`);
    return [int32([last(shape, 1), k])];
  },
  takeAlongLast: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const indices = operand(inputs, 1);
    const units = unitsOf(indices, 'takeAlongLast indices');
    require(x.length === 2 && last(x, 1) === units, () => `takeAlongLast: ${describe(x)} and ${describe(indices.shape)} differ in units.`);
    return [float32(indices.shape)];
  },
  scatterAlongLast: ({ size }, inputs) => {
    const indices = operand(inputs, 0);
    const units = unitsOf(indices, 'scatterAlongLast indices');
    requireSame(indices, operand(inputs, 1), 'scatterAlongLast');
    return [float32([units, size])];
  },
  countChoices: ({ experts, choices }, inputs) => {
    const [, k] = unitsAndChoices(operand(inputs, 0), 'countChoices indices');
    require(choices >= 1 && choices <= k, () => `countChoices cannot count ${choices} of ${k} choices.`);
    return [float32([experts])];
  },
  withinCapacity: ({ experts, factor }, inputs) => {
    const indices = operand(inputs, 0);
    unitsAndChoices(indices, 'withinCapacity indices');
    require(factor > 0 && experts >= 1, () => `withinCapacity needs a positive factor and an expert, not ${factor} and ${experts}.`);
    return [float32(indices.shape)];
  },
  expertChoice: ({ k, capacity }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `expertChoice needs [units, experts], not ${describe(shape)}.`);
    const experts = numeric(last(shape, 0));
    require(k > 0 && k <= experts, () => `expertChoice cannot let ${k} of ${experts} experts choose a unit.`);
    return [int32([experts, capacity])];
  },
  route: ({ experts, rows }, inputs) => {
    const indices = operand(inputs, 0);
    unitsAndChoices(indices, 'route indices');
    return [int32(indices.shape), int32([rows]), int32([experts])];
  },
  permute: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const [units] = unitsAndChoices(operand(inputs, 1), 'permute slots');
    require(x.length === 2 && last(x, 1) === units, () => `permute: ${describe(x)} has other units than its slots.`);
    return [float32([last(operand(inputs, 2).shape, 0), last(x, 0)])];
  },
  unpermute: (_, inputs) => {
    const y = operand(inputs, 0).shape;
    const [units] = unitsAndChoices(operand(inputs, 1), 'unpermute slots');
    return [float32([units, last(y, 0)])];
  },
  expertMatmul: ({ transposeWeight }, inputs) => {
    const x = operand(inputs, 0).shape;
    const weight = operand(inputs, 1).shape;
    require(x.length === 2 && weight.length === 3, () =>
      `expertMatmul needs [rows, in] and [E, in, out], not ${describe(x)} and ${describe(weight)}.`);
    const [inner, columns] = transposeWeight ? [last(weight, 0), last(weight, 1)] : [last(weight, 1), last(weight, 0)];
    require(last(x, 0) === inner, () => `expertMatmul: ${describe(x)} does not fit weights ${describe(weight)}.`);
    return [float32([last(x, 1), columns])];
  },
  expertMatmulGradient: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const g = operand(inputs, 1).shape;
    return [float32([last(operand(inputs, 2).shape, 0), last(x, 0), last(g, 0)])];
  },
  combine: (_, inputs) => {
    requireSame({ ...operand(inputs, 1), dtype: 'int32' }, operand(inputs, 2), 'combine weights and slots');
    return [float32([last(operand(inputs, 1).shape, 1), last(operand(inputs, 0).shape, 0)])];
  },
  combineGradient: likeInputs(0, 1),
  quantiseWeight: (_, inputs) => {
    const { shape } = operand(inputs, 0);
    numeric(last(shape, 0));
    numeric(last(shape, 1));
    return [float32(shape)];
  },
  quantiseActivation: (_, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `quantiseActivation needs [rows, d], not ${describe(shape)}.`);
    return [float32(shape)];
  },
};
