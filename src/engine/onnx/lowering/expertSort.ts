import { int, text, type OnnxGraph, type TensorName } from '../graph';
import { cast, expand, range } from './operators';

/**
 * How often each number below `size` stands in the flat int32 `indices`, as `type`. Adds one by one, which only the CPU does in a fixed
 * order.
 */
export function tally(graph: OnnxGraph, indices: TensorName, length: number, size: number, type: 'float32' | 'int32'): TensorName {
  const [zero, one] = type === 'float32' ? [graph.scalar(0), graph.scalar(1)] : [graph.integer(0), graph.integer(1)];
  const zeros = expand(graph, zero, [size]);
  return graph.node('ScatterElements', [zeros, indices, expand(graph, one, [length])], {
    attributes: { axis: int(0), reduction: text('add') },
  });
}

export interface ExpertSort {
  /** int32 [length]: the pair at each place. */
  readonly order: TensorName;
  /** int32 [length]: the place of each pair. */
  readonly slots: TensorName;
}

/**
 * The flat int32 `indices` in ascending order, equal ones as they stood: TopK of everything, smallest first and ties to the lower index, is
 * a stable sort. CPU only: on WebGPU TopK takes no integers.
 */
export function sortedByExpert(graph: OnnxGraph, indices: TensorName, length: number): ExpertSort {
  const [, sorted] = graph.nodeWithOutputs('TopK', [indices, graph.dimensions([length])], 2, {
    attributes: { axis: int(0), largest: int(0), sorted: int(1) },
  });
  const order = cast(graph, sorted as TensorName, 'int32');
  const places = range(graph, 'int32', length);
  return { order, slots: graph.node('ScatterElements', [places, order, places], { attributes: { axis: int(0) } }) };
}
