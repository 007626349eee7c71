/** What several seeds gave. */
export interface Spread {
  readonly mean: number;
  /** Of the sample (n - 1); 0 for a single value. */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)),
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

/** Two results that the seeds do not tell apart: their ranges meet. */
export function overlap(one: Spread, other: Spread): boolean {
  return one.least <= other.most && other.least <= one.most;
}

/** Place of each value from 1 for the smallest; equal values share a place. */
export function placesOf(values: readonly number[]): number[] {
  return values.map((value) => 1 + values.filter((other) => other < value).length);
}
