import type { OnnxGraph, TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { add, batchedMatmul, concat, multiply, range, reduce, slice, subtract } from './operators';

/** A masked score: its exponential is exactly 0 in float32, and unlike -Infinity it cannot turn into NaN. */
const MASKED = -1e30;

/** The axis of positions in [batch, heads, time, channels]. */
const TIME = 2;

interface AttentionShape {
  readonly time: number;
  readonly causal: boolean;
  readonly scale: number;
  /** How many query positions are computed at once, against all keys up to the last of them. */
  readonly blockSize: number;
}

/**
 * On the CPU causal attention goes by blocks of queries, each against the keys it may see, which saves nearly half of the products and
 * of the passes over [time, time] tensors. Below this length slicing and joining costs more than it saves.
 */
const LEAST_BLOCKED_TIME = 192;

function attentionShape(
  { device }: LoweringContext,
  time: number,
  attributes: { readonly causal: boolean; readonly scale: number },
): AttentionShape {
  const blocked = device === 'cpu' && attributes.causal && time >= LEAST_BLOCKED_TIME;
  return { ...attributes, time, blockSize: blocked ? Math.max(64, Math.ceil(time / 8)) : time };
}

/** Queries [start, end) against keys [0, end) (all keys where not causal). */
interface Block {
  readonly start: number;
  readonly end: number;
  /** Times the scale. */
  readonly queries: TensorName;
  readonly keys: TensorName;
  readonly values: TensorName;
  readonly probabilities: TensorName;
}

/** x[start, end) along the positions; x itself where that is all of it. */
function positions(graph: OnnxGraph, x: TensorName, time: number, start: number, end: number): TensorName {
  return start === 0 && end === time ? x : slice(graph, x, TIME, start, end);
}

/** [end - start, end] of 0 and MASKED: built from ranges, so that the model stays small; the runtime folds it into a constant. */
function causalMask(graph: OnnxGraph, start: number, end: number): TensorName {
  const queries = graph.constant(
    'int32',
    [end - start, 1],
    Array.from({ length: end - start }, (_, index) => start + index),
  );
  const later = graph.node('Less', [queries, range(graph, 'int32', end)]);
  return graph.node('Where', [later, graph.scalar(MASKED), graph.scalar(0)]);
}

type Operands = readonly [TensorName, TensorName, TensorName];

/** softmax(scale q k^T + mask) by blocks. The gradient asks for the same blocks again and is given the same tensors. */
function blocksOf(graph: OnnxGraph, [q, k, v]: Operands, { time, causal, scale, blockSize }: AttentionShape): readonly Block[] {
  const scaled = multiply(graph, q, graph.scalar(scale));
  return Array.from({ length: Math.ceil(time / blockSize) }, (_, index) => {
    const [start, end] = [index * blockSize, Math.min(time, (index + 1) * blockSize)];
    const queries = positions(graph, scaled, time, start, end);
    const keys = positions(graph, k, time, 0, end);
    const scores = batchedMatmul(graph, queries, keys, 4, { transposeB: true });
    const probabilities = graph.node('Softmax', [causal ? add(graph, scores, causalMask(graph, start, end)) : scores]);
    return { start, end, queries, keys, values: positions(graph, v, time, 0, end), probabilities };
  });
}

function attend(graph: OnnxGraph, blocks: readonly Block[]): TensorName {
  return concat(
    graph,
    blocks.map(({ probabilities, values }) => batchedMatmul(graph, probabilities, values, 4)),
    TIME,
  );
}

/** The sum of what each block gives to keys [0, end): shorter ones are filled up with zeros. */
function sumOverBlocks(graph: OnnxGraph, blocks: readonly Block[], time: number, part: (block: Block) => TensorName): TensorName {
  const parts = blocks.map((block) => {
    const given = part(block);
    return block.end === time ? given : graph.node('Pad', [given, graph.dimensions([0, 0, 0, 0, 0, 0, time - block.end, 0])]);
  });
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : graph.node('Sum', parts);
}

function operandsOf(node: { readonly op: string; readonly inputs: readonly number[] }, context: LoweringContext): Operands {
  return [0, 1, 2].map((index) => context.tensor(operand(node, index))) as [TensorName, TensorName, TensorName];
}

export const attentionRules: LoweringRules<'attention' | 'attentionGradient'> = {
  attention: (node, context) => {
    const shape = attentionShape(context, sizeOf(context.shapeOf(operand(node, 0)), TIME), node.attributes);
    return [attend(context.graph, blocksOf(context.graph, operandsOf(node, context), shape))];
  },
  // With P the probabilities and O the output: dV = P^T g; dS = P (g V^T - sum(g O)); dq = scale dS k; dk = dS^T (scale q).
  // sum(g O) over channels equals the sum of (g V^T) P over positions (FlashAttention, 2205.14135, appendix B.4), on a smaller tensor.
  attentionGradient: (node, context) => {
    const { graph } = context;
    const time = sizeOf(context.shapeOf(operand(node, 0)), TIME);
    const blocks = blocksOf(graph, operandsOf(node, context), attentionShape(context, time, node.attributes));
    const gradient = context.tensor(operand(node, 3));
    const mean = reduce(graph, 'ReduceSum', multiply(graph, gradient, attend(graph, blocks)), [-1], true);
    const rowsOf = (x: TensorName, { start, end }: Block) => positions(graph, x, time, start, end);
    const scoreGradient = (block: Block): TensorName => {
      const given = batchedMatmul(graph, rowsOf(gradient, block), block.values, 4, { transposeB: true });
      return multiply(graph, block.probabilities, subtract(graph, given, rowsOf(mean, block)));
    };
    const queryGradient = concat(
      graph,
      blocks.map((block) => batchedMatmul(graph, scoreGradient(block), block.keys, 4)),
      TIME,
    );
    return [
      multiply(graph, queryGradient, graph.scalar(node.attributes.scale)),
      sumOverBlocks(graph, blocks, time, (block) => batchedMatmul(graph, scoreGradient(block), block.queries, 4, { transposeA: true })),
      sumOverBlocks(graph, blocks, time, (block) =>
        batchedMatmul(graph, block.probabilities, rowsOf(gradient, block), 4, { transposeA: true }),
      ),
    ];
  },
};
