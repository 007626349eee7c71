import type { ValueId } from '../../../graph/program';
import type { OnnxGraph, TensorName } from '../graph';
import { operand, type LoweringContext } from './context';
import { cast, multiply, slice } from './operators';
import { tally } from './expertSort';

/**
 * Whether a unit's choices may name nowhere, an index of `experts`, which costs a little to allow for: those that top-k made name columns
 * alone.
 */
export function mayGoNowhere({ producerOf }: Pick<LoweringContext, 'producerOf'>, indices: ValueId): boolean {
  const node = producerOf(indices);
  if (node?.op === 'reshape' || node?.op === 'expand') return mayGoNowhere({ producerOf }, operand(node, 0));
  return node?.op !== 'topK';
}

/** How the flat `indices` of some of the choices `of` fall to experts. CPU only. */
export interface Tally {
  /** [experts]. */
  readonly counts: TensorName;
  /** The same with, where choices may name it, nowhere at the end. */
  readonly sections: TensorName;
  readonly count: number;
}

export function tallyOfExperts(
  context: Pick<LoweringContext, 'graph' | 'producerOf'>,
  of: ValueId,
  indices: TensorName,
  { length, experts, type }: { readonly length: number; readonly experts: number; readonly type: 'float32' | 'int32' },
): Tally {
  const count = mayGoNowhere(context, of) ? experts + 1 : experts;
  const sections = tally(context.graph, indices, length, count, type);
  return { sections, count, counts: count === experts ? sections : slice(context.graph, sections, 0, 0, experts) };
}

/** `x` where the index of the same place is an expert's, 0 where it is nowhere. */
export function somewhere(graph: OnnxGraph, x: TensorName, indices: TensorName, experts: number): TensorName {
  return multiply(graph, x, cast(graph, graph.node('Less', [indices, graph.integer(experts)]), 'float32'));
}
