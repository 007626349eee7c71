import { elementCount } from '../../../graph/dimensions';
import type { ValueId } from '../../../graph/program';
import { int, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { cast, concat, gemm, reshape } from './operators';
import { sortedByExpert, tally } from './routing';

/**
 * Routing for the CPU: rows sorted by expert without padding, one product per expert over its section of the rows. Only the sizes of
 * the sections depend on the data. An expert without rows multiplies an empty matrix; its weight gradient is then exactly zero.
 */

/** The sections of x [R, d], one per expert. */
function sections({ graph, shapeOf, tensor }: LoweringContext, x: ValueId, counts: ValueId): readonly TensorName[] {
  const experts = sizeOf(shapeOf(counts), 0);
  if (experts === 1) return [tensor(x)];
  return graph.nodeWithOutputs('Split', [tensor(x), cast(graph, tensor(counts), 'int64')], experts, { attributes: { axis: int(0) } });
}

export const unrolledExpertRules: LoweringRules<'route' | 'expertMatmul' | 'expertMatmulGradient'> = {
  route: (node, { graph, shapeOf, tensor }) => {
    const indices = operand(node, 0);
    const shape = shapeOf(indices);
    const pairs = elementCount(shape);
    const flat = reshape(graph, tensor(indices), [pairs]);
    const { order, slots } = sortedByExpert(graph, flat, pairs);
    return [reshape(graph, slots, shape), order, tally(graph, flat, pairs, node.attributes.experts, 'int32')];
  },
  expertMatmul: (node, context) => {
    const { graph } = context;
    const matrices = context.expertMatrices(operand(node, 1));
    const { transposeWeight } = node.attributes;
    const products = sections(context, operand(node, 0), operand(node, 2)).map((rows, expert) =>
      gemm(graph, rows, matrices[expert] as TensorName, false, transposeWeight),
    );
    return [concat(graph, products, 0)];
  },
  expertMatmulGradient: (node, context) => {
    const left = sections(context, operand(node, 0), operand(node, 2));
    const right = sections(context, operand(node, 1), operand(node, 2));
    return [{ experts: left.map((rows, expert) => gemm(context.graph, rows, right[expert] as TensorName, true, false)) }];
  },
};
