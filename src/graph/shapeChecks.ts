import type { Dimension, Shape } from './dimensions';
import { sameShape } from './dimensions';
import type { Primitive, PrimitiveAttributes } from './primitives';
import type { Value } from './program';

/** Thrown while a program is built: an operand has the wrong rank, size or dtype. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export type ShapeRule<P extends Primitive> = (attributes: PrimitiveAttributes[P], inputs: readonly Value[]) => Value[];

export function describe(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function operand(inputs: readonly Value[], index: number): Value {
  const value = inputs[index];
  if (value === undefined) throw new ShapeError(`Operand ${index} is missing.`);
  return value;
}

export function require(condition: boolean, message: () => string): void {
  if (!condition) throw new ShapeError(message());
}

export const float32 = (shape: Shape): Value => ({ shape, dtype: 'float32' });
export const int32 = (shape: Shape): Value => ({ shape, dtype: 'int32' });

/** The dimension at `index` from the end, where 0 is the last, or an error naming the shape. */
export function last(shape: Shape, index: number): Dimension {
  const dimension = shape[shape.length - 1 - index];
  if (dimension === undefined) throw new ShapeError(`Shape ${describe(shape)} has no axis ${-1 - index}.`);
  return dimension;
}

/** A dimension that must be a number, since the rule needs its size when the program is built. */
export function numeric(dimension: Dimension): number {
  if (typeof dimension === 'string') throw new ShapeError(`Axis of size "${dimension}" must have a numeric size here.`);
  return dimension;
}

export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new ShapeError(`Shapes ${describe(a)} and ${describe(b)} do not broadcast.`);
  });
}

export const elementwise = (_: unknown, inputs: readonly Value[]): Value[] => [float32(operand(inputs, 0).shape)];
export const broadcasting = (_: unknown, inputs: readonly Value[]): Value[] => [
  float32(broadcastShapes(operand(inputs, 0).shape, operand(inputs, 1).shape)),
];
export const likeInputs =
  (...indices: readonly number[]) =>
  (_: unknown, inputs: readonly Value[]): Value[] =>
    indices.map((index) => float32(operand(inputs, index).shape));

export function requireSame(a: Value, b: Value, what: string): void {
  require(sameShape(a.shape, b.shape), () => `${what}: shapes ${describe(a.shape)} and ${describe(b.shape)} differ.`);
}

export function requireShape(value: Value, shape: Shape, what: string): void {
  require(sameShape(value.shape, shape), () => `${what} must be ${describe(shape)}, not ${describe(value.shape)}.`);
}

export function requireInt(value: Value, what: string): void {
  require(value.dtype === 'int32', () => `${what} must be int32.`);
}

/** The units of int32 [units, choices]. */
export function unitsOf(indices: Value, what: string): Dimension {
  requireInt(indices, what);
  require(indices.shape.length === 2, () => `${what} must be [units, choices], not ${describe(indices.shape)}.`);
  return last(indices.shape, 1);
}

export function unitsAndChoices(indices: Value, what: string): readonly [Dimension, number] {
  return [unitsOf(indices, what), numeric(last(indices.shape, 0))];
}
