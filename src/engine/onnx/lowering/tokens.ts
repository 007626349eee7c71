import { elementCount } from '../../../graph/dimensions';
import { int, text, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { cast, concat, expand, gather, gemm, multiply, oneHot, reduce, reshape, subtract, transpose, unsqueeze } from './operators';

/** Up to this many rows a one-hot product is faster on the CPU than adding row by row, which runs on one thread. */
const ONE_HOT_ROWS = 1024;

/** log softmax over the last axis [N, V]. WebGPU has no LogSoftmax, so there it is written out. */
function logSoftmax({ graph, device }: LoweringContext, logits: TensorName): TensorName {
  if (device === 'cpu') return graph.node('LogSoftmax', [logits]);
  const shifted = subtract(graph, logits, reduce(graph, 'ReduceMax', logits, [-1], true));
  const total = reduce(graph, 'ReduceSum', graph.node('Exp', [shifted]), [-1], true);
  return subtract(graph, shifted, graph.node('Log', [total]));
}

/** Targets as [N, 1], ignored ones as 0, and a float mask [N, 1] that is 0 where ignored. */
function scoredTargets(graph: OnnxGraph, targets: TensorName): { readonly columns: TensorName; readonly mask: TensorName } {
  const mask = cast(graph, graph.node('GreaterOrEqual', [targets, graph.integer(0)]), 'float32');
  const columns = graph.node('Max', [targets, graph.integer(0)]);
  return { columns: unsqueeze(graph, columns, 1), mask: unsqueeze(graph, mask, 1) };
}

/**
 * The values [count, d] added into their rows [rows, d], as products with one-hots of at most `limit` elements: each makes a section of the
 * rows, so that memory does not grow with count x rows.
 */
export function sumRowsByProducts(
  graph: OnnxGraph,
  indices: TensorName,
  values: TensorName,
  { count, rows, limit }: { readonly count: number; readonly rows: number; readonly limit: number },
): TensorName {
  const section = Math.max(1, Math.floor(limit / count));
  const starts = Array.from({ length: Math.ceil(rows / section) }, (_, index) => index * section);
  const sums = starts.map((start) => {
    const within = start === 0 ? indices : subtract(graph, indices, graph.integer(start));
    const chosen = oneHot(graph, within, 1, Math.min(section, rows - start));
    return graph.node('MatMul', [transpose(graph, chosen, [1, 0]), values]);
  });
  return concat(graph, sums, 0);
}

export const tokenRules: LoweringRules<'gatherRows' | 'scatterRows' | 'crossEntropy' | 'crossEntropyGradient'> = {
  gatherRows: (node, context) => [gather(context.graph, context.tensor(operand(node, 0)), context.tensor(operand(node, 1)))],
  scatterRows: (node, context) => {
    const { graph, device, mostElements } = context;
    const rows = context.bind(node.attributes.rows);
    const [indices, values] = [operand(node, 0), operand(node, 1)];
    const count = elementCount(context.shapeOf(indices));
    const width = sizeOf(context.shapeOf(values), -1);
    const flatIndices = reshape(graph, context.tensor(indices), [count]);
    const flatValues = reshape(graph, context.tensor(values), [count, width]);
    // On WebGPU always by a product: its atomic additions would make the sum depend on timing.
    if (device === 'webgpu') return [sumRowsByProducts(graph, flatIndices, flatValues, { count, rows, limit: mostElements })];
    if (rows <= ONE_HOT_ROWS) return [gemm(graph, oneHot(graph, flatIndices, 1, rows), flatValues, true, false)];
    const zeros = expand(graph, graph.scalar(0), [rows, width]);
    const everyColumn = expand(graph, unsqueeze(graph, flatIndices, 1), [count, width]);
    return [graph.node('ScatterElements', [zeros, everyColumn, flatValues], { attributes: { axis: int(0), reduction: text('add') } })];
  },
  crossEntropy: (node, context) => {
    const { graph } = context;
    const [logits, targets] = [operand(node, 0), operand(node, 1)];
    const { columns, mask } = scoredTargets(graph, context.tensor(targets));
    const chosen = graph.node('GatherElements', [logSoftmax(context, context.tensor(logits)), columns], { attributes: { axis: int(1) } });
    const scored = multiply(graph, graph.node('Neg', [chosen]), mask);
    return [reshape(graph, scored, [elementCount(context.shapeOf(targets))])];
  },
  // (softmax - one-hot) g, as softmax * g with g taken off at the target, so that no [N, V] one-hot is made on the CPU.
  crossEntropyGradient: (node, context) => {
    const { graph, device } = context;
    const [logits, targets, g] = [context.tensor(operand(node, 0)), context.tensor(operand(node, 1)), context.tensor(operand(node, 2))];
    const { columns, mask } = scoredTargets(graph, targets);
    const weight = multiply(graph, unsqueeze(graph, g, 1), mask);
    const probabilities = graph.node('Exp', [logSoftmax(context, logits)]);
    if (device === 'webgpu') {
      const vocabulary = sizeOf(context.shapeOf(operand(node, 0)), 1);
      return [multiply(graph, subtract(graph, probabilities, oneHot(graph, targets, 1, vocabulary)), weight)];
    }
    const scaled = multiply(graph, probabilities, weight);
    const taken = graph.node('Neg', [weight]);
    return [graph.node('ScatterElements', [scaled, columns, taken], { attributes: { axis: int(1), reduction: text('add') } })];
  },
};
