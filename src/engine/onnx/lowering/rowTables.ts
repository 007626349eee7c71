import { int, text, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { cast, concat, expand, gather, gemm, reshape, slice, subtract, transpose, unsqueeze } from './operators';

/** The largest tensor made at once of gathered rows, or of coefficients by rows: 128 MiB of float32. */
const MOST_ELEMENTS = 2 ** 25;

interface Gathered {
  /** Units of this block. */
  readonly count: number;
  /** Their rows [count, k, d]. */
  readonly rows: TensorName;
  /** What belongs to them of a tensor [U, ...]. */
  of(x: TensorName): TensorName;
}

/**
 * `build` over blocks of units, with the rows of the table that they chose. rowDot and rowSum on the same table and indices, which are each other's
 * gradients, gather alike: the rows are read from the table once and kept from the forward to the backward pass, which on the CPU takes less time
 * than reading them again, however small the blocks.
 */
function byGatheredRows(
  { graph, shapeOf, tensor }: LoweringContext,
  node: { readonly op: string; readonly inputs: readonly number[] },
  build: (gathered: Gathered, k: number, width: number) => TensorName,
): TensorName {
  const [table, indices] = [operand(node, 0), operand(node, 1)];
  const [units, k, width] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1), sizeOf(shapeOf(table), 1)];
  const block = Math.min(units, Math.max(1, Math.floor(MOST_ELEMENTS / (k * width))));
  const starts = Array.from({ length: Math.ceil(units / block) }, (_, index) => index * block);
  const parts = starts.map((start) => {
    const end = Math.min(units, start + block);
    const of = (x: TensorName) => (end - start === units ? x : slice(graph, x, 0, start, end));
    return build({ count: end - start, rows: gather(graph, tensor(table), of(tensor(indices))), of }, k, width);
  });
  return concat(graph, parts, 0);
}

/** int32 `indices` less `start`, and `rows` for those outside [0, rows). */
function within(graph: OnnxGraph, indices: TensorName, start: number, rows: number): TensorName {
  const moved = start === 0 ? indices : subtract(graph, indices, graph.integer(start));
  const bounded = graph.node('Min', [moved, graph.integer(rows)]);
  return start === 0 ? bounded : graph.node('Where', [graph.node('Less', [moved, graph.integer(0)]), graph.integer(rows), bounded]);
}

/**
 * values [U, k] with, at each place, the sum of those of its row that have the same index: then it does not matter which of them is written last.
 * By blocks of units, since it compares every index with every other of its row.
 */
export function mergedValues(
  graph: OnnxGraph,
  indices: TensorName,
  values: TensorName,
  { units, k }: { readonly units: number; readonly k: number },
): TensorName {
  const block = Math.min(units, Math.max(1, Math.floor(MOST_ELEMENTS / (k * k))));
  const starts = Array.from({ length: Math.ceil(units / block) }, (_, index) => index * block);
  const parts = starts.map((start) => {
    const end = Math.min(units, start + block);
    const of = (x: TensorName) => (end - start === units ? x : slice(graph, x, 0, start, end));
    const own = of(indices);
    const equal = cast(graph, graph.node('Equal', [unsqueeze(graph, own, 2), unsqueeze(graph, own, 1)]), 'float32');
    return reshape(graph, graph.node('MatMul', [equal, unsqueeze(graph, of(values), 2)]), [end - start, k]);
  });
  return concat(graph, parts, 0);
}

export const rowTableRules: LoweringRules<'rowDot' | 'rowSum' | 'rowOuter'> = {
  rowDot: (node, context) => {
    const { graph, tensor } = context;
    const build = ({ count, rows, of }: Gathered, k: number, width: number) =>
      reshape(graph, graph.node('MatMul', [rows, reshape(graph, of(tensor(operand(node, 2))), [count, width, 1])]), [count, k]);
    return [byGatheredRows(context, node, build)];
  },
  rowSum: (node, context) => {
    const { graph, tensor } = context;
    const build = ({ count, rows, of }: Gathered, k: number, width: number) =>
      reshape(graph, graph.node('MatMul', [reshape(graph, of(tensor(operand(node, 2))), [count, 1, k]), rows]), [count, width]);
    return [byGatheredRows(context, node, build)];
  },
  // As a product: the coefficients by rows and units [N, U], where most are 0, times the vectors [U, d]. That is d times fewer additions than adding
  // row by row, which the CPU does on one thread, and of a fixed order on every device. In sections of the rows, so that memory does not grow with
  // N x U; in each, what belongs to others goes into a row of its own that is left out.
  rowOuter: (node, { graph, device, shapeOf, tensor, bind }) => {
    const [indices, coefficients, vectors] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    const total = bind(node.attributes.rows);
    const [units, k] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1)];
    const values = device === 'cpu' ? tensor(coefficients) : mergedValues(graph, tensor(indices), tensor(coefficients), { units, k });
    // Values of one row are added on the CPU; on WebGPU adding would be in no fixed order, and equal ones may overwrite each other.
    const attributes = { axis: int(0), reduction: text(device === 'cpu' ? 'add' : 'none') };
    const section = Math.min(total, Math.max(1, Math.floor(MOST_ELEMENTS / units)));
    const starts = Array.from({ length: Math.ceil(total / section) }, (_, index) => index * section);
    const sections = starts.map((start) => {
      const rows = Math.min(section, total - start);
      const all = rows === total;
      const own = transpose(graph, all ? tensor(indices) : within(graph, tensor(indices), start, rows), [1, 0]);
      const zeros = expand(graph, graph.scalar(0), [all ? rows : rows + 1, units]);
      const byRow = graph.node('ScatterElements', [zeros, own, transpose(graph, values, [1, 0])], { attributes });
      const sums = gemm(graph, byRow, tensor(vectors), false, false);
      return all ? sums : slice(graph, sums, 0, 0, rows);
    });
    return [concat(graph, sections, 0)];
  },
};
