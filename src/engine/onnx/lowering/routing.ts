import { elementCount } from '../../../graph/dimensions';
import type { ValueId } from '../../../graph/program';
import { int, text, type OnnxGraph, type TensorName } from '../graph';
import { operand, operands, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { tallyOfExperts } from './nowhere';
import { cast, divide, expand, gather, multiply, oneHot, reduce, reshape, slice, unsqueeze } from './operators';
import { mergedValues } from './rowTables';

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

type Routing = 'takeAlongLast' | 'scatterAlongLast' | 'countChoices' | 'permute' | 'unpermute' | 'combine' | 'combineGradient';

export const routingRules: LoweringRules<Routing> = {
  takeAlongLast: (node, { graph, tensor }) => [
    graph.node('GatherElements', [tensor(operand(node, 0)), tensor(operand(node, 1))], { attributes: { axis: int(1) } }),
  ],
  // Of top-k a row's columns are distinct. Else values of one column are added, as in rowOuter.
  scatterAlongLast: (node, context) => {
    const { graph, device, shapeOf, tensor, bind, producerOf } = context;
    const [indices, values] = [operand(node, 0), operand(node, 1)];
    const [units, k] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1)];
    const zeros = expand(graph, graph.scalar(0), [units, bind(node.attributes.size)]);
    const distinct = k === 1 || producerOf(indices)?.op === 'topK';
    const merged = distinct || device === 'cpu' ? tensor(values) : mergedValues(context, tensor(indices), tensor(values), { units, k });
    const reduction = text(distinct || device === 'webgpu' ? 'none' : 'add');
    return [graph.node('ScatterElements', [zeros, tensor(indices), merged], { attributes: { axis: int(1), reduction } })];
  },
  countChoices: (node, context) => {
    const { graph, device, shapeOf, tensor } = context;
    const indices = operand(node, 0);
    const { experts, choices } = node.attributes;
    const [units, k] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1)];
    const length = units * choices;
    if (device === 'cpu') {
      const first = choices === k ? tensor(indices) : slice(graph, tensor(indices), 1, 0, choices);
      return [tallyOfExperts(context, indices, reshape(graph, first, [length]), { length, experts, type: 'float32' }).counts];
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
    const { y, weights, slots, order, g } = operands(node, ['y', 'weights', 'slots', 'order', 'g']);
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
