import { int, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { add, cast, concat, gather, multiply, range, reduce, reshape } from './operators';

/** Up to this k WebGPU takes the largest one by one, which is fewer passes than sorting. */
const MOST_ROUNDS = 4;

interface Ranked {
  /** int32 [rows, k]. */
  readonly columns: TensorName;
  /** [rows, k]. */
  readonly values: TensorName;
}

/**
 * The k largest of each row of x [rows, columns], largest first, ties to the lower column. On WebGPU TopK sorts a row in one workgroup (up
 * to 2,048 columns); of its int64 indices can only be gathered, so columns are looked up in a table of themselves.
 */
export function largest({ graph, device }: Pick<LoweringContext, 'graph' | 'device'>, x: TensorName, columns: number, k: number): Ranked {
  const [values, places] = graph.nodeWithOutputs('TopK', [x, graph.dimensions([k])], 2, { attributes: { axis: int(1) } }) as [
    TensorName,
    TensorName,
  ];
  const found = device === 'cpu' ? cast(graph, places, 'int32') : gather(graph, range(graph, 'int32', columns), places);
  return { columns: found, values };
}

/**
 * The k largest columns by k rounds of maximum and first place. Each round's choice is the lowest column among equals, as ONNX's TopK
 * promises. Where x is not a number no column is equal to the maximum; the last one is named then.
 */
function largestByRounds(graph: OnnxGraph, x: TensorName, columns: number, k: number): TensorName {
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
  return cast(graph, concat(graph, chosen, 1), 'int32');
}

/**
 * x[row, places[row, j]] for int32 x [rows, n] below 2^24 and places [rows, k]. By way of float32, since WebGPU gathers no single integers.
 */
function take(graph: OnnxGraph, x: TensorName, places: TensorName): TensorName {
  return cast(graph, graph.node('GatherElements', [cast(graph, x, 'float32'), places], { attributes: { axis: int(1) } }), 'int32');
}

/**
 * Which places (i, j) of two rankings can hold one of the k largest sums, row by row: before (i, j) come the (i + 1)(j + 1) - 1 sums of
 * places no lower in either, none of them smaller. 50 of 256 for k = 16.
 */
export function candidates(k: number): readonly { readonly first: number; readonly second: number }[] {
  return Array.from({ length: k }, (_, first) =>
    Array.from({ length: Math.floor(k / (first + 1)) }, (__, second) => ({ first, second })),
  ).flat();
}

export const rankingRules: LoweringRules<'topK' | 'productKeys'> = {
  topK: (node, { graph, device, shapeOf, tensor }) => {
    const x = operand(node, 0);
    const { k, groups } = node.attributes;
    const [units, columns] = [sizeOf(shapeOf(x), 0), sizeOf(shapeOf(x), 1)];
    const section = columns / groups;
    const sections = groups === 1 ? tensor(x) : reshape(graph, tensor(x), [units * groups, section]);
    const chosen =
      device === 'webgpu' && k <= MOST_ROUNDS
        ? largestByRounds(graph, sections, section, k)
        : largest({ graph, device }, sections, section, k).columns;
    if (groups === 1) return [chosen];
    const starts = graph.constant(
      'int32',
      [groups, 1],
      Array.from({ length: groups }, (_, group) => group * section),
    );
    return [reshape(graph, add(graph, reshape(graph, chosen, [units, groups, k]), starts), [units, groups * k])];
  },
  // The k largest of each side, then the k largest of the sums that can be among them.
  productKeys: (node, context) => {
    const { graph, shapeOf, tensor } = context;
    const { k } = node.attributes;
    const keys = sizeOf(shapeOf(operand(node, 0)), 1);
    const [a, b] = [largest(context, tensor(operand(node, 0)), keys, k), largest(context, tensor(operand(node, 1)), keys, k)];
    const pairs = candidates(k);
    const ranks = {
      first: graph.constant(
        'int32',
        [pairs.length],
        pairs.map(({ first }) => first),
      ),
      second: graph.constant(
        'int32',
        [pairs.length],
        pairs.map(({ second }) => second),
      ),
    };
    const ofPairs = (x: TensorName, ofSide: TensorName) => graph.node('Gather', [x, ofSide], { attributes: { axis: int(1) } });
    const sums = add(graph, ofPairs(a.values, ranks.first), ofPairs(b.values, ranks.second));
    const best = largest(context, sums, pairs.length, k).columns;
    const first = take(graph, a.columns, gather(graph, ranks.first, best));
    const second = take(graph, b.columns, gather(graph, ranks.second, best));
    return [add(graph, multiply(graph, first, graph.integer(keys)), second), first, second];
  },
};
