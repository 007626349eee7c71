import type { OnnxGraph, TensorName } from '../graph';
import { batchedMatmul, concat, multiply, range, reduce, slice, subtract } from './operators';

/** A masked score: its exponential is exactly 0 in float32, and unlike -Infinity it cannot turn into NaN. */
export const MASKED = -1e30;

/** The axis of positions in [batch, heads, time, channels]. */
export const TIME = 2;

/** Queries [start, end) against the first `seen` keys. */
export interface AttentionBlock {
  readonly start: number;
  readonly end: number;
  readonly seen: number;
  /** Times the scale. */
  readonly queries: TensorName;
  readonly probabilities: TensorName;
}

/** [start, end) of blocks of `size` queries. */
export function blockRanges(time: number, size: number): readonly (readonly [start: number, end: number])[] {
  return Array.from({ length: Math.ceil(time / size) }, (_, index) => [index * size, Math.min(time, (index + 1) * size)]);
}

/** x[start, end) of its `time` positions; x itself where that is all of it. */
export function positions(graph: OnnxGraph, x: TensorName, time: number, start: number, end: number): TensorName {
  return start === 0 && end === time ? x : slice(graph, x, TIME, start, end);
}

/**
 * Where a key is later than its query, [end - start, end] bool of queries [start, end) and keys [0, end): built from ranges, so that the
 * model stays small.
 */
function later(graph: OnnxGraph, start: number, end: number): TensorName {
  const queries = graph.constant(
    'int32',
    [end - start, 1],
    Array.from({ length: end - start }, (_, index) => start + index),
  );
  return graph.node('Less', [queries, range(graph, 'int32', end)]);
}

/** [end - start, end] of 0 and MASKED; the runtime folds it into a constant. */
export function causalMask(graph: OnnxGraph, start: number, end: number): TensorName {
  return graph.node('Where', [later(graph, start, end), graph.scalar(MASKED), graph.scalar(0)]);
}

/** Probabilities times the values [batch, heads, keys, d]. */
export function attend(graph: OnnxGraph, blocks: readonly AttentionBlock[], values: TensorName, keys: number): TensorName {
  return concat(
    graph,
    blocks.map(({ probabilities, seen }) => batchedMatmul(graph, probabilities, positions(graph, values, keys, 0, seen), 4)),
    TIME,
  );
}

/**
 * What the gradient of attention is computed from: values [batch, heads, keys, d] and the gradient of what was attended to [batch, heads,
 * time, d].
 */
export interface AttentionGradient {
  readonly values: TensorName;
  readonly gradient: TensorName;
  readonly time: number;
  readonly keys: number;
}

/**
 * Per block the gradient of its scores, with P the probabilities and O the output: dS = P (g V^T - sum(g O)). sum(g O) over channels equals
 * the sum of (g V^T) P over positions (FlashAttention, 2205.14135, appendix B.4), on a smaller tensor.
 */
export function scoreGradients(
  graph: OnnxGraph,
  blocks: readonly AttentionBlock[],
  { values, gradient, time, keys }: AttentionGradient,
): readonly TensorName[] {
  const mean = reduce(graph, 'ReduceSum', multiply(graph, gradient, attend(graph, blocks, values, keys)), [-1], true);
  return blocks.map(({ start, end, seen, probabilities }) => {
    const own = positions(graph, gradient, time, start, end);
    const given = batchedMatmul(graph, own, positions(graph, values, keys, 0, seen), 4, { transposeB: true });
    return multiply(graph, probabilities, subtract(graph, given, positions(graph, mean, time, start, end)));
  });
}

/** dV = P^T g. */
export function valueGradient(
  graph: OnnxGraph,
  blocks: readonly AttentionBlock[],
  { gradient, time, keys }: Omit<AttentionGradient, 'values'>,
): TensorName {
  return sumOverBlocks(
    graph,
    blocks.map(({ start, end, seen, probabilities }) => ({
      part: batchedMatmul(graph, probabilities, positions(graph, gradient, time, start, end), 4, { transposeA: true }),
      after: keys - seen,
    })),
  );
}

/** dK = dS^T (scale q). */
export function keyGradient(
  graph: OnnxGraph,
  blocks: readonly AttentionBlock[],
  gradients: readonly TensorName[],
  keys: number,
): TensorName {
  return sumOverBlocks(
    graph,
    blocks.map(({ queries, seen }, index) => ({
      part: batchedMatmul(graph, gradients[index] ?? '', queries, 4, { transposeA: true }),
      after: keys - seen,
    })),
  );
}

/** The sum of what each block gives to some of the positions, those `before` and `after` being given zeros. */
export function sumOverBlocks(
  graph: OnnxGraph,
  parts: readonly { readonly part: TensorName; readonly before?: number; readonly after?: number }[],
): TensorName {
  const whole = parts.map(({ part, before = 0, after = 0 }) =>
    before + after === 0 ? part : graph.node('Pad', [part, graph.dimensions([0, 0, before, 0, 0, 0, after, 0])]),
  );
  const [only] = whole;
  return only !== undefined && whole.length === 1 ? only : graph.node('Sum', whole);
}
