import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, floats, rowsOf } from '../support/evaluate';
import { normals } from '../support/programs';

interface Retrieved {
  readonly indices: number[][];
  readonly first: number[][];
  readonly second: number[][];
}

function retrieve(keys: number, k: number, a: Iterable<number>, b: Iterable<number>): Retrieved {
  const [left, right] = [[...a], [...b]];
  const shape = [left.length / keys, keys];
  const [indices, first, second] = evaluate([floats(shape, left), floats(shape, right)], (builder, x, y) => {
    const keysOf = builder.productKeys(x, y, k);
    return [keysOf.indices, keysOf.first, keysOf.second];
  }).map(rowsOf) as [number[][], number[][], number[][]];
  return { indices, first, second };
}

/** All n^2 sums a[i] + b[j] of one unit, and the places i n + j of the k largest, largest first. */
function bruteForce(a: readonly number[], b: readonly number[], k: number): { readonly places: number[]; readonly sums: number[] } {
  const sums = a.flatMap((x) => b.map((y) => x + y));
  const places = sums
    .map((_, place) => place)
    .sort((left, right) => (sums[right] ?? NaN) - (sums[left] ?? NaN))
    .slice(0, k);
  return { places, sums: places.map((place) => sums[place] ?? NaN) };
}

describe('product keys against all n^2 sums', () => {
  const sizes = [64, 256, 1024, 4096, 16384].flatMap((experts) => {
    const keys = Math.sqrt(experts);
    return [1, 2, 5, keys].map((k) => ({ experts, keys, k }));
  });

  it.each(sizes)('N = $experts, k = $k: the same keys in the same order', ({ keys, k }) => {
    const units = 3;
    const [a, b] = [normals([units, keys], keys + k), normals([units, keys], keys + k + 1000)];
    const { indices, first, second } = retrieve(keys, k, a, b);
    for (let unit = 0; unit < units; unit++) {
      const row = (data: Float64Array): number[] => [...data.subarray(unit * keys, (unit + 1) * keys)];
      const expected = bruteForce(row(a), row(b), k);
      expect(indices[unit]).toEqual(expected.places);
      expect(first[unit]).toEqual(expected.places.map((place) => Math.floor(place / keys)));
      expect(second[unit]).toEqual(expected.places.map((place) => place % keys));
    }
  });

  it.each([64, 256, 1024, 4096, 16384])('N = %d with many equal sums: sums as large, no key twice', (experts) => {
    const keys = Math.sqrt(experts);
    const score = fc.integer({ min: -2, max: 2 });
    const scores = fc.array(score, { minLength: keys, maxLength: keys });
    fc.assert(
      fc.property(scores, scores, fc.integer({ min: 1, max: keys }), (a, b, k) => {
        const { indices, first, second } = retrieve(keys, k, a, b);
        const [places = [], i = [], j = []] = [indices[0], first[0], second[0]];
        expect(i.map((left, choice) => (a[left] ?? NaN) + (b[j[choice] ?? -1] ?? NaN))).toEqual(bruteForce(a, b, k).sums);
        expect(places).toEqual(i.map((left, choice) => left * keys + (j[choice] ?? NaN)));
        expect(new Set(places).size).toBe(k);
      }),
      { numRuns: experts > 5000 ? 20 : 100 },
    );
  });
});

describe('equal sums', () => {
  it('go by the rank of a, then of b; equal scores rank by the lower column', () => {
    // Ranks of a: columns 1, 2, 0. Ranks of b: columns 0, 2, 1.
    const { indices, first, second } = retrieve(3, 3, [0, 1, 1], [1, 0, 1]);
    // Of the sums 2: a's column 1 with b's 0 and 2, then a's column 2 with b's 0.
    expect(indices).toEqual([[3, 5, 6]]);
    expect(first).toEqual([[1, 1, 2]]);
    expect(second).toEqual([[0, 2, 0]]);
  });
  it('of unlike parts go by the rank of a too', () => {
    // a + b: 3 + 0, 2 + 1 and so on are all 3 in the anti-diagonal; 3 + 1 = 4 leads.
    const { indices } = retrieve(2, 2, [2, 3], [0, 1]);
    // 3 + 1 = 4; then 3 + 0 before 2 + 1.
    expect(indices).toEqual([[3, 2]]);
  });
});
