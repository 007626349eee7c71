import type { Dimension, Shape } from './dimensions';

export type DType = 'float32' | 'int32';

export type ActivationKind = 'silu' | 'relu' | 'gelu';

/**
 * Every primitive of a training program, with its attributes. Inputs and outputs are written as
 * `(inputs) -> outputs`; U = units (tokens or sub-tokens), E = experts, k = choices per unit, R = routed rows.
 *
 * Each primitive needs a shape, gradient, cost, reference and lowering rule: those are total
 * `Record<Primitive, Rule>` tables, so a primitive without one of them does not compile.
 * Primitives named `...Gradient` appear only in backward graphs and have no gradient themselves.
 */
export interface PrimitiveAttributes {
  /** () -> [shape]; every element is `value / product(divideBy)`; divideBy lets a mean stay symbolic. */
  constant: { value: number; shape: Shape; divideBy: Shape };
  /** (a, b) -> broadcast(a, b), by the usual right-aligned broadcasting. */
  add: Record<string, never>;
  subtract: Record<string, never>;
  multiply: Record<string, never>;
  divide: Record<string, never>;
  negate: Record<string, never>;
  exp: Record<string, never>;
  log: Record<string, never>;
  sqrt: Record<string, never>;
  sigmoid: Record<string, never>;
  tanh: Record<string, never>;
  /** (x) -> f(x). gelu is the exact one, x/2 (1 + erf(x / sqrt 2)). */
  activation: { kind: ActivationKind };
  /** (x, gradient) -> gradient * f'(x). relu'(0) = 0. */
  activationGradient: { kind: ActivationKind };
  /** (x int32) -> float32 1 where x >= value, else 0. Not differentiable. */
  greaterEqual: { value: number };
  /** () -> scalar, 1 in training and 0 in evaluation. */
  trainingMode: Record<string, never>;
  /** (x) -> -1, 0 or 1. Not differentiable. */
  sign: Record<string, never>;
  /** (x) -> x, with gradient zero. */
  stopGradient: Record<string, never>;
  /** (x) -> x with another shape of as many elements. */
  reshape: { shape: Shape };
  /** (x) -> x with its axes in the order of `permutation`. */
  transpose: { permutation: readonly number[] };
  /** (x) -> x broadcast to `shape` (right-aligned; size-1 axes repeat). */
  expand: { shape: Shape };
  /** (x) -> x[start, end) along `axis`; the axis has a numeric size. */
  slice: { axis: number; start: number; end: number };
  /** (x) -> x with `before` and `after` zeros along `axis`. */
  pad: { axis: number; before: number; after: number };
  /** (x...) -> joined along `axis`, whose sizes are numeric. */
  concat: { axis: number };
  /** (x) -> the sum over `axes`. */
  sum: { axes: readonly number[]; keepDimensions: boolean };
  /** (a [..., m, n], b [..., n, p]) -> [..., m, p]; equal leading dimensions; the flags say which operand is stored transposed. */
  matmul: { transposeA: boolean; transposeB: boolean };
  /** (x) -> softmax over the last axis. */
  softmax: Record<string, never>;
  /** (x [..., n]) -> [...]: log(sum(exp(x))) over the last axis. */
  logSumExp: Record<string, never>;
  /** (softmax output y, gradient g) -> y * (g - sum(g * y)). */
  softmaxGradient: Record<string, never>;
  /** (x [..., d], gain [d]) -> gain * x / sqrt(mean(x^2) + epsilon). RMSNorm, 1910.07467 Eq. 4. */
  rmsNorm: { epsilon: number };
  /** (x, gain, g) -> (dx, dgain). */
  rmsNormGradient: { epsilon: number };
  /**
   * (x [..., time, d]) -> rotary position embedding (RoFormer, 2104.09864, Eq. 34), positions 0, 1, ... along the last axis but one.
   * Channel i pairs with i + d/2 (the "rotate half" layout); angle = position * base^(-2i/d). inverse turns the other way, which is the gradient.
   */
  rotary: { base: number; inverse: boolean };
  /** (q, k, v [batch, heads, time, d]) -> softmax(scale q k^T + mask) v. causal masks every later position. */
  attention: { causal: boolean; scale: number };
  /** (q, k, v, g) -> (dq, dk, dv). */
  attentionGradient: { causal: boolean; scale: number };
  /** (table [rows, d], indices int32 [...]) -> [..., d]. */
  gatherRows: Record<string, never>;
  /** (indices int32 [...], values [..., d]) -> [rows, d]: values added into their rows. */
  scatterRows: { rows: Dimension };
  /** (logits [N, V], targets int32 [N]) -> [N]: -log softmax(logits)[target], in nats; 0 where target < 0 (ignored). */
  crossEntropy: Record<string, never>;
  /** (logits, targets, g [N]) -> [N, V]; zero rows where ignored. */
  crossEntropyGradient: Record<string, never>;
  /** (x [U, E]) -> int32 [U, k], the columns of the k largest, largest first, ties to the lower column. Not differentiable. */
  topK: { k: number };
  /** (x [U, E], indices int32 [U, k]) -> [U, k], x at the chosen columns. */
  takeAlongLast: Record<string, never>;
  /** (indices int32 [U, k] distinct within a row, values [U, k]) -> [U, size], zero elsewhere. */
  scatterAlongLast: { size: Dimension };
  /** (indices int32 [U, k]) -> float32 [experts], how often each expert stands in the first `choices` columns. Not differentiable. */
  countChoices: { experts: number; choices: number };
  /**
   * (indices int32 [U, k]) -> float32 [U, k], 1 where the choice is among the first C = ceil(factor * k * U / experts) of its expert, else 0.
   * order `choice`: all first choices by unit, then all second choices (GShard, 2006.16668); `unit`: unit by unit, each with its choices in
   * order. Not differentiable.
   */
  withinCapacity: { experts: number; factor: number; order: 'choice' | 'unit' };
  /**
   * (scores [U, E]) -> int32 [E, C], for each expert its C = max(1, floor(k * U / E)) units with the largest scores, largest first, ties to
   * the lower unit (expert choice, 2202.09368). `capacity` is the symbol of C. Not differentiable.
   */
  expertChoice: { k: number; capacity: Dimension };
  /**
   * (indices int32 [U, k]) -> (slots int32 [U, k], order int32 [R], counts int32 [experts]).
   * Routed rows are sorted by expert, then by unit, then by choice. slots says where (unit, choice) lies among the routed rows;
   * order is its inverse: order[row] = unit * k + choice, or -1 for a row that only pads. Not differentiable.
   */
  route: { experts: number; rows: Dimension };
  /** (x [U, d], slots [U, k], order [R]) -> [R, d], row r = x[order[r] div k] (0 for padding rows). */
  permute: Record<string, never>;
  /** (y [R, d], slots [U, k], order [R]) -> [U, d], the sum over the k choices: the gradient of permute. */
  unpermute: Record<string, never>;
  /** (x [R, in], weight [E, in, out], counts int32 [E]) -> [R, out]; each expert's rows times its matrix (stored [E, out, in] when transposeWeight). */
  expertMatmul: { transposeWeight: boolean };
  /** (x [R, in], g [R, out], counts) -> [E, in, out]; an expert without rows gets exact zeros. */
  expertMatmulGradient: Record<string, never>;
  /** (y [R, d], weights [U, k], slots [U, k], order [R]) -> [U, d]: sum over j of weights[u, j] * y[slots[u, j]]. */
  combine: Record<string, never>;
  /** (y, weights, slots, order, g [U, d]) -> (dy [R, d], dweights [U, k]). */
  combineGradient: Record<string, never>;
  /**
   * (w [..., in, out]) -> the weights as a BitLinear uses them, of few distinct values per [in, out] matrix. g = max(mean |w|, 1e-5).
   * ternary: g * clip(round(w / g), -1, 1) (2402.17764 Eq. 1-3); binary: g * sign(w - mean(w)) with sign(0) = -1 (2310.11453 Eq. 1-3).
   * round goes to even at halves. Straight-through: the gradient is the identity.
   */
  quantiseWeight: { levels: 'ternary' | 'binary' };
  /**
   * (x [rows, d]) -> m / 127 * clip(round(127 x / m), -128, 127) with m = max(max |x|, 1e-5) of the row (2402.17764 section 2).
   * round goes to even at halves. Straight-through: the gradient is the identity.
   */
  quantiseActivation: Record<string, never>;
}

export type Primitive = keyof PrimitiveAttributes;
