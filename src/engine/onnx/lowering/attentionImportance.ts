import type { PrimitiveAttributes } from '../../../graph/primitives';
import type { OnnxGraph, TensorName } from '../graph';
import { attentionShape, blocksOf } from './attention';
import { TIME, type AttentionBlock } from './attentionBlocks';
import { operand, sizeOf, type LoweringRules } from './context';
import { add, concat, divide, multiply, range, reduce, slice } from './operators';

/** Probabilities below this add nothing to an entropy in float32, and their logarithm is finite on every device. */
const LEAST_PROBABILITY = 1e-30;

/** The least importance by entropy that the definition has. */
const LEAST_CONCENTRATION = 1e-6;

type Statistic = PrimitiveAttributes['attentionImportance']['statistic'];

/** Per head, what the block's probabilities tell: [batch, heads, its queries], or of `received` and `cls_row`, which have one block, [batch, heads, time]. */
function blockImportance(
  graph: OnnxGraph,
  { probabilities, start, end }: AttentionBlock,
  statistic: Statistic,
  causal: boolean,
): TensorName {
  switch (statistic) {
    case 'received':
      return reduce(graph, 'ReduceMean', probabilities, [2], false);
    case 'cls_row':
      return reduce(graph, 'ReduceSum', slice(graph, probabilities, 2, 0, 1), [2], false);
    case 'row_max':
      return reduce(graph, 'ReduceMax', probabilities, [3], false);
    case 'entropy': {
      const logarithm = graph.node('Log', [graph.node('Max', [probabilities, graph.scalar(LEAST_PROBABILITY)])]);
      const negative = reduce(graph, 'ReduceSum', multiply(graph, probabilities, logarithm), [3], false);
      // 1 - H / log n; where n = 1, H is 0 and anything may divide it.
      const most = Array.from({ length: end - start }, (_, query) => Math.log(Math.max(2, causal ? start + query + 1 : end)));
      const concentration = add(graph, divide(graph, negative, graph.constant('float32', [end - start], most)), graph.scalar(1));
      return graph.node('Max', [concentration, graph.scalar(LEAST_CONCENTRATION)]);
    }
  }
}

export const attentionImportanceRules: LoweringRules<'attentionImportance'> = {
  // The probabilities are those of the attention of the same q and k, where there is one: the same tensors.
  attentionImportance: (node, context) => {
    const { graph, tensor } = context;
    const { statistic, causal } = node.attributes;
    const time = sizeOf(context.shapeOf(operand(node, 0)), TIME);
    const blocks = blocksOf(graph, tensor(operand(node, 0)), tensor(operand(node, 1)), attentionShape(context, time, node.attributes));
    const perHead = concat(
      graph,
      blocks.map((block) => blockImportance(graph, block, statistic, causal)),
      2,
    );
    const importance = reduce(graph, 'ReduceMean', perHead, [1], false);
    if (!causal) return [divide(graph, importance, reduce(graph, 'ReduceMean', importance, [1], true))];
    const total = graph.node('CumSum', [importance, graph.integer(1)]);
    const counts = add(graph, range(graph, 'float32', time), graph.scalar(1));
    return [divide(graph, multiply(graph, importance, counts), total)];
  },
};
