import { elementCount } from '../../../graph/dimensions';
import type { ValueId } from '../../../graph/program';
import { int, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules, type Sections } from './context';
import { tallyOfExperts } from './nowhere';
import { cast, concat, gemm, reshape, slice } from './operators';
import { sortedByExpert } from './expertSort';

/**
 * Routing for the CPU: rows sorted by expert without padding, one product per expert over its section of the rows. Only the sizes of the
 * sections depend on the data. An expert without rows multiplies an empty matrix; its weight gradient is then exactly zero. Rows that go
 * nowhere are a section at the end that nothing multiplies.
 */

function sectionsOf(context: LoweringContext, counts: ValueId): Sections {
  const sections = context.sections.get(counts);
  if (sections === undefined) throw new RangeError('expertMatmul needs the counts of a route.');
  return sections;
}

/** The sections of x [R, d], one per expert, and one of the rows that go nowhere where some may. */
function rowsBySection(context: LoweringContext, x: ValueId, counts: ValueId): readonly TensorName[] {
  const { graph, tensor } = context;
  const { sizes, count } = sectionsOf(context, counts);
  if (count === 1) return [tensor(x)];
  return graph.nodeWithOutputs('Split', [tensor(x), cast(graph, sizes, 'int64')], count, { attributes: { axis: int(0) } });
}

/** [rows, columns] zeros, `rows` the size of the last section. */
function zeroRows({ graph }: LoweringContext, { sizes, count }: Sections, columns: number): TensorName {
  const rows = cast(graph, slice(graph, sizes, 0, count - 1, count), 'int64');
  return graph.node('Expand', [graph.scalar(0), concat(graph, [rows, graph.dimensions([columns])], 0)]);
}

export const unrolledExpertRules: LoweringRules<'route' | 'expertMatmul' | 'expertMatmulGradient'> = {
  route: (node, context) => {
    const { graph, shapeOf, tensor } = context;
    const indices = operand(node, 0);
    const shape = shapeOf(indices);
    const pairs = elementCount(shape);
    const flat = reshape(graph, tensor(indices), [pairs]);
    const { order, slots } = sortedByExpert(graph, flat, pairs);
    const { experts } = node.attributes;
    const { counts, sections, count } = tallyOfExperts(context, indices, flat, { length: pairs, experts, type: 'int32' });
    const [, , countsValue] = node.outputs;
    if (countsValue !== undefined) context.sections.set(countsValue, { sizes: sections, count });
    return [reshape(graph, slots, shape), order, counts];
  },
  expertMatmul: (node, context) => {
    const { graph, shapeOf } = context;
    const [x, weight, counts] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    const matrices = context.expertMatrices(weight);
    const { transposeWeight } = node.attributes;
    const rows = rowsBySection(context, x, counts);
    const products = matrices.map((matrix, expert) => gemm(graph, rows[expert] as TensorName, matrix, false, transposeWeight));
    const sections = sectionsOf(context, counts);
    const columns = sizeOf(shapeOf(weight), transposeWeight ? 1 : 2);
    const nowhere = sections.count > matrices.length ? [zeroRows(context, sections, columns)] : [];
    return [concat(graph, [...products, ...nowhere], 0)];
  },
  expertMatmulGradient: (node, context) => {
    const counts = operand(node, 2);
    const left = rowsBySection(context, operand(node, 0), counts).slice(0, sizeOf(context.shapeOf(counts), 0));
    const right = rowsBySection(context, operand(node, 1), counts);
    return [{ experts: left.map((rows, expert) => gemm(context.graph, rows, right[expert] as TensorName, true, false)) }];
  },
};
