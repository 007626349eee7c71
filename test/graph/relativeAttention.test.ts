import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/graph/builder';
import type { NdArray } from '../../src/graph/reference/array';
import { evaluateOne, floats, rowsOf } from '../support/evaluate';
import { normals } from '../support/programs';

describe('sinusoid', () => {
  it('has sines of falling frequency in its first half and their cosines in the second', () => {
    const [first = [], second = [], third = []] = rowsOf(evaluateOne([], (builder) => builder.sinusoid(3, 4)));
    expect(first).toEqual([0, 0, 1, 1]);
    // Channel 1 of width 4 turns by 10000^(-2/4) = 0.01 a row.
    second.forEach((x, i) => expect(x).toBeCloseTo([Math.sin(1), Math.sin(0.01), Math.cos(1), Math.cos(0.01)][i] ?? NaN, 14));
    third.forEach((x, i) => expect(x).toBeCloseTo([Math.sin(2), Math.sin(0.02), Math.cos(2), Math.cos(0.02)][i] ?? NaN, 14));
  });
});

const sizes = { batch: 2, heads: 2, time: 4, width: 3 };
type Operands = Record<'q' | 'k' | 'v' | 'memoryKeys' | 'memoryValues' | 'positions' | 'seen', NdArray>;

function operands(seed: number, seen: readonly number[] = [1, 0]): Operands {
  const { batch, heads, time, width } = sizes;
  const part = (index: number, shape: readonly number[] = [batch, heads, time, width]): NdArray =>
    floats(shape, normals(shape, seed * 10 + index));
  return {
    q: part(0),
    k: part(1),
    v: part(2),
    memoryKeys: part(3),
    memoryValues: part(4),
    positions: part(5, [heads, 2 * time, width]),
    seen: floats([batch], seen),
  };
}

function relative({ q, k, v, memoryKeys, memoryValues, positions, seen }: Operands, scale = 0.7): NdArray {
  return evaluateOne([q, k, v, memoryKeys, memoryValues, positions, seen], (builder, ...read) => {
    const [query, key, value, cachedKeys, cachedValues, byDistance, sees] = read as Seven;
    const tensors = { q: query, k: key, v: value, memoryKeys: cachedKeys, memoryValues: cachedValues, positions: byDistance, seen: sees };
    return builder.relativeAttention(tensors, scale);
  });
}

type Seven = [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

/** Rows [time][width] of one head of one window. */
function headOf({ data }: NdArray, window: number, head: number): number[][] {
  const { heads, time, width } = sizes;
  const start = (window * heads + head) * time * width;
  return Array.from({ length: time }, (_, t) => [...data.subarray(start + t * width, start + (t + 1) * width)]);
}

/** Cache and present written one behind the other, a score for every pair, and a mask. */
function plain({ q, k, v, memoryKeys, memoryValues, positions, seen }: Operands, scale: number): number[] {
  const { batch, heads, time, width } = sizes;
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? NaN), 0);
  const output: number[] = [];
  for (let window = 0; window < batch; window++) {
    for (let head = 0; head < heads; head++) {
      const keys = [...headOf(memoryKeys, window, head), ...headOf(k, window, head)];
      const values = [...headOf(memoryValues, window, head), ...headOf(v, window, head)];
      const byDistance = Array.from({ length: 2 * time }, (_, n) =>
        Array.from({ length: width }, (_unused, i) => positions.data[(head * 2 * time + n) * width + i] ?? NaN),
      );
      headOf(q, window, head).forEach((query, i) => {
        const weights = keys.map((key, j) => {
          const distance = time + i - j;
          const allowed = distance >= 0 && (j >= time || seen.data[window] === 1);
          return allowed ? Math.exp(scale * (dot(query, key) + dot(query, byDistance[distance] ?? []))) : 0;
        });
        const total = weights.reduce((a, b) => a + b, 0);
        for (let c = 0; c < width; c++)
          output.push(weights.reduce((sum, weight, j) => sum + (weight / total) * (values[j]?.[c] ?? NaN), 0));
      });
    }
  }
  return output;
}

const expectClose = (actual: NdArray, expected: ArrayLike<number>): void => {
  expect(actual.data).toHaveLength(expected.length);
  actual.data.forEach((x, i) => expect(x).toBeCloseTo(expected[i] ?? NaN, 12));
};

describe('relativeAttention', () => {
  it.each([[[1, 1]], [[1, 0]], [[0, 1]], [[0, 0]]])('equals cache and present in one sequence under a mask, seen %j', (seen) => {
    for (const seed of [1, 2, 3]) {
      const given = operands(seed, seen);
      expectClose(relative(given, 0.7), plain(given, 0.7));
    }
  });

  it('without positions is causal attention: of the window alone, or of its second half behind the cache', () => {
    const { batch, heads, time, width } = sizes;
    const given = { ...operands(4), positions: floats([heads, 2 * time, width], new Array(heads * 2 * time * width).fill(0)) };
    const result = relative(given);
    const alone = evaluateOne([given.q, given.k, given.v], (builder, q, k, v) => builder.attention(q, k, v, true, 0.7));
    const long = evaluateOne([given.memoryKeys, given.memoryValues, given.q, given.k, given.v], (builder, mk, mv, q, k, v) => {
      const joined = (a: typeof q, b: typeof q): typeof q => builder.concat([a, b], 2);
      // Queries of the cache do not matter; what is wanted are the later ones.
      return builder.slice(builder.attention(joined(q, q), joined(mk, k), joined(mv, v), true, 0.7), 2, time, 2 * time);
    });
    const half = (batch * heads * time * width) / 2;
    expectClose(result, [...long.data.subarray(0, half), ...alone.data.subarray(half)]);
  });

  it('does not change when every position moves by one vector: all scores of a query then move alike', () => {
    const { heads, time, width } = sizes;
    const given = operands(5);
    const vector = [2, -1, 0.5];
    const moved = {
      ...given,
      positions: floats(
        [heads, 2 * time, width],
        given.positions.data.map((x, i) => x + (vector[i % width] ?? NaN)),
      ),
    };
    expectClose(relative(moved), relative(given).data);
  });

  it('an earlier token knows nothing of a later one, a window without its cache nothing of the cache', () => {
    const { heads, time, width } = sizes;
    const tokenOf = (i: number): number => Math.floor(i / width) % time;
    fc.assert(
      fc.property(fc.nat({ max: 500 }), fc.integer({ min: 1, max: time - 1 }), (seed, changed) => {
        const given = operands(seed);
        const before = relative(given).data;
        const later = (array: NdArray): NdArray =>
          floats(
            array.shape,
            array.data.map((x, i) => (tokenOf(i) >= changed ? x + 3 : x)),
          );
        const after = relative({ ...given, q: later(given.q), k: later(given.k), v: later(given.v) }).data;
        const windowSize = heads * time * width;
        before.forEach((x, i) => {
          if (tokenOf(i) < changed) expect(after[i]).toBe(x);
        });
        const cache = (array: NdArray): NdArray =>
          floats(
            array.shape,
            array.data.map((x) => 2 * x + 1),
          );
        const other = relative({ ...given, memoryKeys: cache(given.memoryKeys), memoryValues: cache(given.memoryValues) }).data;
        expect(other.subarray(windowSize)).toEqual(before.subarray(windowSize));
        expect(other.subarray(0, windowSize)).not.toEqual(before.subarray(0, windowSize));
      }),
      { numRuns: 30 },
    );
  });
});
