import { product, sameShape } from './dimensions';
import type { Primitive } from './primitives';
import { routingShapeRules } from './routingShapes';
import { rowTableShapeRules } from './rowTableShapes';
import type { ShapeRule } from './shapeChecks';
import {
  broadcasting,
  broadcastShapes,
  describe,
  elementwise,
  float32,
  last,
  likeInputs,
  numeric,
  operand,
  require,
  requireInt,
  requireSame,
  requireShape,
} from './shapeChecks';

export { ShapeError } from './shapeChecks';
export type { ShapeRule } from './shapeChecks';

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
    return [{ shape, dtype: from.dtype }];
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
  sinusoid: ({ rows, width }) => {
    require(width >= 2 && width % 2 === 0, () => `sinusoid needs an even width, not ${width}.`);
    return [float32([rows, width])];
  },
  relativeAttention: (_, inputs) => {
    const q = operand(inputs, 0);
    require(q.shape.length === 4, () => `relativeAttention operands must be [batch, heads, time, d], not ${describe(q.shape)}.`);
    for (const index of [1, 2, 3, 4]) requireSame(q, operand(inputs, index), 'relativeAttention');
    const [batch = 1, heads = 1, time = 1, width = 1] = q.shape;
    requireShape(operand(inputs, 5), [heads, product([2, time]), width], 'relativeAttention positions');
    requireShape(operand(inputs, 6), [batch], 'relativeAttention seen');
    return [float32(q.shape)];
  },
  relativeAttentionGradient: likeInputs(0, 1, 2, 3, 4, 5),
  attentionImportance: ({ statistic, causal }, inputs) => {
    const q = operand(inputs, 0);
    require(q.shape.length === 4, () => `attentionImportance operands must be [batch, heads, time, d], not ${describe(q.shape)}.`);
    requireSame(q, operand(inputs, 1), 'attentionImportance');
    const futureFree = statistic === 'row_max' || statistic === 'entropy';
    require(!causal || futureFree, () => `attentionImportance by "${statistic}" reads later tokens: it needs causal = false.`);
    return [float32([last(q.shape, 3), last(q.shape, 1)])];
  },
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
  ...routingShapeRules,
  ...rowTableShapeRules,
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
