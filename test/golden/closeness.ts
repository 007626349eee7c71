import { expect } from 'vitest';
import type { GoldenTensors, GoldenUse } from './goldenFiles';

/** float64 against float64: what the order of summation leaves. */
export const FLOAT64 = 1e-9;
/**
 * float32 against float64, after up to five steps: some hundred roundings of 6e-8 that partly cancel leave at most 6e-6; other processors
 * sum in other orders. Choices (routing, rounding, signs) are not what differs: the vectors keep them further apart than that.
 */
export const FLOAT32 = 2e-5;

/** The largest error relative to the tensor's largest element. */
export function expectClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number> | undefined,
  tolerance: number,
  what: string,
): void {
  expect(actual?.length, what).toBe(expected?.length ?? 'a golden tensor');
  const wanted = Array.from(expected ?? []);
  const largest = wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-3);
  // Math.max keeps a NaN, which is not less than anything.
  const error = wanted.reduce((max, x, i) => Math.max(max, Math.abs(x - (actual?.[i] ?? Number.NaN))), 0);
  expect(error / largest, what).toBeLessThan(tolerance);
}

/** Named figures; one that is null in the vectors must be null. */
export function expectFigures<Name extends string>(
  actual: Readonly<Record<Name, number | null>>,
  expected: Readonly<Record<Name, number | null>>,
  names: readonly Name[],
  tolerance: number,
  what: string,
): void {
  for (const name of names) {
    const [found, wanted] = [actual[name], expected[name]];
    if (found === null || wanted === null) expect(found, `${name}, ${what}`).toBe(wanted);
    else expectClose([found], [wanted], tolerance, `${name}, ${what}`);
  }
}

/** What a step or an evaluation says about who was chosen. */
export interface FoundUse {
  readonly expertCounts: readonly ArrayLike<number>[];
  readonly taken: readonly (ArrayLike<number> | null)[];
  readonly retrievals: readonly {
    readonly experts: ArrayLike<number>;
    readonly counts: ArrayLike<number>;
    readonly weights: ArrayLike<number>;
  }[];
}

/** Counts are equal, and weights close. */
export function expectUse(found: FoundUse, expected: GoldenUse, tolerance: number, what: string): void {
  const numbers = (counts: ArrayLike<number>): number[] => Array.from(counts);
  const { expertCounts, taken = expertCounts.map(() => null), retrievals = [] } = expected;
  expect(found.expertCounts.map(numbers), `expert counts, ${what}`).toEqual(expertCounts.map(({ data }) => data));
  expect(
    found.taken.map((each) => each && numbers(each)),
    `numbers of experts taken, ${what}`,
  ).toEqual(taken.map((each) => each && each.data));
  expect(
    found.retrievals.map(({ experts, counts }) => ({ experts: numbers(experts), counts: numbers(counts) })),
    `experts retrieved, ${what}`,
  ).toEqual(retrievals.map(({ experts, counts }) => ({ experts: experts.data, counts: counts.data })));
  retrievals.forEach(({ weights }, layer) =>
    expectClose(found.retrievals[layer]?.weights, weights.data, tolerance, `weights of experts retrieved, ${what}`),
  );
}

/** Every tensor by name, and no other. */
export function expectTensors(
  actual: readonly { readonly name: string; readonly data: ArrayLike<number> }[],
  expected: GoldenTensors,
  tolerance: number,
  what: string,
): void {
  expect(actual.map(({ name }) => name).sort(), what).toEqual(Object.keys(expected).sort());
  for (const { name, data } of actual) expectClose(data, expected[name]?.data, tolerance, `${name}, ${what}`);
}
