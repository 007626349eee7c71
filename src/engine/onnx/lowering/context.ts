import type { Dimension } from '../../../graph/dimensions';
import type { Primitive } from '../../../graph/primitives';
import type { NodeOf, ProgramNode, ValueId } from '../../../graph/program';
import type { Device } from '../../engine';
import type { OnnxGraph, TensorName } from '../graph';

/**
 * What a value of the program has become: one tensor, or, for a stacked [E, in, out] value on the CPU, one [in, out] tensor per expert,
 * with the `stacked` one as well where a rule has both to offer (what nobody uses is left out of the graph).
 */
export type Lowered = TensorName | { readonly experts: readonly TensorName[]; readonly stacked?: TensorName };

/** How routed rows are laid out when experts are padded to blocks of equal size. */
export interface Blocks {
  readonly count: number;
  /** Rows in a block. */
  readonly size: number;
  /** int32 [count]: whose rows a block holds; blocks at the end that hold nobody's name the last expert. */
  readonly experts: TensorName;
}

/** How rows sorted by expert divide among them. */
export interface Sections {
  /** int32 [count], how many rows each section has. */
  readonly sizes: TensorName;
  /** One for each expert, and one at the end where rows may go nowhere. */
  readonly count: number;
}

/** What a graph is for: `trainingMode` is 1 in training and 0 in evaluation, where noises are constants. */
export type Mode = 'training' | 'evaluation';

/** What a lowering rule may ask for and build on. */
export interface LoweringContext {
  readonly graph: OnnxGraph;
  readonly device: Device;
  readonly mode: Mode;
  /** The largest tensor that a rule makes where it can do its work in pieces. */
  readonly mostElements: number;
  bind(dimension: Dimension): number;
  shapeOf(value: ValueId): readonly number[];
  /** The value as one tensor. */
  tensor(value: ValueId): TensorName;
  /** A stacked [E, in, out] value as one matrix per expert; a parameter's are inputs of the graph, views of the stacked tensor. */
  expertMatrices(value: ValueId): readonly TensorName[];
  /** The node that makes a value; undefined for inputs, parameters and the like. */
  producerOf(value: ValueId): ProgramNode | undefined;
  /** The layout of a `route`, found by its counts: on WebGPU in blocks, on the CPU in sections. */
  readonly blocks: Map<ValueId, Blocks>;
  readonly sections: Map<ValueId, Sections>;
}

/** Adds a node's operators to the graph and returns its outputs. */
export type LoweringRule<P extends Primitive> = (node: NodeOf<P>, context: LoweringContext) => readonly Lowered[];

export type LoweringRules<P extends Primitive> = { readonly [Q in P]: LoweringRule<Q> };

/** The node's operand at `index`; a program whose shapes were checked has it. */
export function operand(node: { readonly op: string; readonly inputs: readonly ValueId[] }, index: number): ValueId {
  const value = node.inputs[index];
  if (value === undefined) throw new RangeError(`${node.op} has no operand ${index}.`);
  return value;
}

/** The node's first operands by the names they are given here, in their order. */
export function operands<Name extends string>(
  node: { readonly op: string; readonly inputs: readonly ValueId[] },
  names: readonly Name[],
): Readonly<Record<Name, ValueId>> {
  return Object.fromEntries(names.map((name, index) => [name, operand(node, index)])) as Record<Name, ValueId>;
}

/** The size of an axis of a bound shape, counted from the end when negative. */
export function sizeOf(shape: readonly number[], axis: number): number {
  const size = shape.at(axis);
  if (size === undefined) throw new RangeError(`A tensor of shape [${shape.join(', ')}] has no axis ${axis}.`);
  return size;
}
