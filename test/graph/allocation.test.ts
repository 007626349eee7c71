import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundHalfToEven } from '../../src/graph/reference/quantisers';
import { evaluate, evaluateOne, floats, ints, rowsOf } from '../support/evaluate';

interface Bounds {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** K of every token for importances r, one window to a row. */
function allocate(windows: readonly (readonly number[])[], bounds: Bounds, budget: boolean): number[][] {
  const time = windows[0]?.length ?? 0;
  const r = floats([windows.length, time], windows.flat());
  const { shape, data } = evaluateOne([r], (builder, x) => builder.allocateChoices(x, { ...bounds, budget }));
  expect(shape).toEqual([windows.length * time, 1]);
  return windows.map((_, window) => [...data.subarray(window * time, (window + 1) * time)]);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('allocateChoices', () => {
  const bounds = { mean: 2, least: 1, most: 4 };

  it('without a budget rounds mean r, halves to even, within the bounds', () => {
    expect(allocate([[0.2, 0.75, 1, 1.25, 3]], bounds, false)).toEqual([[1, 2, 2, 2, 4]]);
    expect(allocate([[0.2, 1, 1.4, 5 / 3]], { mean: 1.5, least: 1, most: 2 }, false)).toEqual([[1, 2, 2, 2]]);
  });

  it('with a budget shares it out by importance, what is left to the largest remainders', () => {
    // 0.25 c stays below 1, so 3.75 c = 7 and a = [1, 1.4, 1.867, 3.733]; two are left, for the third and the fourth.
    expect(allocate([[0.25, 0.75, 1, 2]], bounds, true)).toEqual([[1, 1, 2, 4]]);
  });
  it('gives ties to the earlier token, and a half of the budget to the even number', () => {
    expect(allocate([[1, 1, 1, 1]], { mean: 1.5, least: 1, most: 2 }, true)).toEqual([[2, 2, 1, 1]]);
    // 1.5 * 3 = 4.5 counts as 4, 1.5 * 5 = 7.5 as 8.
    expect(allocate([[1, 1, 1]], { mean: 1.5, least: 1, most: 2 }, true)).toEqual([[2, 1, 1]]);
    expect(allocate([[1, 1, 1, 1, 1]], { mean: 1.5, least: 1, most: 2 }, true)).toEqual([[2, 2, 2, 1, 1]]);
  });
  it('holds to the most that a token may take, and to each window for itself', () => {
    expect(
      allocate(
        [
          [10, 0.1, 0.1],
          [1, 1, 1],
        ],
        { mean: 2, least: 1, most: 3 },
        true,
      ),
    ).toEqual([
      [3, 2, 1],
      [2, 2, 2],
    ]);
  });
  it('leaves a part of the budget where importances of zero keep tokens at the least', () => {
    // c cannot lift the zeros: 1 + 1 + 1 + 4, and one more for each of the first three. 12 are not reached.
    expect(allocate([[0, 0, 0, 4]], { mean: 3, least: 1, most: 4 }, true)).toEqual([[2, 2, 2, 4]]);
  });

  const windows = fc.tuple(
    fc.array(fc.double({ min: 0.01, max: 20, noNaN: true }), { minLength: 1, maxLength: 40 }),
    fc.integer({ min: 1, max: 3 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 0, max: 5 }),
  );

  it('stays within its bounds, rises with importance and, with a budget, adds up to it', () => {
    fc.assert(
      fc.property(windows, fc.boolean(), ([r, least, place, range], budget) => {
        const within = { least, most: least + range, mean: least + place * range };
        const [choices = []] = allocate([r], within, budget);
        expect(choices).toHaveLength(r.length);
        for (const k of choices) {
          expect(Number.isInteger(k)).toBe(true);
          expect(k).toBeGreaterThanOrEqual(within.least);
          expect(k).toBeLessThanOrEqual(within.most);
        }
        const byImportance = r
          .map((importance, token) => ({ importance, k: choices[token] ?? NaN }))
          .sort((a, b) => a.importance - b.importance);
        byImportance.forEach(({ importance, k }, rank) => {
          const below = byImportance[rank - 1];
          if (below !== undefined && below.importance < importance) expect(k).toBeGreaterThanOrEqual(below.k);
        });
        if (budget) expect(sum(choices)).toBe(roundHalfToEven(within.mean * r.length));
      }),
      { numRuns: 400 },
    );
  });
  it('gives a token no fewer for more importance, the others as they are', () => {
    fc.assert(
      fc.property(
        windows,
        fc.nat(),
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.boolean(),
        ([r, least, place, range], which, factor, budget) => {
          const within = { least, most: least + range, mean: least + place * range };
          const token = which % r.length;
          const raised = r.map((importance, other) => (other === token ? importance * factor : importance));
          const [[before = []], [after = []]] = [allocate([r], within, budget), allocate([raised], within, budget)];
          // With a budget one more or one less may go by the remainders of others.
          expect(after[token] ?? NaN).toBeGreaterThanOrEqual((before[token] ?? NaN) - (budget ? 1 : 0));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('countUntil', () => {
  const count = (rows: readonly (readonly number[])[], threshold: number): number[][] =>
    rowsOf(evaluateOne([floats([rows.length, rows[0]?.length ?? 0], rows.flat())], (builder, x) => builder.countUntil(x, threshold)));

  it('is the least number of terms that reach the threshold, and all where none do', () => {
    expect(
      count(
        [
          [0.5, 0.25, 0.25],
          [0.25, 0.25, 0.25],
          [0.75, 0.25, 0],
          [1, 0, 0],
        ],
        0.75,
      ),
    ).toEqual([[2], [3], [1], [1]]);
    expect(count([[0.5, 0.25, 0.125]], 0.9)).toEqual([[3]]);
    expect(count([[0.5, 0.25, 0.125]], 0)).toEqual([[1]]);
  });
});

describe('firstChoices', () => {
  it('keeps the first choices of each unit and sends the others nowhere', () => {
    const chosen = ints([3, 3], [2, 0, 1, 1, 2, 0, 0, 1, 2]);
    const [indices, kept] = evaluate([chosen, ints([3, 1], [2, 3, 1])], (builder, x, taken) => {
      const first = builder.firstChoices(x, taken, 4);
      return [first.indices, first.kept];
    });
    expect(indices?.data).toBeInstanceOf(Int32Array);
    expect(indices === undefined ? [] : rowsOf(indices)).toEqual([
      [2, 0, 4],
      [1, 2, 0],
      [0, 4, 4],
    ]);
    expect(kept === undefined ? [] : rowsOf(kept)).toEqual([
      [1, 1, 0],
      [1, 1, 1],
      [1, 0, 0],
    ]);
  });
});
