import type { PartCost } from '../comparedPart';

/** A polynomial of at most second degree in two unknowns: the coefficient of x^i y^j is `[j][i]`. */
export type Surface = readonly (readonly number[])[];

/** Each figure of a model's cost by two of its sizes; what they are not enough for is the model's alone. */
export type CostSurfaces = Readonly<Record<keyof PartCost, Surface>>;

/** Degrees of the polynomials: 1, but 2 for the root of a square. */
export type Degree = 1 | 2;

/**
 * Costs are products of sizes, so polynomials: a few models, of the sizes 0, 1 and 2, say all of them. Exact, since these costs are whole
 * numbers below 2^53.
 */
export function costSurfaces(costAt: (x: number, y: number) => PartCost, [xDegree, yDegree]: readonly [Degree, Degree]): CostSurfaces {
  const points = (degree: Degree): readonly number[] => Array.from({ length: degree + 1 }, (_, index) => index);
  const costs = points(yDegree).map((y) => points(xDegree).map((x) => costAt(x, y)));
  const surface = (figure: keyof PartCost): Surface => {
    const alongX = costs.map((row) => interpolated(row.map((cost) => cost[figure])));
    const columns = points(xDegree).map((i) => interpolated(alongX.map((row) => row[i] ?? 0)));
    return points(yDegree).map((j) => columns.map((column) => column[j] ?? 0));
  };
  return {
    parameters: surface('parameters'),
    routerParameters: surface('routerParameters'),
    macs: surface('macs'),
    routerMacs: surface('routerMacs'),
  };
}

export function costAt(costs: CostSurfaces, x: number, y: number): PartCost {
  return {
    parameters: surfaceAt(costs.parameters, x, y),
    routerParameters: surfaceAt(costs.routerParameters, x, y),
    macs: surfaceAt(costs.macs, x, y),
    routerMacs: surfaceAt(costs.routerMacs, x, y),
  };
}

function surfaceAt(surface: Surface, x: number, y: number): number {
  return surface.reduceRight((value, row) => value * y + valueAt(row, x), 0);
}

/** Coefficients of the polynomial with these values at 0, 1 and, of second degree, 2. */
function interpolated([at0 = 0, at1 = 0, at2]: readonly number[]): readonly number[] {
  if (at2 === undefined) return [at0, at1 - at0];
  const second = (at2 - 2 * at1 + at0) / 2;
  return [at0, at1 - at0 - second, second];
}

/** One surface less a number. */
export function lowered([first = [], ...rest]: Surface, by: number): Surface {
  const [constant = 0, ...others] = first;
  return [[constant - by, ...others], ...rest];
}

export function sumOf(one: Surface, other: Surface): Surface {
  return one.map((row, j) => row.map((coefficient, i) => coefficient + (other[j]?.[i] ?? 0)));
}

/** The polynomial in y that a surface is at x: coefficients by degree. */
export function atX(surface: Surface, x: number): readonly number[] {
  return surface.map((row) => valueAt(row, x));
}

/** The polynomial in x that a surface is at y. */
export function atY(surface: Surface, y: number): readonly number[] {
  const [first = []] = surface;
  return first.map((_, i) =>
    valueAt(
      surface.map((row) => row[i] ?? 0),
      y,
    ),
  );
}

export function valueAt(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((value, coefficient) => value * x + coefficient, 0);
}

export function slopeAt([, linear = 0, square = 0]: readonly number[], x: number): number {
  return linear + 2 * square * x;
}

/** The positive zero of a polynomial of at most second degree that grows or falls throughout; undefined where there is none. */
export function positiveZero([constant = 0, linear = 0, square = 0]: readonly number[]): number | undefined {
  if (square === 0) return positive(-constant / linear);
  const discriminant = linear * linear - 4 * square * constant;
  if (discriminant < 0) return undefined;
  // Without the cancellation of the textbook's formula.
  const larger = -(linear + (linear < 0 ? -1 : 1) * Math.sqrt(discriminant)) / 2;
  return positive(Math.max(larger / square, constant / larger));
}

/** Undefined for what is no size. */
export function positive(x: number): number | undefined {
  return Number.isFinite(x) && x > 0 ? nearlyWhole(x) : undefined;
}

/** What is a whole number but for rounding is one. */
export function nearlyWhole(x: number): number {
  const whole = Math.round(x);
  return whole > 0 && Math.abs(x - whole) <= 1e-9 * whole ? whole : x;
}
