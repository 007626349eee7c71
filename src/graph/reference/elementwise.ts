import { elementCount } from '../dimensions';
import type { ActivationKind, Primitive } from '../primitives';
import type { NdArray } from './array';
import { at, broadcastStrides, dot, forEachIndex, integers, size, zeros } from './array';
import type { ReferenceRule } from './rule';
import { input } from './rule';

function map(x: NdArray, f: (value: number, flat: number) => number): NdArray {
  const result = zeros(x.shape);
  for (let i = 0; i < x.data.length; i++) result.data[i] = f(at(x, i), i);
  return result;
}

function broadcast(f: (a: number, b: number) => number) {
  return (_: unknown, inputs: readonly NdArray[]): NdArray[] => {
    const [a, b] = [input(inputs, 0), input(inputs, 1)];
    const rank = Math.max(a.shape.length, b.shape.length);
    const shape = Array.from({ length: rank }, (_unused, axis) => {
      const left = a.shape[axis - rank + a.shape.length] ?? 1;
      return left === 1 ? (b.shape[axis - rank + b.shape.length] ?? 1) : left;
    });
    const result = zeros(shape);
    const stridesA = broadcastStrides(a.shape, rank);
    const stridesB = broadcastStrides(b.shape, rank);
    forEachIndex(shape, (flat, index) => {
      result.data[flat] = f(at(a, dot(index, stridesA)), at(b, dot(index, stridesB)));
    });
    return [result];
  };
}

function pointwise(f: (x: number) => number) {
  return (_: unknown, inputs: readonly NdArray[]): NdArray[] => [map(input(inputs, 0), f)];
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The error function to full double precision: Kummer's series inside, the continued fraction of erfc outside. */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  if (magnitude < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = 0;
  for (let n = 120; n > 0; n--) fraction = n / 2 / (magnitude + fraction);
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (magnitude + fraction));
}

const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const normalDistribution = (x: number): number => 0.5 * (1 + erf(x / Math.SQRT2));

const activations: Record<ActivationKind, { f(x: number): number; derivative(x: number): number }> = {
  silu: { f: (x) => x * sigmoid(x), derivative: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  relu: { f: (x) => Math.max(x, 0), derivative: (x) => (x > 0 ? 1 : 0) },
  gelu: { f: (x) => x * normalDistribution(x), derivative: (x) => normalDistribution(x) + x * normalDensity(x) },
};

type Family =
  | 'constant'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'negate'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sigmoid'
  | 'tanh'
  | 'activation'
  | 'activationGradient'
  | 'greaterEqual'
  | 'trainingMode'
  | 'sign'
  | 'stopGradient'
  | 'reshape'
  | 'transpose'
  | 'expand'
  | 'slice'
  | 'pad'
  | 'concat'
  | 'sum';

export const elementwiseRules: { readonly [P in Extract<Primitive, Family>]: ReferenceRule<P> } = {
  constant: ({ value, shape, divideBy }, _, context) => {
    const divisor = divideBy.reduce<number>((product, dimension) => product * context.bind(dimension), 1);
    const result = zeros(shape.map((dimension) => context.bind(dimension)));
    result.data.fill(value / divisor);
    return [result];
  },
  add: broadcast((a, b) => a + b),
  subtract: broadcast((a, b) => a - b),
  multiply: broadcast((a, b) => a * b),
  divide: broadcast((a, b) => a / b),
  negate: pointwise((x) => -x),
  exp: pointwise(Math.exp),
  log: pointwise(Math.log),
  sqrt: pointwise(Math.sqrt),
  sigmoid: pointwise(sigmoid),
  tanh: pointwise(Math.tanh),
  activation: ({ kind }, inputs) => [map(input(inputs, 0), activations[kind].f)],
  activationGradient: ({ kind }, inputs) => {
    const g = input(inputs, 1);
    return [map(input(inputs, 0), (x, flat) => at(g, flat) * activations[kind].derivative(x))];
  },
  greaterEqual: ({ value }, inputs) => [map(input(inputs, 0), (x) => (x >= value ? 1 : 0))],
  trainingMode: (_, _inputs, context) => [{ shape: [], data: Float64Array.of(context.mode === 'training' ? 1 : 0) }],
  sign: pointwise(Math.sign),
  stopGradient: pointwise((x) => x),
  reshape: ({ shape }, inputs, context) => {
    const x = input(inputs, 0);
    const bound = shape.map((dimension) => context.bind(dimension));
    if (elementCount(bound) !== x.data.length) throw new RangeError(`Cannot reshape [${x.shape.join(', ')}] to [${bound.join(', ')}].`);
    return [{ shape: bound, data: x.data }];
  },
  transpose: ({ permutation }, inputs) => {
    const x = input(inputs, 0);
    const strides = broadcastStrides(x.shape, x.shape.length);
    const shape = permutation.map((axis) => size(x, axis));
    const permuted = permutation.map((axis) => strides[axis] ?? 0);
    const result = zeros(shape);
    forEachIndex(shape, (flat, index) => {
      result.data[flat] = at(x, dot(index, permuted));
    });
    return [result];
  },
  expand: ({ shape }, inputs, context) => {
    const x = input(inputs, 0);
    const bound = shape.map((dimension) => context.bind(dimension));
    const result = x.data instanceof Int32Array ? integers(bound) : zeros(bound);
    const strides = broadcastStrides(x.shape, result.shape.length);
    forEachIndex(result.shape, (flat, index) => {
      result.data[flat] = at(x, dot(index, strides));
    });
    return [result];
  },
  slice: ({ axis, start, end }, inputs) => [copyAlong(input(inputs, 0), axis, end - start, (position) => position + start)],
  pad: ({ axis, before, after }, inputs) => {
    const x = input(inputs, 0);
    const length = size(x, axis);
    return [copyAlong(x, axis, length + before + after, (position) => position - before)];
  },
  concat: ({ axis }, inputs) => {
    const total = inputs.reduce((sum, part) => sum + size(part, axis), 0);
    const result = zeros(input(inputs, 0).shape.map((length, index) => (index === axis ? total : length)));
    const strides = broadcastStrides(result.shape, result.shape.length);
    let offset = 0;
    for (const part of inputs) {
      forEachIndex(part.shape, (flat, index) => {
        result.data[dot(index, strides) + offset * (strides[axis] ?? 0)] = at(part, flat);
      });
      offset += size(part, axis);
    }
    return [result];
  },
  sum: ({ axes, keepDimensions }, inputs) => {
    const x = input(inputs, 0);
    const kept = zeros(x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length)));
    const strides = broadcastStrides(kept.shape, kept.shape.length);
    forEachIndex(x.shape, (flat, index) => {
      const target = dot(index, strides);
      kept.data[target] = at(kept, target) + at(x, flat);
    });
    return [keepDimensions ? kept : { shape: x.shape.filter((_length, axis) => !axes.includes(axis)), data: kept.data }];
  },
};

/** A copy whose `axis` has `length` positions, position p coming from `source(p)`; positions outside are zero. */
function copyAlong(x: NdArray, axis: number, length: number, source: (position: number) => number): NdArray {
  const result = zeros(x.shape.map((original, index) => (index === axis ? length : original)));
  const rank = x.shape.length;
  const strides = broadcastStrides(x.shape, rank);
  const step = x.shape.slice(axis + 1).reduce((product, value) => product * value, 1);
  forEachIndex(result.shape, (flat, index) => {
    const from = source(index[axis] ?? 0);
    if (from < 0 || from >= size(x, axis)) return;
    const elsewhere = dot(
      index.map((position, other) => (other === axis ? 0 : position)),
      strides,
    );
    result.data[flat] = at(x, elsewhere + from * step);
  });
  return result;
}
