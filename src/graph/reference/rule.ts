import type { Dimension } from '../dimensions';
import type { Primitive, PrimitiveAttributes } from '../primitives';
import type { NdArray } from './array';

/**
 * What a reference rule may ask about the run and its symbolic dimensions; `route` binds its rows when it runs, `expertChoice` its
 * capacity.
 */
export interface ReferenceContext {
  readonly mode: 'training' | 'evaluation';
  bind(dimension: Dimension): number;
  setRows(dimension: Dimension, rows: number): void;
}

export type ReferenceRule<P extends Primitive> = (
  attributes: PrimitiveAttributes[P],
  inputs: readonly NdArray[],
  context: ReferenceContext,
) => NdArray[];

export function input(inputs: readonly NdArray[], index: number): NdArray {
  const array = inputs[index];
  if (array === undefined) throw new RangeError(`Operand ${index} is missing.`);
  return array;
}

/** The first operands by the names they are given here, in their order. */
export function named<Name extends string>(inputs: readonly NdArray[], names: readonly Name[]): Readonly<Record<Name, NdArray>> {
  return Object.fromEntries(names.map((name, index) => [name, input(inputs, index)])) as Record<Name, NdArray>;
}
