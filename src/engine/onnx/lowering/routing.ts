import { elementCount } from '../../../graph/dimensions';
import type { ValueId } from '../../../graph/program';
import { int, text, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { cast, divide, expand, gather, multiply, oneHot, range, reduce, reshape, slice, unsqueeze } from './operators';

/** How often each of `experts` stands in the flat int32 `indices`, as `type`. Adds one by one, which only the CPU does in a fixed order. */
export function tally(graph: OnnxGraph, indices: TensorName, length: number, experts: number, type: 'float32' | 'int32'): TensorName {
  const [zero, one] = type === 'float32' ? [graph.scalar(0), graph.scalar(1)] : [graph.integer(0), graph.integer(1)];
  const zeros = expand(graph, zero, [experts]);
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
 * The flat int32 `indices` in ascending order, equal ones as they stood: TopK of everything, smallest first and ties to the lower index, is a
 * stable sort. CPU only: on WebGPU TopK takes no integers.
 */
export function sortedByExpert(graph: OnnxGraph, indices: TensorName, length: number): ExpertSort {
  const [, sorted] = graph.nodeWithOutputs('TopK', [indices, graph.dimensions([length])], 2, {
    attributes: { axis: int(0), largest: int(0), sorted: int(1) },
  });
  const order = cast(graph, sorted as TensorName, 'int32');
  const places = range(graph, 'int32', length);
  return { order, slots: graph.node('ScatterElements', [places, order, places], { attributes: { axis: int(0) } }) };
}

/**
 * The k largest columns by k rounds of maximum and first place: few small passes for a small k, and no 64-bit indices as from WebGPU's TopK.
 * Each round's choice is the lowest column among equals, as ONNX's TopK promises. Where x is not a number no column is equal to the
 * maximum; the last one is named then.
 */
function topKByRounds(graph: OnnxGraph, x: TensorName, columns: number, k: number): TensorName {
  const places = range(graph, 'float32', columns);
  const none = graph.scalar(columns - 1);
  let rest = x;
  const chosen: TensorName[] = [];
  for (let round = 0; round < k; round++) {
    const best = reduce(graph, 'ReduceMax', rest, [1], true);
    const place = reduce(graph, 'ReduceMin', graph.node('Where', [graph.node('Equal', [rest, best]), places, none]), [1], true);
    chosen.push(place);
    rest = graph.node('Where', [graph.node('Equal', [places, place]), graph.scalar(-3.4e38), rest]);
  }
  const [only] = chosen;
  const joined = only !== undefined && k === 1 ? only : graph.node('Concat', chosen, { attributes: { axis: int(1) } });
  return cast(graph, joined, 'int32');
}

interface RoutedRows {
  /** int32 [R]: the unit of each routed row. */
  readonly units: TensorName;
  /** float32 [R, 1]: 0 on rows that only pad; undefined where there are none. */
  readonly mask: TensorName | undefined;
}

/** Which unit a routed row belongs to; padding rows, whose order is -1, read unit 0 and are masked. */
function routedRows({ graph, device, shapeOf, tensor }: LoweringContext, slots: ValueId, order: ValueId): RoutedRows {
  const k = sizeOf(shapeOf(slots), 1);
  const rows = tensor(order);
  const divided = (x: TensorName) => (k === 1 ? x : divide(graph, x, graph.integer(k)));
  if (device === 'cpu') return { units: divided(rows), mask: undefined };
  const real = cast(graph, graph.node('GreaterOrEqual', [rows, graph.integer(0)]), 'float32');
  return { units: divided(graph.node('Max', [rows, graph.integer(0)])), mask: unsqueeze(graph, real, 1) };
}

const masked = (graph: OnnxGraph, x: TensorName, mask: TensorName | undefined): TensorName =>
  mask === undefined ? x : multiply(graph, x, mask);

/** y[slots] as [U, k, d], or [U, d] when k is 1. */
function gatherChoices({ graph, shapeOf, tensor }: LoweringContext, y: ValueId, slots: ValueId): TensorName {
  const [units, k] = [sizeOf(shapeOf(slots), 0), sizeOf(shapeOf(slots), 1)];
  return gather(graph, tensor(y), k === 1 ? reshape(graph, tensor(slots), [units]) : tensor(slots));
}

type Routing = 'topK' | 'takeAlongLast' | 'scatterAlongLast' | 'countChoices' | 'permute' | 'unpermute' | 'combine' | 'combineGradient';

export const routingRules: LoweringRules<Routing> = {
  topK: (node, { graph, device, shapeOf, tensor }) => {
    const x = operand(node, 0);
    const { k } = node.attributes;
    if (device === 'webgpu') return [topKByRounds(graph, tensor(x), sizeOf(shapeOf(x), 1), k)];
    const [, indices] = graph.nodeWithOutputs('TopK', [tensor(x), graph.dimensions([k])], 2, { attributes: { axis: int(1) } });
    return [cast(graph, indices as TensorName, 'int32')];
  },
  takeAlongLast: (node, { graph, tensor }) => [
    graph.node('GatherElements', [tensor(operand(node, 0)), tensor(operand(node, 1))], { attributes: { axis: int(1) } }),
  ],
  scatterAlongLast: (node, { graph, shapeOf, tensor, bind }) => {
    const [indices, values] = [operand(node, 0), operand(node, 1)];
    const zeros = expand(graph, graph.scalar(0), [sizeOf(shapeOf(indices), 0), bind(node.attributes.size)]);
    return [graph.node('ScatterElements', [zeros, tensor(indices), tensor(values)], { attributes: { axis: int(1) } })];
  },
  countChoices: (node, { graph, device, shapeOf, tensor }) => {
    const indices = operand(node, 0);
    const { experts, choices } = node.attributes;
    const [units, k] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1)];
    const length = units * choices;
    if (device === 'cpu') {
      const first = choices === k ? tensor(indices) : slice(graph, tensor(indices), 1, 0, choices);
      return [tally(graph, reshape(graph, first, [length]), length, experts, 'float32')];
    }
    const chosen = oneHot(graph, tensor(indices), 2, experts);
    return [reduce(graph, 'ReduceSum', choices === k ? chosen : slice(graph, chosen, 1, 0, choices), [0, 1], false)];
  },
  permute: (node, context) => {
    const { units, mask } = routedRows(context, operand(node, 1), operand(node, 2));
    return [masked(context.graph, gather(context.graph, context.tensor(operand(node, 0)), units), mask)];
  },
  unpermute: (node, context) => {
    const chosen = gatherChoices(context, operand(node, 0), operand(node, 1));
    return [sizeOf(context.shapeOf(operand(node, 1)), 1) === 1 ? chosen : reduce(context.graph, 'ReduceSum', chosen, [1], false)];
  },
  combine: (node, context) => {
    const { graph } = context;
    const chosen = gatherChoices(context, operand(node, 0), operand(node, 2));
    const weights = context.tensor(operand(node, 1));
    if (sizeOf(context.shapeOf(operand(node, 1)), 1) === 1) return [multiply(graph, chosen, weights)];
    return [reduce(graph, 'ReduceSum', multiply(graph, chosen, unsqueeze(graph, weights, 2)), [1], false)];
  },
  // Row r = (unit u, choice j): dy[r] = weights[u, j] g[u]; dweights[u, j] = g[u] . y[slots[u, j]].
  combineGradient: (node, context) => {
    const { graph, shapeOf, tensor } = context;
    const [y, weights, slots, order, g] = [0, 1, 2, 3, 4].map((index) => operand(node, index)) as [
      ValueId,
      ValueId,
      ValueId,
      ValueId,
      ValueId,
    ];
    const { units, mask } = routedRows(context, slots, order);
    const pairs = elementCount(shapeOf(weights));
    const pairOfRow = context.device === 'cpu' ? tensor(order) : graph.node('Max', [tensor(order), graph.integer(0)]);
    const weightOfRow = gather(graph, reshape(graph, tensor(weights), [pairs, 1]), pairOfRow);
    const dy = multiply(graph, gather(graph, tensor(g), units), masked(graph, weightOfRow, mask));
    const chosen = gatherChoices(context, y, slots);
    const one = sizeOf(shapeOf(weights), 1) === 1;
    const dweights = one
      ? reduce(graph, 'ReduceSum', multiply(graph, chosen, tensor(g)), [1], true)
      : reduce(graph, 'ReduceSum', multiply(graph, chosen, unsqueeze(graph, tensor(g), 1)), [2], false);
    return [dy, dweights];
  },
};
