import { expertCapacity } from '../../../graph/capacity';
import { elementCount } from '../../../graph/dimensions';
import { int, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringRules } from './context';
import { mayGoNowhere, somewhere } from './nowhere';
import { cast, gather, multiply, oneHot, range, reduce, reshape, subtract, transpose } from './operators';
import { sortedByExpert, tally } from './expertSort';

/** For each of the flat int32 `indices` [length], numbers below `size`, how many before it name the same. */
function earlierPairs(graph: OnnxGraph, indices: TensorName, length: number, size: number): TensorName {
  // The place in a stable sort by expert, less the place where the expert's own begin: no [length, experts] tensor is made.
  const { slots } = sortedByExpert(graph, indices, length);
  const counts = tally(graph, indices, length, size, 'int32');
  const starts = graph.node('CumSum', [counts, graph.integer(0)], { attributes: { exclusive: int(1) } });
  return subtract(graph, slots, gather(graph, starts, indices));
}

/**
 * The same where nothing sorts: by the running sum of a one-hot [length, experts], which `route` makes as well. float32, exact below 2^24.
 */
function earlierPairsByOneHot(graph: OnnxGraph, indices: TensorName, experts: number): TensorName {
  const chosen = oneHot(graph, indices, 1, experts);
  const earlier = graph.node('CumSum', [chosen, graph.integer(0)], { attributes: { exclusive: int(1) } });
  return reduce(graph, 'ReduceSum', multiply(graph, earlier, chosen), [1], false);
}

export const capacityRules: LoweringRules<'withinCapacity' | 'expertChoice'> = {
  withinCapacity: (node, context) => {
    const { graph, device, shapeOf, tensor } = context;
    const indices = operand(node, 0);
    const { experts, factor, order } = node.attributes;
    const shape = shapeOf(indices);
    const pairs = elementCount(shape);
    const capacity = expertCapacity(factor, pairs, experts);
    // Under `choice` order the pairs stand by columns: all first choices, then all second ones.
    const [units, k] = [sizeOf(shape, 0), sizeOf(shape, 1)];
    const byColumn = order === 'choice' && k > 1;
    const flat = reshape(graph, byColumn ? transpose(graph, tensor(indices), [1, 0]) : tensor(indices), [pairs]);
    const nowhere = mayGoNowhere(context, indices);
    const earlier =
      device === 'cpu'
        ? graph.node('Less', [earlierPairs(graph, flat, pairs, nowhere ? experts + 1 : experts), graph.integer(capacity)])
        : graph.node('Less', [earlierPairsByOneHot(graph, flat, experts), graph.scalar(capacity)]);
    const inside = cast(graph, earlier, 'float32');
    const kept = nowhere ? somewhere(graph, inside, flat, experts) : inside;
    return [byColumn ? transpose(graph, reshape(graph, kept, [k, units]), [1, 0]) : reshape(graph, kept, shape)];
  },
  // TopK gives ties to the lower index on both devices. On WebGPU its int64 indices can only be gathered with, so the units are looked up
  // in a table of themselves. There it sorts rows padded to a power of two: at most 16 experts x units bytes beside its outputs.
  expertChoice: (node, { graph, device, shapeOf, tensor, bind }) => {
    const scores = operand(node, 0);
    const units = sizeOf(shapeOf(scores), 0);
    const chosen = bind(node.attributes.capacity);
    const byExpert = transpose(graph, tensor(scores), [1, 0]);
    const [, indices] = graph.nodeWithOutputs('TopK', [byExpert, graph.dimensions([chosen])], 2, { attributes: { axis: int(1) } });
    if (device === 'webgpu') return [gather(graph, range(graph, 'int32', units), indices as TensorName)];
    return [cast(graph, indices as TensorName, 'int32')];
  },
};
