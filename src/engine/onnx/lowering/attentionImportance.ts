import type { PrimitiveAttributes } from '../../../graph/primitives';
import type { OnnxGraph, TensorName } from '../graph';
import { attentionShape, blocksOf } from './attention';
import { TIME, type AttentionBlock } from './attentionBlocks';
import { operand, sizeOf, type LoweringRules } from './context';
import { add, concat, divide, multiply, range, reduce, slice } from './operators';

/** Probabilities below this add nothing to an entropy in float32, and their logarithm is finite on every device. */
const LEAST_PROBABILITY = 1e-30;

/** The least importance by a token's own attention that the definition has. */
const LEAST_CONCENTRATION = 1e-3;

type Statistic = PrimitiveAttributes['attentionImportance']['statistic'];

/**
 * How many keys each query of the block sees, as their logarithm, [its queries]. At least 2 keys: with one there is nothing to compare, and
 * what the first token then has is not used.
 */
function keysSeen(graph: OnnxGraph, { start, end, seen }: AttentionBlock, causal: boolean): TensorName {
  const logarithms = Array.from({ length: end - start }, (_, query) => Math.log(Math.max(2, causal ? start + query + 1 : seen)));
  return graph.constant('float32', [end - start], logarithms);
}

/** 1 - H / log n of a negative entropy, of whichever order. */
function concentration(graph: OnnxGraph, negative: TensorName, keys: TensorName): TensorName {
  return add(graph, divide(graph, negative, keys), graph.scalar(1));
}

/**
 * Per head, what the block's probabilities tell: [batch, heads, its queries], or of `received` and `cls_row`, which have one block, [batch,
 * heads, time].
 */
function blockImportance(graph: OnnxGraph, block: AttentionBlock, statistic: Statistic, causal: boolean): TensorName {
  const { probabilities } = block;
  switch (statistic) {
    case 'received':
      return reduce(graph, 'ReduceMean', probabilities, [2], false);
    case 'cls_row':
      return reduce(graph, 'ReduceSum', slice(graph, probabilities, 2, 0, 1), [2], false);
    case 'row_max': {
      const negative = graph.node('Log', [reduce(graph, 'ReduceMax', probabilities, [3], false)]);
      return concentration(graph, negative, keysSeen(graph, block, causal));
    }
    case 'entropy': {
      const logarithm = graph.node('Log', [graph.node('Max', [probabilities, graph.scalar(LEAST_PROBABILITY)])]);
      const negative = reduce(graph, 'ReduceSum', multiply(graph, probabilities, logarithm), [3], false);
      return concentration(graph, negative, keysSeen(graph, block, causal));
    }
  }
}

export const attentionImportanceRules: LoweringRules<'attentionImportance'> = {
  // The probabilities are those of the attention of the same q and k, where there is one: the same tensors.
  attentionImportance: (node, context) => {
    const { graph, tensor } = context;
    const { statistic, causal } = node.attributes;
    const shape = context.shapeOf(operand(node, 0));
    const [batch, time] = [sizeOf(shape, 0), sizeOf(shape, TIME)];
    const ones = graph.constant('float32', [batch, 1], new Array<number>(batch).fill(1));
    if (time === 1) return [ones];
    const blocks = blocksOf(graph, tensor(operand(node, 0)), tensor(operand(node, 1)), attentionShape(context, time, node.attributes));
    const perHead = concat(
      graph,
      blocks.map((block) => blockImportance(graph, block, statistic, causal)),
      2,
    );
    const mean = reduce(graph, 'ReduceMean', perHead, [1], false);
    const ownAttention = statistic === 'row_max' || statistic === 'entropy';
    const importance = ownAttention ? graph.node('Max', [mean, graph.scalar(LEAST_CONCENTRATION)]) : mean;
    if (!causal) return [divide(graph, importance, reduce(graph, 'ReduceMean', importance, [1], true))];
    const others = slice(graph, importance, 1, 1, time);
    const total = graph.node('CumSum', [others, graph.integer(1)]);
    const counts = add(graph, range(graph, 'float32', time - 1), graph.scalar(1));
    return [concat(graph, [ones, divide(graph, multiply(graph, others, counts), total)], 1)];
  },
};
