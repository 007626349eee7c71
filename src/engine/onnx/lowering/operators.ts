import { elementTypes, type ElementType } from '../encoder';
import { int, ints, type OnnxGraph, type TensorName } from '../graph';

/**
 * ONNX operators as functions. All of them run on the CPU and on WebGPU, with int32 indices: WebGPU has no 64-bit integers, and
 * the int64 axes and shapes that ONNX asks for are constants, which the runtime reads when the session is made.
 */

export const add = (graph: OnnxGraph, a: TensorName, b: TensorName): TensorName => graph.node('Add', [a, b]);
export const subtract = (graph: OnnxGraph, a: TensorName, b: TensorName): TensorName => graph.node('Sub', [a, b]);
export const multiply = (graph: OnnxGraph, a: TensorName, b: TensorName): TensorName => graph.node('Mul', [a, b]);
export const divide = (graph: OnnxGraph, a: TensorName, b: TensorName): TensorName => graph.node('Div', [a, b]);

export function cast(graph: OnnxGraph, x: TensorName, type: ElementType): TensorName {
  return graph.node('Cast', [x], { attributes: { to: int(elementTypes[type]) } });
}

export function reshape(graph: OnnxGraph, x: TensorName, shape: readonly number[]): TensorName {
  return graph.node('Reshape', [x, graph.dimensions(shape)]);
}

export function transpose(graph: OnnxGraph, x: TensorName, permutation: readonly number[]): TensorName {
  return graph.node('Transpose', [x], { attributes: { perm: ints(permutation) } });
}

export function unsqueeze(graph: OnnxGraph, x: TensorName, axis: number): TensorName {
  return graph.node('Unsqueeze', [x, graph.dimensions([axis])]);
}

export function reduce(
  graph: OnnxGraph,
  operator: 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceMin' | 'ReduceSumSquare' | 'ReduceL1' | 'ReduceLogSumExp',
  x: TensorName,
  axes: readonly number[],
  keepDimensions: boolean,
): TensorName {
  return graph.node(operator, [x, graph.dimensions(axes)], { attributes: { keepdims: int(keepDimensions ? 1 : 0) } });
}

/** x[indices] along axis 0. */
export function gather(graph: OnnxGraph, x: TensorName, indices: TensorName): TensorName {
  return graph.node('Gather', [x, indices], { attributes: { axis: int(0) } });
}

export function concat(graph: OnnxGraph, parts: readonly TensorName[], axis: number): TensorName {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : graph.node('Concat', parts, { attributes: { axis: int(axis) } });
}

export function slice(graph: OnnxGraph, x: TensorName, axis: number, start: number, end: number): TensorName {
  return graph.node('Slice', [x, graph.dimensions([start]), graph.dimensions([end]), graph.dimensions([axis])]);
}

export function expand(graph: OnnxGraph, x: TensorName, shape: readonly number[]): TensorName {
  return graph.node('Expand', [x, graph.dimensions(shape)]);
}

/**
 * The product of two matrices. Gemm rather than MatMul: it takes transposed operands as they lie, and an inner dimension of 0 (an
 * expert without rows) gives zeros, where MatMul ends the process on WebGPU.
 */
export function gemm(graph: OnnxGraph, a: TensorName, b: TensorName, transposeA: boolean, transposeB: boolean): TensorName {
  return graph.node('Gemm', [a, b], { attributes: { transA: int(transposeA ? 1 : 0), transB: int(transposeB ? 1 : 0) } });
}

/** The product over the last two axes of tensors of rank 3 or more; the CPU provider folds the transposes into the product. */
export function batchedMatmul(
  graph: OnnxGraph,
  a: TensorName,
  b: TensorName,
  rank: number,
  flags: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {},
): TensorName {
  const swapped = Array.from({ length: rank }, (_, axis) => axis);
  [swapped[rank - 2], swapped[rank - 1]] = [rank - 1, rank - 2];
  const left = flags.transposeA === true ? transpose(graph, a, swapped) : a;
  const right = flags.transposeB === true ? transpose(graph, b, swapped) : b;
  return graph.node('MatMul', [left, right]);
}

/** 0, 1, ..., length-1. */
export function range(graph: OnnxGraph, type: 'float32' | 'int32', length: number): TensorName {
  return graph.constant(
    type,
    [length],
    Array.from({ length }, (_, index) => index),
  );
}

/** float32 [..., size]: 1 where the last axis equals the index, for int32 `indices` [...] of rank `rank`. */
export function oneHot(graph: OnnxGraph, indices: TensorName, rank: number, size: number): TensorName {
  return cast(graph, graph.node('Equal', [unsqueeze(graph, indices, rank), range(graph, 'int32', size)]), 'float32');
}
