import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import { elementCount } from '../../src/graph/dimensions';
import type { NdArray } from '../../src/graph/reference/array';
import { interpret } from '../../src/graph/reference/interpreter';

/** What `build` makes of arrays, by the float64 reference. */
export function evaluate(
  arrays: readonly NdArray[],
  build: (builder: ProgramBuilder, ...tensors: Tensor[]) => readonly Tensor[],
): NdArray[] {
  const builder = new ProgramBuilder();
  const tensors = arrays.map(({ shape, data }, index) =>
    builder.input(`input ${index}`, shape, data instanceof Int32Array ? 'int32' : 'float32'),
  );
  const wanted = build(builder, ...tensors).map(({ id }) => id);
  const feeds = new Map(arrays.map((array, index) => [tensors[index]?.id ?? -1, array]));
  const values = interpret(builder, { bindings: {}, feeds, wanted });
  return wanted.map((id) => {
    const value = values.get(id);
    if (value === undefined) throw new RangeError(`Value ${id} was not computed.`);
    return value;
  });
}

/** The single thing that `build` makes of arrays. */
export function evaluateOne(arrays: readonly NdArray[], build: (builder: ProgramBuilder, ...tensors: Tensor[]) => Tensor): NdArray {
  const [result] = evaluate(arrays, (builder, ...tensors) => [build(builder, ...tensors)]);
  if (result === undefined) throw new RangeError('Nothing was computed.');
  return result;
}

export function floats(shape: readonly number[], data: Iterable<number>): NdArray {
  return checked({ shape, data: Float64Array.from(data) });
}

export function ints(shape: readonly number[], data: Iterable<number>): NdArray {
  return checked({ shape, data: Int32Array.from(data) });
}

function checked(array: NdArray): NdArray {
  if (array.data.length !== elementCount(array.shape))
    throw new RangeError(`${array.data.length} numbers do not fill [${array.shape.join(', ')}].`);
  return array;
}

/** The rows of an array along its last axis. */
export function rowsOf({ shape, data }: NdArray): number[][] {
  const width = shape[shape.length - 1] ?? 1;
  return Array.from({ length: data.length / width }, (_, row) => [...data.subarray(row * width, (row + 1) * width)]);
}
