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
  /** (x, float32 or int32) -> x broadcast to `shape` (right-aligned; size-1 axes repeat). */
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
   * Channel i pairs with i + d/2 (the "rotate half" layout); angle = position * base^(-2i/d). inverse turns the other way, which is the
   * gradient.
   */
  rotary: { base: number; inverse: boolean };
  /** (q, k, v [batch, heads, time, d]) -> softmax(scale q k^T + mask) v. causal masks every later position. */
  attention: { causal: boolean; scale: number };
  /** (q, k, v, g) -> (dq, dk, dv). */
  attentionGradient: { causal: boolean; scale: number };
  /**
   * () -> [rows, width], row n the sinusoid of distance n (1706.03762 section 3.5, as 1901.02860 lays it out): channel i < width/2 is
   * sin(n 10000^(-2i/width)), channel width/2 + i the cosine. width is even.
   */
  sinusoid: { rows: Dimension; width: number };
  /**
   * (q, k, v, memoryKeys, memoryValues [batch, heads, time, d], positions [heads, 2*time, d], seen [batch]) -> [batch, heads, time, d].
   * Causal attention with relative positions over a cached chunk and the present one (Transformer-XL, 1901.02860, without its u and v): key
   * j counts from the start of the cache, 0 <= j < 2 time; query i stands at time + i and sees j at distance n = time + i - j >= 0 with the
   * score scale q_i . (k_j + positions[n]). A window whose `seen` is 0 sees nothing of its cache; else `seen` is 1. Softmax over what is
   * seen.
   */
  relativeAttention: { scale: number };
  /** (q, k, v, memoryKeys, memoryValues, positions, seen, g) -> (dq, dk, dv, dmemoryKeys, dmemoryValues, dpositions). */
  relativeAttentionGradient: { scale: number };
  /**
   * (q, k [batch, heads, time, d]) -> [batch, time], r, how important each token is by the attention A = softmax(scale q k^T + mask), next
   * to the others. Not differentiable. Of token j, which sees n keys, mean over the heads of: `received` mean over i of A[i, j]; `cls_row`
   * A[0, j];
   * `row_max` 1 + log(max over i of A[j, i]) / log(n), which is `entropy` with the min-entropy for H; `entropy` 1 - H(A[j]) / log(n). The latter two
   * are 0 for even attention, 1 for a single key, and I_j is their mean but at least 1e-3: nearer to even is as good as even. The others
   * have no least. r_j = I_j / mean(I_0..I_last), where causal I_j / mean(I_1..I_j): the first token, which sees no choice, is left out,
   * and r_0 = 1. With time = 1 r = 1. `received` and `cls_row` need causal = false.
   */
  attentionImportance: { statistic: 'received' | 'cls_row' | 'row_max' | 'entropy'; causal: boolean; scale: number };
  /** (table [rows, d], indices int32 [...]) -> [..., d]. */
  gatherRows: Record<string, never>;
  /** (indices int32 [...], values [..., d]) -> [rows, d]: values added into their rows. */
  scatterRows: { rows: Dimension };
  /** (logits [N, V], targets int32 [N]) -> [N]: -log softmax(logits)[target], in nats; 0 where target < 0 (ignored). */
  crossEntropy: Record<string, never>;
  /** (logits, targets, g [N]) -> [N, V]; zero rows where ignored. */
  crossEntropyGradient: Record<string, never>;
  /**
   * (x [U, E]) -> int32 [U, groups * k]: of each of the `groups` equal sections of the columns, section by section, the columns (counted
   * from 0 to E) of its k largest, largest first, ties to the lower column. Not differentiable.
   */
  topK: { k: number; groups: number };
  /**
   * (a [U, n], b [U, n]) -> (indices, first, second int32 [U, k]): of the n^2 sums a[i] + b[j] the k largest, largest first: index = i n +
   * j, first = i, second = j. Exact by the k largest of a and of b (product keys, 1907.05242; 2407.04153 section 2). Equal sums: the one
   * whose a ranks higher, then whose b does; equal a or b rank by the lower column. k <= n. Not differentiable.
   */
  productKeys: { k: number };
  /** (table [N, d], indices int32 [U, k], x [U, d]) -> [U, k], x[u] . table[indices[u, j]]. */
  rowDot: Record<string, never>;
  /** (table [N, d], indices int32 [U, k], weights [U, k]) -> [U, d], the sum over j of weights[u, j] table[indices[u, j]]. */
  rowSum: Record<string, never>;
  /**
   * (indices int32 [U, k], coefficients [U, k], vectors [U, d]) -> [rows, d], coefficients[u, j] vectors[u] added into row indices[u, j]:
   * the gradient of a table that is not row-sparse.
   */
  rowOuter: { rows: Dimension };
  /**
   * (r [batch, time]) -> int32 [batch*time, 1], how many experts each token gets by its importance r, of mean 1. Not differentiable.
   * Without `budget` K = clip(round(mean r), least, most), halves to even. With it the K of a window add up to about round(mean time),
   * exactly where r lets them: c is found by 40 bisections of [0, most / max(min r, 1e-6)] so that the sum of a = clip(c r, least, most) is
   * mean time; K is a rounded down, and the tokens with the largest a - K, ties to the earlier, get one more until the sum is round(mean
   * time). most caps K.
   */
  allocateChoices: { mean: number; least: number; most: number; budget: boolean };
  /**
   * (x [U, k]) -> int32 [U, 1], the least n >= 1 for which x[0] + ... + x[n - 1] >= threshold, k where there is none. Not differentiable.
   */
  countUntil: { threshold: number };
  /**
   * (indices int32 [U, k], taken int32 [U, 1]) -> (int32 [U, k], float32 [U, k]): the first taken[u] choices as they are, the others as
   * `experts`, which `route` and `countChoices` take for nowhere; and 1 for the former, 0 for the latter. Not differentiable.
   */
  firstChoices: { experts: number };
  /** (x [U, E], indices int32 [U, k]) -> [U, k], x at the chosen columns. */
  takeAlongLast: Record<string, never>;
  /**
   * (indices int32 [U, k], values [U, k]) -> [U, size], zero elsewhere; values of a column that comes up more than once in a row are added.
   */
  scatterAlongLast: { size: Dimension };
  /**
   * (indices int32 [U, k]) -> float32 [experts], how often each expert stands in the first `choices` columns; an index of `experts` is
   * nobody's. Not differentiable.
   */
  countChoices: { experts: number; choices: number };
  /**
   * (indices int32 [U, k]) -> float32 [U, k], 1 where the choice is among the first C = ceil(factor * k * U / experts) of its expert, else
   * 0. order `choice`: all first choices by unit, then all second choices (GShard, 2006.16668); `unit`: unit by unit, each with its choices
   * in order. An index of `experts` is nobody's: 0. Not differentiable.
   */
  withinCapacity: { experts: number; factor: number; order: 'choice' | 'unit' };
  /**
   * (scores [U, E]) -> int32 [E, C], for each expert its C = max(1, floor(k * U / E)) units with the largest scores, largest first, ties to
   * the lower unit (expert choice, 2202.09368). `capacity` is the symbol of C. Not differentiable.
   */
  expertChoice: { k: number; capacity: Dimension };
  /**
   * (indices int32 [U, k]) -> (slots int32 [U, k], order int32 [R], counts int32 [experts]). Routed rows are sorted by expert, then by
   * unit, then by choice. slots says where (unit, choice) lies among the routed rows; order is its inverse: order[row] = unit * k + choice,
   * or -1 for a row that only pads. An index of `experts` goes nowhere: its row lies after those of all experts, is counted for none, and
   * `expertMatmul` makes zeros of it, or on some devices something that only a weight of 0 may meet. `share` of the pairs go somewhere, as
   * the definition says or hopes: counting takes that many rows. Not differentiable.
   */
  route: { experts: number; rows: Dimension; share: number };
  /** (x [U, d], slots [U, k], order [R]) -> [R, d], row r = x[order[r] div k] (0 for padding rows). */
  permute: Record<string, never>;
  /** (y [R, d], slots [U, k], order [R]) -> [U, d], the sum over the k choices: the gradient of permute. */
  unpermute: Record<string, never>;
  /**
   * (x [R, in], weight [E, in, out], counts int32 [E]) -> [R, out]; each expert's rows times its matrix (stored [E, out, in] when
   * transposeWeight).
   */
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
