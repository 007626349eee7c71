import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowGradients, type RowPart } from '../../src/engine/onnx/rowGradients';
import { normals, uniformIntegers } from '../support/programs';

function randomPart(rows: number, [units, choices, width]: readonly [number, number, number], seed: number): RowPart {
  return {
    indices: uniformIntegers(units * choices, rows, seed),
    coefficients: Float32Array.from(normals([units, choices], seed)),
    vectors: Float32Array.from(normals([units, width], seed + 1)),
  };
}

/** The whole table, added up as rowOuter is defined. */
function dense(parts: readonly RowPart[], rows: number, width: number): Float64Array {
  const table = new Float64Array(rows * width);
  for (const { indices, coefficients, vectors } of parts) {
    const choices = (indices.length * width) / vectors.length;
    indices.forEach((row, occurrence) => {
      const unit = Math.floor(occurrence / choices);
      for (let i = 0; i < width; i++) {
        const at = row * width + i;
        table[at] = (table[at] ?? 0) + (coefficients[occurrence] ?? 0) * (vectors[unit * width + i] ?? 0);
      }
    });
  }
  return table;
}

describe('row gradients', () => {
  it('are the sum of all parts, and their squares are those of the whole table', () => {
    const shapes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }));
    // A few rows, read many times each; and more than one digit of the sort, nearly all read once.
    fc.assert(
      fc.property(fc.array(shapes, { minLength: 1, maxLength: 4 }), fc.constantFrom(1, 3, 40, 9000), fc.nat(1e6), (sizes, rows, seed) => {
        const width = 4;
        const parts = sizes.map(([units, choices], index) => randomPart(rows, [units, choices, width], seed + 10 * index));
        const gradients = new RowGradients(parts, width);
        const expected = dense(parts, rows, width);
        expect([...gradients.rows]).toEqual([...new Set(parts.flatMap(({ indices }) => [...indices]))].sort((a, b) => a - b));
        const sum = new Float64Array(width);
        gradients.rows.forEach((row, place) => {
          gradients.sumInto(sum, place);
          // In the same order, so to the last bit.
          expect([...sum]).toEqual([...expected.subarray(row * width, (row + 1) * width)]);
        });
        const squares = expected.reduce((total, value) => total + value * value, 0);
        expect(Math.abs(gradients.sumOfSquares() - squares)).toBeLessThanOrEqual(1e-12 * squares);
      }),
    );
  });

  it('of no part at all are nothing', () => {
    const gradients = new RowGradients([], 8);
    expect(gradients.rows).toHaveLength(0);
    expect(gradients.sumOfSquares()).toBe(0);
  });

  it('of which one is not finite have no finite sum of squares', () => {
    const part = randomPart(50, [4, 2, 3], 1);
    part.vectors[4] = Number.NaN;
    expect(new RowGradients([part], 3).sumOfSquares()).toBeNaN();
    part.vectors[4] = Number.POSITIVE_INFINITY;
    expect(Number.isFinite(new RowGradients([part], 3).sumOfSquares())).toBe(false);
  });

  it('of rows above 2^22 are told apart', () => {
    const part: RowPart = {
      indices: Int32Array.of(2 ** 30 + 5, 5, 2 ** 22 + 5, 2 ** 30 + 5, 2 ** 31 - 1),
      coefficients: Float32Array.of(1, 2, 3, 4, 5),
      vectors: Float32Array.of(1, 1, 1, 1, 1),
    };
    const gradients = new RowGradients([part], 1);
    expect([...gradients.rows]).toEqual([5, 2 ** 22 + 5, 2 ** 30 + 5, 2 ** 31 - 1]);
    const sum = new Float64Array(1);
    gradients.sumInto(sum, 2);
    expect(sum[0]).toBe(5);
  });
});
