import { int, text, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { cast, concat, expand, gather, gemm, reshape, slice, subtract, transpose, unsqueeze } from './operators';

type Pieces = Pick<LoweringContext, 'graph' | 'mostElements'>;

/** Some of the units: `of` gives what belongs to them of a tensor [U, ...]. */
interface Block {
  readonly count: number;
  of(x: TensorName): TensorName;
}

/** [count, ...] for each block of units, joined. A block is as large as `mostElements` allow, of `perUnit` elements for each. */
function byBlocks({ graph, mostElements }: Pieces, units: number, perUnit: number, build: (block: Block) => TensorName): TensorName {
  const size = Math.min(units, Math.max(1, Math.floor(mostElements / perUnit)));
  const parts = Array.from({ length: Math.ceil(units / size) }, (_, index) => {
    const start = index * size;
    const count = Math.min(size, units - start);
    const own = Array.from({ length: count }, (__, unit) => start + unit);
    // Gathered, because WebGPU slices no integers.
    const of = (x: TensorName) => (count === units ? x : gather(graph, x, graph.constant('int32', [count], own)));
    return build({ count, of });
  });
  return concat(graph, parts, 0);
}

interface Gathered extends Block {
  /** The rows that the block's units chose [count, k, d]. */
  readonly rows: TensorName;
  readonly k: number;
  readonly width: number;
}

/**
 * `build` over blocks of units, with the rows of the table that they chose. rowDot and rowSum on the same table and indices, which are each other's
 * gradients, gather alike: the rows are read from the table once and kept from the forward to the backward pass, which on the CPU takes
 * less time than reading them again, however small the blocks.
 */
function byGatheredRows(
  context: LoweringContext,
  node: { readonly op: string; readonly inputs: readonly number[] },
  build: (gathered: Gathered) => TensorName,
): TensorName {
  const { graph, shapeOf, tensor } = context;
  const [table, indices] = [operand(node, 0), operand(node, 1)];
  const [units, k, width] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1), sizeOf(shapeOf(table), 1)];
  return byBlocks(context, units, k * width, (block) =>
    build({ ...block, rows: gather(graph, tensor(table), block.of(tensor(indices))), k, width }),
  );
}

/** int32 `indices` less `start`, and `rows` for those outside [0, rows). */
function within(graph: OnnxGraph, indices: TensorName, start: number, rows: number): TensorName {
  const moved = start === 0 ? indices : subtract(graph, indices, graph.integer(start));
  const bounded = graph.node('Min', [moved, graph.integer(rows)]);
  return start === 0 ? bounded : graph.node('Where', [graph.node('Less', [moved, graph.integer(0)]), graph.integer(rows), bounded]);
}

/**
 * values [U, k] with, at each place, the sum of those of its row that have the same index: then it does not matter which of them is written
 * last. Every index is compared with every other of its row.
 */
export function mergedValues(
  context: Pieces,
  indices: TensorName,
  values: TensorName,
  { units, k }: { readonly units: number; readonly k: number },
): TensorName {
  const { graph } = context;
  return byBlocks(context, units, k * k, ({ count, of }) => {
    const own = of(indices);
    const equal = cast(graph, graph.node('Equal', [unsqueeze(graph, own, 2), unsqueeze(graph, own, 1)]), 'float32');
    return reshape(graph, graph.node('MatMul', [equal, unsqueeze(graph, of(values), 2)]), [count, k]);
  });
}

export const rowTableRules: LoweringRules<'rowDot' | 'rowSum' | 'rowOuter'> = {
  rowDot: (node, context) => {
    const { graph, tensor } = context;
    const product = ({ count, rows, of, k, width }: Gathered) =>
      reshape(graph, graph.node('MatMul', [rows, reshape(graph, of(tensor(operand(node, 2))), [count, width, 1])]), [count, k]);
    return [byGatheredRows(context, node, product)];
  },
  rowSum: (node, context) => {
    const { graph, tensor } = context;
    const product = ({ count, rows, of, k, width }: Gathered) =>
      reshape(graph, graph.node('MatMul', [reshape(graph, of(tensor(operand(node, 2))), [count, 1, k]), rows]), [count, width]);
    return [byGatheredRows(context, node, product)];
  },
  // As a product: the coefficients by rows and units [N, U], where most are 0, times the vectors [U, d]. That is d times fewer additions
  // than adding row by row, which the CPU does on one thread, and of a fixed order on every device. In sections of the rows, so that memory
  // does not grow with N x U; in each, what belongs to others goes into a row of its own that is left out.
  rowOuter: (node, context) => {
    const { graph, device, mostElements, shapeOf, tensor, bind } = context;
    const [indices, coefficients, vectors] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    const total = bind(node.attributes.rows);
    const [units, k] = [sizeOf(shapeOf(indices), 0), sizeOf(shapeOf(indices), 1)];
    const values = device === 'cpu' ? tensor(coefficients) : mergedValues(context, tensor(indices), tensor(coefficients), { units, k });
    // Values of one row are added on the CPU; on WebGPU adding would be in no fixed order, and equal ones may overwrite each other.
    const attributes = { axis: int(0), reduction: text(device === 'cpu' ? 'add' : 'none') };
    const section = Math.min(total, Math.max(1, Math.floor(mostElements / units)));
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
