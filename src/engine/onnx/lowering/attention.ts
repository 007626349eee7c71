import type { OnnxGraph, TensorName } from '../graph';
import {
  attend,
  blockRanges,
  causalMask,
  keyGradient,
  positions,
  scoreGradients,
  TIME,
  valueGradient,
  type AttentionBlock,
} from './attentionBlocks';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { add, batchedMatmul, concat, multiply } from './operators';

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

export function attentionShape(
  { device }: LoweringContext,
  time: number,
  { causal, scale }: { readonly causal: boolean; readonly scale: number },
): AttentionShape {
  const blocked = device === 'cpu' && causal && time >= LEAST_BLOCKED_TIME;
  return { causal, scale, time, blockSize: blocked ? Math.max(64, Math.ceil(time / 8)) : time };
}

/** softmax(scale q k^T + mask) by blocks. Whoever asks for the same blocks again, as the gradient does, is given the same tensors. */
export function blocksOf(
  graph: OnnxGraph,
  q: TensorName,
  k: TensorName,
  { time, causal, scale, blockSize }: AttentionShape,
): readonly AttentionBlock[] {
  const scaled = multiply(graph, q, graph.scalar(scale));
  return blockRanges(time, blockSize).map(([start, end]) => {
    const queries = positions(graph, scaled, time, start, end);
    const scores = batchedMatmul(graph, queries, positions(graph, k, time, 0, end), 4, { transposeB: true });
    const probabilities = graph.node('Softmax', [causal ? add(graph, scores, causalMask(graph, start, end)) : scores]);
    return { start, end, seen: end, queries, probabilities };
  });
}

export const attentionRules: LoweringRules<'attention' | 'attentionGradient'> = {
  attention: (node, context) => {
    const time = sizeOf(context.shapeOf(operand(node, 0)), TIME);
    const [q, k, v] = [context.tensor(operand(node, 0)), context.tensor(operand(node, 1)), context.tensor(operand(node, 2))];
    return [attend(context.graph, blocksOf(context.graph, q, k, attentionShape(context, time, node.attributes)), v, time)];
  },
  attentionGradient: (node, context) => {
    const { graph, tensor } = context;
    const time = sizeOf(context.shapeOf(operand(node, 0)), TIME);
    const [q, k, values] = [tensor(operand(node, 0)), tensor(operand(node, 1)), tensor(operand(node, 2))];
    const blocks = blocksOf(graph, q, k, attentionShape(context, time, node.attributes));
    const given = { values, gradient: tensor(operand(node, 3)), time, keys: time };
    const gradients = scoreGradients(graph, blocks, given);
    // dq = scale dS k.
    const queryGradient = concat(
      graph,
      blocks.map(({ seen }, index) => batchedMatmul(graph, gradients[index] ?? '', positions(graph, k, time, 0, seen), 4)),
      TIME,
    );
    return [
      multiply(graph, queryGradient, graph.scalar(node.attributes.scale)),
      keyGradient(graph, blocks, gradients, time),
      valueGradient(graph, blocks, given),
    ];
  },
};
