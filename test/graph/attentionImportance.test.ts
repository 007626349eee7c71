import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PrimitiveAttributes } from '../../src/graph/primitives';
import { evaluateOne, floats, rowsOf } from '../support/evaluate';
import { normals } from '../support/programs';

type Statistic = PrimitiveAttributes['attentionImportance']['statistic'];

function importance(
  shape: readonly number[],
  q: Iterable<number>,
  k: Iterable<number>,
  attributes: { readonly statistic: Statistic; readonly causal: boolean; readonly scale?: number },
): number[][] {
  return rowsOf(
    evaluateOne([floats(shape, q), floats(shape, k)], (builder, x, y) => builder.attentionImportance(x, y, { scale: 1, ...attributes })),
  );
}

const close = (actual: readonly number[] | undefined, expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, index) => expect(actual?.[index]).toBeCloseTo(value, 12));
};
const entropy = (row: readonly number[]): number => -row.reduce((sum, p) => sum + p * Math.log(p), 0);
const over = (values: readonly number[], mean: number): number[] => values.map((value) => value / mean);

describe('importance by attention, one head of one channel', () => {
  // q_i k_j = i log(1 + j), so that A[i, j] is in proportion to (1 + j)^i.
  const shape = [1, 1, 3, 1];
  const [q, k] = [
    [0, 1, 2],
    [0, Math.log(2), Math.log(3)],
  ];
  const rows = [
    [1 / 3, 1 / 3, 1 / 3],
    [1 / 6, 2 / 6, 3 / 6],
    [1 / 14, 4 / 14, 9 / 14],
  ];

  it('received: the mean of the columns of A, whose own mean is 1 / time', () => {
    const received = [0, 1, 2].map((j) => rows.reduce((sum, row) => sum + (row[j] ?? NaN), 0));
    close(importance(shape, q, k, { statistic: 'received', causal: false })[0], received);
  });
  it('cls_row: the row of the first token', () => {
    close(importance(shape, q, k, { statistic: 'cls_row', causal: false })[0], [1, 1, 1]);
    close(importance(shape, [2, 1, 0], k, { statistic: 'cls_row', causal: false })[0], [3 / 14, 12 / 14, 27 / 14]);
  });
  it('row_max: how far the largest of each row is above even attention, by the logarithm', () => {
    // 1/3, 1/2 and 9/14 of three keys. The row of the first token is even: no concentration but the least.
    const above = [1e-3, Math.log(3 / 2) / Math.log(3), Math.log(27 / 14) / Math.log(3)];
    close(importance(shape, q, k, { statistic: 'row_max', causal: false })[0], over(above, above.reduce((a, b) => a + b, 0) / 3));
  });
  it('row_max, causal: by the keys up to each token, over the mean so far but of the first', () => {
    // A[0] = [1], A[1] = [1, 2] / 3, A[2] = [1, 4, 9] / 14: the largest are 4/3 of even attention to two keys, 27/14 of that to three.
    const [second, third] = [Math.log2(4 / 3), Math.log(27 / 14) / Math.log(3)];
    close(importance(shape, q, k, { statistic: 'row_max', causal: true })[0], [1, 1, third / ((second + third) / 2)]);
  });
  it('entropy: how far each row is from looking everywhere alike', () => {
    const concentration = [1e-3, ...rows.slice(1).map((row) => 1 - entropy(row) / Math.log(3))];
    const mean = concentration.reduce((a, b) => a + b, 0) / 3;
    close(importance(shape, q, k, { statistic: 'entropy', causal: false })[0], over(concentration, mean));
  });
  it('entropy, causal: by the logarithm of the keys seen, over the mean so far but of the first', () => {
    const [second, third] = [1 - entropy([1 / 3, 2 / 3]) / Math.log(2), 1 - entropy(rows[2] ?? []) / Math.log(3)];
    close(importance(shape, q, k, { statistic: 'entropy', causal: true })[0], [1, 1, third / ((second + third) / 2)]);
  });
  it('is 1 for all where attention is even, which before the first choice it always is', () => {
    for (const statistic of ['received', 'cls_row', 'row_max', 'entropy'] as const) {
      close(importance([1, 1, 4, 1], [0, 0, 0, 0], [1, 2, 3, 4], { statistic, causal: false })[0], [1, 1, 1, 1]);
    }
    for (const statistic of ['row_max', 'entropy'] as const) {
      expect(importance([1, 1, 4, 1], [0, 0, 0, 0], [1, 2, 3, 4], { statistic, causal: true })[0]).toEqual([1, 1, 1, 1]);
    }
  });
  it('is 1 for all where attention is nearly even: what is left is no difference to speak of', () => {
    const [small, long] = [normals([1, 2, 50, 3], 1).map((x) => x / 100), [1, 2, 50, 3]];
    for (const statistic of ['row_max', 'entropy'] as const) {
      for (const causal of [true, false]) {
        const [found] = importance(long, small, small, { statistic, causal });
        expect(found).toHaveLength(50);
        for (const r of found ?? []) expect(r).toBeCloseTo(1, 12);
      }
    }
  });
  it('makes of one token that looks at a single key among such that look everywhere the one that counts', () => {
    // Token 5 of 8 looks at key 3 alone; to itself it is worth the mean of 1e-3 four times and 1, and later tokens are worth little.
    const queries = [0, 0, 0, 0, 0, 1, 0, 0];
    const keys = [0, 0, 0, 100, 0, 0, 0, 0];
    for (const statistic of ['row_max', 'entropy'] as const) {
      const [found] = importance([1, 1, 8, 1], queries, keys, { statistic, causal: true });
      const mean = (4e-3 + 1) / 5;
      close(found, [1, 1, 1, 1, 1, 1 / mean, 1e-3 / ((5e-3 + 1) / 6), 1e-3 / ((6e-3 + 1) / 7)]);
    }
  });
  it('of a single token is 1', () => {
    for (const statistic of ['row_max', 'entropy'] as const) {
      for (const causal of [true, false]) close(importance([1, 1, 1, 1], [3], [2], { statistic, causal })[0], [1]);
    }
    for (const statistic of ['received', 'cls_row'] as const)
      close(importance([2, 1, 1, 1], [3, 1], [2, 1], { statistic, causal: false })[1], [1]);
  });
  it('scales the scores', () => {
    const doubled = q.map((x) => 2 * x);
    close(
      importance(shape, q, k, { statistic: 'received', causal: false, scale: 2 })[0],
      importance(shape, doubled, k, { statistic: 'received', causal: false })[0] ?? [],
    );
  });
});

describe('importance over heads and windows', () => {
  it('takes the mean over the heads before that over the tokens, each window for itself', () => {
    // Two heads of one channel in each of two windows; the second window has them in the other order, so its importances are the same.
    const [plain, sharp] = [
      [0, 0, 0],
      [0, 1, 2],
    ];
    const k = [0, Math.log(2), Math.log(3)];
    const q = [...plain, ...sharp, ...sharp, ...plain];
    const above = [1e-3, Math.log(3 / 2) / Math.log(3) / 2, Math.log(27 / 14) / Math.log(3) / 2];
    const expected = over(above, above.reduce((a, b) => a + b, 0) / 3);
    const result = importance([2, 2, 3, 1], q, [...k, ...k, ...k, ...k], { statistic: 'row_max', causal: false });
    result.forEach((row) => close(row, expected));
    expect(result).toHaveLength(2);
  });

  it('takes the mean over the heads before the least, not after', () => {
    // One head is even, the other above it by 1.5e-3 or 4.5e-3: half of these are their mean, of which only the first is too little.
    const [key, q] = [
      [0, 1],
      [0, 0],
    ];
    // The larger of two probabilities is p = 2^(above - 1), by a score of log(p / (1 - p)).
    const score = (above: number): number => -Math.log(2 ** (1 - above) - 1);
    const query = [score(1.5e-3), score(4.5e-3)];
    const [found] = importance([1, 2, 2, 1], [...q, ...query], [...key, ...key], { statistic: 'row_max', causal: false });
    close(found, over([1e-3, 2.25e-3], 1.625e-3));
  });

  const sizes = fc.record({ heads: fc.integer({ min: 1, max: 3 }), time: fc.integer({ min: 2, max: 7 }), seed: fc.nat() });

  it('has mean 1 over a window', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom<Statistic>('received', 'cls_row', 'row_max', 'entropy'), ({ heads, time, seed }, statistic) => {
        const shape = [2, heads, time, 3];
        for (const row of importance(shape, normals(shape, seed), normals(shape, seed + 1), { statistic, causal: false })) {
          expect(row.reduce((a, b) => a + b, 0) / time).toBeCloseTo(1, 10);
        }
      }),
    );
  });
  it('where causal knows nothing of later tokens', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom<Statistic>('row_max', 'entropy'), fc.nat(), ({ heads, time, seed }, statistic, which) => {
        const shape = [1, heads, time, 3];
        const changed = 1 + (which % (time - 1));
        const after = (data: Float64Array): Float64Array => data.map((x, i) => (Math.floor(i / 3) % time >= changed ? x + 5 : x));
        const [q, k] = [normals(shape, seed), normals(shape, seed + 1)];
        const [before, now] = [
          importance(shape, q, k, { statistic, causal: true }),
          importance(shape, after(q), after(k), { statistic, causal: true }),
        ];
        expect(now[0]?.slice(0, changed)).toEqual(before[0]?.slice(0, changed));
      }),
    );
  });
});
