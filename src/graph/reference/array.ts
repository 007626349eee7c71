import { elementCount } from '../dimensions';

/** A dense row-major tensor of the reference interpreter: float64 for float values, int32 for indices. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array | Int32Array;
}

export function zeros(shape: readonly number[]): NdArray & { readonly data: Float64Array } {
  return { shape, data: new Float64Array(elementCount(shape)) };
}

export function integers(shape: readonly number[]): NdArray & { readonly data: Int32Array } {
  return { shape, data: new Int32Array(elementCount(shape)) };
}

/** The element at a flat index; reading outside is a fault of the interpreter, not a value. */
export function at(array: NdArray, index: number): number {
  const value = array.data[index];
  if (value === undefined) throw new RangeError(`Index ${index} is outside a tensor of shape [${array.shape.join(', ')}].`);
  return value;
}

/** The size of an axis, counted from the end when negative. */
export function size(array: NdArray, axis: number): number {
  const value = array.shape[axis < 0 ? array.shape.length + axis : axis];
  if (value === undefined) throw new RangeError(`A tensor of shape [${array.shape.join(', ')}] has no axis ${axis}.`);
  return value;
}

/** Row-major strides; an axis of size 1 gets stride 0, so that indexing broadcasts. */
export function broadcastStrides(shape: readonly number[], rank: number): number[] {
  const strides = new Array<number>(rank).fill(0);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    strides[axis + rank - shape.length] = length === 1 ? 0 : step;
    step *= length;
  }
  return strides;
}

/** Calls `visit(flat, index)` for every element of `shape` in row-major order. The index array is reused between calls. */
export function forEachIndex(shape: readonly number[], visit: (flat: number, index: readonly number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const total = elementCount(shape);
  for (let flat = 0; flat < total; flat++) {
    visit(flat, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 1)) break;
      index[axis] = 0;
    }
  }
}

export function dot(index: readonly number[], strides: readonly number[]): number {
  return index.reduce((sum, position, axis) => sum + position * (strides[axis] ?? 0), 0);
}
