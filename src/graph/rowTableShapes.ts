import type { Primitive } from './primitives';
import type { Dimension } from './dimensions';
import type { Value } from './program';
import type { ShapeRule } from './shapeChecks';
import { describe, float32, int32, last, numeric, operand, require, requireShape, unitsAndChoices } from './shapeChecks';

/** Width and units of a table [N, d] and the indices int32 [U, k] into its rows. */
function tableAndIndices(
  inputs: readonly Value[],
  what: string,
): { readonly width: Dimension; readonly units: Dimension; readonly k: number } {
  const { shape } = operand(inputs, 0);
  require(shape.length === 2, () => `${what} table must be [rows, d], not ${describe(shape)}.`);
  const [units, k] = unitsAndChoices(operand(inputs, 1), `${what} indices`);
  return { width: last(shape, 0), units, k };
}

/** Shapes of product keys and of the tables whose rows they choose. */
export const rowTableShapeRules: {
  readonly [P in Extract<Primitive, 'productKeys' | 'rowDot' | 'rowSum' | 'rowOuter'>]: ShapeRule<P>;
} = {
  productKeys: ({ k }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `productKeys needs [units, keys], not ${describe(shape)}.`);
    requireShape(operand(inputs, 1), shape, 'productKeys, second operand');
    const keys = numeric(last(shape, 0));
    require(Number.isInteger(k) && k >= 1 && k <= keys, () => `productKeys cannot take ${k} of each ${keys} keys.`);
    const chosen = [last(shape, 1), k];
    return [int32(chosen), int32(chosen), int32(chosen)];
  },
  rowDot: (_, inputs) => {
    const { width, units, k } = tableAndIndices(inputs, 'rowDot');
    requireShape(operand(inputs, 2), [units, width], 'rowDot x');
    return [float32([units, k])];
  },
  rowSum: (_, inputs) => {
    const { width, units, k } = tableAndIndices(inputs, 'rowSum');
    requireShape(operand(inputs, 2), [units, k], 'rowSum weights');
    return [float32([units, width])];
  },
  rowOuter: ({ rows }, inputs) => {
    const [units, k] = unitsAndChoices(operand(inputs, 0), 'rowOuter indices');
    requireShape(operand(inputs, 1), [units, k], 'rowOuter coefficients');
    const { shape } = operand(inputs, 2);
    require(shape.length === 2 && last(shape, 1) === units, () => `rowOuter vectors must be [${units}, d], not ${describe(shape)}.`);
    return [float32([rows, last(shape, 0)])];
  },
};
