import type { OnnxGraph, TensorName } from '../graph';
import { int } from '../graph';
import {
  attend,
  blockRanges,
  causalMask,
  keyGradient,
  MASKED,
  positions as slicePositions,
  scoreGradients,
  sumOverBlocks,
  TIME,
  valueGradient,
  type AttentionBlock,
} from './attentionBlocks';
import { operand, operands, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { add, batchedMatmul, concat, multiply, range, reduce, reshape, slice, subtract, transpose } from './operators';

/**
 * On the CPU from this length on by blocks of queries, each against the keys up to its last one. Every query sees all of the cache, so that
 * four blocks save a fifth of the products (and a tenth of the time), and more cost more than they save.
 */
const LEAST_BLOCKED_TIME = 192;
const BLOCKS = 4;

const operandNames = ['q', 'k', 'v', 'memoryKeys', 'memoryValues', 'positions', 'seen'] as const;

interface RelativeShape {
  readonly batch: number;
  readonly heads: number;
  readonly time: number;
  readonly width: number;
  readonly scale: number;
  readonly blockSize: number;
}

/**
 * Of a program's operands: keys and values of cache and present joined, [batch, heads, 2*time, d]; and positions from the largest distance
 * to 0.
 */
interface RelativeOperands {
  readonly q: TensorName;
  readonly keys: TensorName;
  readonly values: TensorName;
  readonly descending: TensorName;
  /** [batch, 1, 1, 1]: what is added to the scores of cached keys, 0 or MASKED. */
  readonly cacheMask: TensorName;
}

/** A block with the positions of its distances: rows 1, 2, ... are those of the distances seen - 1, seen - 2, ..., 0, and row 0 is zero. */
interface RelativeBlock extends AttentionBlock {
  /** [heads, seen + 1, d]. */
  readonly distances: TensorName;
}

/** x [heads, n, ...] the other way round along its second axis. */
function reversed(graph: OnnxGraph, x: TensorName, length: number): TensorName {
  const backwards = graph.constant(
    'int32',
    [length],
    Array.from({ length }, (_, index) => length - 1 - index),
  );
  return graph.node('Gather', [x, backwards], { attributes: { axis: int(1) } });
}

/**
 * Scores by distance, to scores by key. Column m of row i [rows, columns + 1] (column 0 is nobody's) holds the distance of the key m + i -
 * rows; so one flat step more for each row is all that differs, and dropping the first `rows` elements moves every one to its key
 * (Transformer-XL, 1901.02860, appendix B). What has no distance gets something of another row and is masked.
 */
function byKey(graph: OnnxGraph, x: TensorName, { batch, heads }: RelativeShape, rows: number, columns: number): TensorName {
  const flat = reshape(graph, x, [batch, heads, rows * (columns + 1)]);
  return reshape(graph, slice(graph, flat, 2, rows, rows * (columns + 1)), [batch, heads, rows, columns]);
}

/** The way back, for gradients: [rows, columns + 1], whose column 0 holds nothing but gradients of masked scores, which are 0. */
function byDistance(graph: OnnxGraph, x: TensorName, { batch, heads }: RelativeShape, rows: number, columns: number): TensorName {
  const flat = reshape(graph, x, [batch, heads, rows * columns]);
  const moved = graph.node('Pad', [flat, graph.dimensions([0, 0, rows, 0, 0, 0])]);
  return reshape(graph, moved, [batch, heads, rows, columns + 1]);
}

type Relative = 'relativeAttention' | 'relativeAttentionGradient';

function relativeShape(context: LoweringContext, q: readonly number[], scale: number): RelativeShape {
  const [batch, heads, time, width] = [sizeOf(q, 0), sizeOf(q, 1), sizeOf(q, TIME), sizeOf(q, 3)];
  const blocked = context.device === 'cpu' && time >= LEAST_BLOCKED_TIME;
  return { batch, heads, time, width, scale, blockSize: blocked ? Math.ceil(time / BLOCKS) : time };
}

function relativeOperands(
  { graph, tensor }: LoweringContext,
  node: { readonly op: string; readonly inputs: readonly number[] },
  { batch, time }: RelativeShape,
): RelativeOperands {
  const { q, k, v, memoryKeys, memoryValues, positions, seen } = operands(node, operandNames);
  const unseen = multiply(graph, subtract(graph, graph.scalar(1), tensor(seen)), graph.scalar(MASKED));
  return {
    q: tensor(q),
    keys: concat(graph, [tensor(memoryKeys), tensor(k)], TIME),
    values: concat(graph, [tensor(memoryValues), tensor(v)], TIME),
    descending: reversed(graph, tensor(positions), 2 * time),
    cacheMask: reshape(graph, unseen, [batch, 1, 1, 1]),
  };
}

/** softmax of scale q_i . (k_j + positions[time + i - j]) over the keys that are seen; for the gradient again the same tensors. */
function blocksOf(graph: OnnxGraph, joined: RelativeOperands, shape: RelativeShape): readonly RelativeBlock[] {
  const { time, scale, blockSize } = shape;
  const scaled = multiply(graph, joined.q, graph.scalar(scale));
  return blockRanges(time, blockSize).map(([start, end]) => {
    const seen = time + end;
    const queries = slicePositions(graph, scaled, time, start, end);
    const keys = slicePositions(graph, joined.keys, 2 * time, 0, seen);
    const own = seen === 2 * time ? joined.descending : slice(graph, joined.descending, 1, time - end, 2 * time);
    const distances = graph.node('Pad', [own, graph.dimensions([0, 1, 0, 0, 0, 0])]);
    const byContent = batchedMatmul(graph, queries, keys, 4, { transposeB: true });
    const byPosition = graph.node('MatMul', [queries, transpose(graph, distances, [0, 2, 1])]);
    const scores = add(graph, byContent, byKey(graph, byPosition, shape, end - start, seen));
    const cached = graph.node('Less', [range(graph, 'int32', seen), graph.integer(time)]);
    const mask = add(graph, graph.node('Where', [cached, joined.cacheMask, graph.scalar(0)]), causalMask(graph, time + start, time + end));
    return { start, end, seen, queries, distances, probabilities: graph.node('Softmax', [add(graph, scores, mask)]) };
  });
}

export const relativeAttentionRules: LoweringRules<Relative> = {
  relativeAttention: (node, context) => {
    const shape = relativeShape(context, context.shapeOf(operand(node, 0)), node.attributes.scale);
    const joined = relativeOperands(context, node, shape);
    return [attend(context.graph, blocksOf(context.graph, joined, shape), joined.values, 2 * shape.time)];
  },
  // As in attention, and dpositions = dS^T (scale q) by distance, over the batch.
  relativeAttentionGradient: (node, context) => {
    const { graph } = context;
    const shape = relativeShape(context, context.shapeOf(operand(node, 0)), node.attributes.scale);
    const { time } = shape;
    const keys = 2 * time;
    const joined = relativeOperands(context, node, shape);
    const blocks = blocksOf(graph, joined, shape);
    const given = { values: joined.values, gradient: context.tensor(operand(node, 7)), time, keys };
    const gradients = scoreGradients(graph, blocks, given);
    const distanceGradients = gradients.map((gradient, index) => {
      const { start, end, seen } = blocks[index] as RelativeBlock;
      return byDistance(graph, gradient, shape, end - start, seen);
    });
    const queryGradient = concat(
      graph,
      blocks.map(({ seen, distances }, index) =>
        add(
          graph,
          batchedMatmul(graph, gradients[index] ?? '', slicePositions(graph, joined.keys, keys, 0, seen), 4),
          graph.node('MatMul', [distanceGradients[index] ?? '', distances]),
        ),
      ),
      TIME,
    );
    const descendingGradient = sumOverBlocks(
      graph,
      blocks.map(({ seen, queries }, index) => {
        const perWindow = batchedMatmul(graph, distanceGradients[index] ?? '', queries, 4, { transposeA: true });
        return { part: slice(graph, perWindow, TIME, 1, seen + 1), before: keys - seen };
      }),
    );
    const keyGradients = keyGradient(graph, blocks, gradients, keys);
    const valueGradients = valueGradient(graph, blocks, given);
    const half = (x: TensorName, first: boolean) => slice(graph, x, TIME, first ? 0 : time, first ? time : keys);
    return [
      multiply(graph, queryGradient, graph.scalar(shape.scale)),
      half(keyGradients, false),
      half(valueGradients, false),
      half(keyGradients, true),
      half(valueGradients, true),
      reversed(graph, reduce(graph, 'ReduceSum', descendingGradient, [0], false), keys),
    ];
  },
};
