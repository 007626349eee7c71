import { elementCount } from '../../../graph/dimensions';
import type { ValueId } from '../../../graph/program';
import { int, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type Blocks, type LoweringContext, type LoweringRules } from './context';
import { mayGoNowhere } from './nowhere';
import { add, cast, expand, gather, multiply, oneHot, range, reduce, reshape, transpose, unsqueeze } from './operators';

/**
 * Routing for GPUs: every expert's rows are padded to whole blocks, so that all shapes are static and one batched product does all
 * experts. At most ceil(pairs / size) + experts blocks are needed, whatever the routing.
 */

/**
 * Rows in a block for `pairs` routed (unit, choice) pairs. Padding costs up to experts * size / pairs more rows, and adding up the blocks'
 * weight gradients about experts / (3 size) of the products' work: together least at size = sqrt(pairs / 3).
 */
export function blockSize(pairs: number): number {
  const best = 2 ** Math.round(Math.log2(Math.sqrt(pairs / 3)));
  return Math.min(128, Math.max(16, best));
}

export function blockCount(pairs: number, experts: number): number {
  return Math.ceil(pairs / blockSize(pairs)) + experts;
}

function blocksOf(context: LoweringContext, counts: ValueId): Blocks {
  const blocks = context.blocks.get(counts);
  if (blocks === undefined) throw new RangeError('expertMatmul needs the counts of a route.');
  return blocks;
}

/** x [R, d] as [blocks, size, d]. */
function inBlocks(context: LoweringContext, x: ValueId, blocks: Blocks): TensorName {
  return reshape(context.graph, context.tensor(x), [blocks.count, blocks.size, sizeOf(context.shapeOf(x), 1)]);
}

/** The running sum over the first axis, in float32: exact for counts below 2^24. */
const runningSum = (graph: OnnxGraph, x: TensorName, exclusive: boolean): TensorName =>
  graph.node('CumSum', [x, graph.integer(0)], { attributes: { exclusive: int(exclusive ? 1 : 0) } });

interface Places {
  /** int32 [pairs]: the row of each pair. */
  readonly slots: TensorName;
  /** int32 [pairs]: what `order` holds at that row. */
  readonly pairs: TensorName;
}

/**
 * Pairs that go nowhere all lie in the very last row, which only pads: at least one block is nobody's, since no expert wastes a whole one.
 * That row is zero, so what is made of it is too, and all write the same -1 there.
 */
function withNowhere(graph: OnnxGraph, { slots, pairs }: Places, indices: TensorName, experts: number, rows: number): Places {
  const nowhere = graph.node('GreaterOrEqual', [indices, graph.integer(experts)]);
  return {
    slots: graph.node('Where', [nowhere, graph.integer(rows - 1), slots]),
    pairs: graph.node('Where', [nowhere, graph.integer(-1), pairs]),
  };
}

export const blockedExpertRules: LoweringRules<'route' | 'expertMatmul' | 'expertMatmulGradient'> = {
  // A pair's slot = the first row of its expert's blocks + how many pairs before it chose the same expert.
  route: (node, context) => {
    const { graph, shapeOf, tensor } = context;
    const indices = operand(node, 0);
    const shape = shapeOf(indices);
    const { experts } = node.attributes;
    const pairs = elementCount(shape);
    const [size, count] = [blockSize(pairs), blockCount(pairs, experts)];
    const flat = reshape(graph, tensor(indices), [pairs]);
    const chosen = oneHot(graph, flat, 1, experts);
    const counts = reduce(graph, 'ReduceSum', chosen, [0], false);
    const full = graph.node('Floor', [multiply(graph, add(graph, counts, graph.scalar(size - 1)), graph.scalar(1 / size))]);
    const firstRow = multiply(graph, runningSum(graph, full, true), graph.scalar(size));
    const earlier = add(graph, runningSum(graph, chosen, true), firstRow);
    const own = cast(graph, reduce(graph, 'ReduceSum', multiply(graph, earlier, chosen), [1], false), 'int32');
    const places = { slots: own, pairs: range(graph, 'int32', pairs) };
    const { slots, pairs: written } = mayGoNowhere(context, indices) ? withNowhere(graph, places, flat, experts, count * size) : places;
    const padding = expand(graph, graph.integer(-1), [count * size]);
    const order = graph.node('ScatterElements', [padding, slots, written], { attributes: { axis: int(0) } });

    // Block b belongs to the expert after all those whose blocks end at or before b.
    const ends = runningSum(graph, full, false);
    const block = unsqueeze(graph, range(graph, 'float32', count), 1);
    const ended = cast(graph, graph.node('GreaterOrEqual', [block, ends]), 'float32');
    const owner = graph.node('Min', [reduce(graph, 'ReduceSum', ended, [1], false), graph.scalar(experts - 1)]);
    const [, , countsValue] = node.outputs;
    if (countsValue !== undefined) context.blocks.set(countsValue, { count, size, experts: cast(graph, owner, 'int32') });
    return [reshape(graph, slots, shape), order, cast(graph, counts, 'int32')];
  },
  expertMatmul: (node, context) => {
    const { graph } = context;
    const [x, weight, counts] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    const blocks = blocksOf(context, counts);
    const { transposeWeight } = node.attributes;
    const stacked = transposeWeight ? transpose(graph, context.tensor(weight), [0, 2, 1]) : context.tensor(weight);
    const products = graph.node('MatMul', [inBlocks(context, x, blocks), gather(graph, stacked, blocks.experts)]);
    return [reshape(graph, products, [blocks.count * blocks.size, sizeOf(context.shapeOf(weight), transposeWeight ? 1 : 2)])];
  },
  // Padding rows are zero on both sides, so blocks that hold nobody's rows add nothing, and an expert without blocks gets exact zeros.
  expertMatmulGradient: (node, context) => {
    const { graph, shapeOf } = context;
    const [x, g, counts] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    const blocks = blocksOf(context, counts);
    const [inner, columns, experts] = [sizeOf(shapeOf(x), 1), sizeOf(shapeOf(g), 1), sizeOf(shapeOf(counts), 0)];
    const left = transpose(graph, inBlocks(context, x, blocks), [0, 2, 1]);
    const perBlock = reshape(graph, graph.node('MatMul', [left, inBlocks(context, g, blocks)]), [blocks.count, inner * columns]);
    const owners = transpose(graph, oneHot(graph, blocks.experts, 1, experts), [1, 0]);
    return [reshape(graph, graph.node('MatMul', [owners, perBlock]), [experts, inner, columns])];
  },
};
