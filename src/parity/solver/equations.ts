import type { PartCost } from '../comparedPart';
import type { CostSurfaces, Surface } from './surfaces';
import { atX, atY, lowered, positive, positiveZero, slopeAt, sumOf, valueAt } from './surfaces';

export type Axis = 'macs' | 'parameters';

/** By how much a model costs more than its baseline, as surfaces over the two sizes that are solved for. */
export type Equation = Readonly<Record<Axis, Surface>>;

/** Without what chooses experts, as 2411.16205 Eq. 6 to 10 count, or with it. */
export function equation(costs: CostSurfaces, baseline: PartCost, withRouter: boolean): Equation {
  const plain = { macs: lowered(costs.macs, baseline.macs), parameters: lowered(costs.parameters, baseline.parameters) };
  if (!withRouter) return plain;
  return {
    macs: sumOf(plain.macs, lowered(costs.routerMacs, baseline.routerMacs)),
    parameters: sumOf(plain.parameters, lowered(costs.routerParameters, baseline.routerParameters)),
  };
}

/** Where one residual vanishes for a first size. */
export function secondFor(equations: Equation, axis: Axis, x: number): number | undefined {
  return positiveZero(atX(equations[axis], x));
}

/** Where one residual vanishes for a second size. */
export function firstFor(equations: Equation, axis: Axis, y: number): number | undefined {
  return positiveZero(atY(equations[axis], y));
}

/** Rounds of Newton's method, each of which doubles the digits that are right; where there is no solution it is not to be waited for. */
const mostRounds = 40;

/** Far below a whole number, far above the rounding of floating-point numbers. */
const tolerance = 1e-10;

/**
 * Where both residuals vanish, from a guess: for experts of width f, E of them, without what chooses experts, this is
 *
 *     f' = (f k - q d / n) / k',   E' = h (n f E - q d) / (n f')
 *
 * with n matrices in each expert and q of the head and merge layer (2411.16205 Eq. 8 and 9, where n = q = 2 and k' = k).
 */
export function bothFor({ macs, parameters }: Equation, guess: readonly [number, number]): readonly [number, number] | undefined {
  let [x, y] = guess;
  for (let round = 0; round < mostRounds; round++) {
    const [macsByX, macsByY] = [atY(macs, y), atX(macs, x)];
    const [parametersByX, parametersByY] = [atY(parameters, y), atX(parameters, x)];
    const [p, q] = [valueAt(macsByX, x), valueAt(parametersByX, x)];
    const [a, b, c, d] = [slopeAt(macsByX, x), slopeAt(macsByY, y), slopeAt(parametersByX, x), slopeAt(parametersByY, y)];
    const determinant = a * d - b * c;
    const [dx, dy] = [(p * d - q * b) / determinant, (q * a - p * c) / determinant];
    if (!Number.isFinite(dx) || !Number.isFinite(dy)) return undefined;
    [x, y] = [x - dx, y - dy];
    if (Math.abs(dx) <= tolerance * Math.abs(x) && Math.abs(dy) <= tolerance * Math.abs(y)) return bothPositive(positive(x), positive(y));
  }
  return undefined;
}

function bothPositive(x: number | undefined, y: number | undefined): readonly [number, number] | undefined {
  return x === undefined || y === undefined ? undefined : [x, y];
}
