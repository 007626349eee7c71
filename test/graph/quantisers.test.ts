import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import { roundHalfToEven } from '../../src/graph/reference/quantisers';
import { gradientArrays, interpret, normals, programOf } from '../support/programs';

type Quantiser = (builder: ProgramBuilder, x: Tensor) => Tensor;

const ternary: Quantiser = (builder, w) => builder.quantiseWeight(w, 'ternary');
const binary: Quantiser = (builder, w) => builder.quantiseWeight(w, 'binary');
const eightBits: Quantiser = (builder, x) => builder.quantiseActivation(x);

function quantised(quantiser: Quantiser, shape: readonly number[], data: readonly number[]): number[] {
  const builder = new ProgramBuilder();
  const x = builder.input('x', shape, 'float32');
  const y = quantiser(builder, x);
  const feeds = new Map([[x.id, { shape, data: Float64Array.from(data) }]]);
  return [...(interpret(builder, { bindings: {}, feeds, wanted: [y.id] }).get(y.id)?.data ?? [])];
}

describe('rounding', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [3.5, 4],
    [-0.5, 0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [0.5000000000000001, 1],
    [-3.2, -3],
    [126.5, 126],
  ])('of %d gives %d', (x, expected) => {
    // Adding 0 makes -0 a 0.
    expect(roundHalfToEven(x) + 0).toBe(expected);
  });
});

describe('ternary weights', () => {
  // mean |w| = 8 / 8 = 1, so every element is w / g itself: halves go to even, and what rounds to 2 is clipped.
  const matrix = [0.5, -0.5, 1.5, -1.5, 0.5, -1.5, 1, 1];
  const levels = [0, 0, 1, -1, 0, -1, 1, 1];

  it('are g times -1, 0 or 1, each matrix of a stack with its own g', () => {
    expect(quantised(ternary, [2, 4], matrix).map((x) => x + 0)).toEqual(levels);
    const stack = [...matrix, ...matrix.map((x) => 4 * x)];
    expect(quantised(ternary, [2, 4, 2], stack).map((x) => x + 0)).toEqual([...levels, ...levels.map((x) => 4 * x)]);
  });
  it('of zero are zero', () => {
    expect(quantised(ternary, [2, 2], [0, 0, 0, 0])).toEqual([0, 0, 0, 0]);
  });
});

describe('binary weights', () => {
  it('are g times the side of the mean, the mean itself counting as below', () => {
    // mean 3, mean |w| 3.
    expect(quantised(binary, [2, 2], [1, 2, 3, 6])).toEqual([-3, -3, -3, 3]);
    // mean 0, mean |w| 2.
    expect(quantised(binary, [2, 2], [-3, 1, 3, -1])).toEqual([-2, 2, 2, -2]);
  });
  it('of zero are the least scale, negative', () => {
    expect(quantised(binary, [1, 3], [0, 0, 0])).toEqual([-1e-5, -1e-5, -1e-5]);
  });
});

describe('8-bit activations', () => {
  it('are multiples of max |x| / 127 of their row, halves to even', () => {
    const row = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -126.5];
    const levels = [127, 0, 2, 2, 0, -2, -126];
    expect(quantised(eightBits, [2, 7], [...row, ...row.map((x) => 2 * x)]).map((x) => x + 0)).toEqual([
      ...levels,
      ...levels.map((x) => 2 * x),
    ]);
  });
  it('of a row below the least scale are measured by that scale', () => {
    // 127 * 1e-6 / 1e-5 = 12.7, so 13 steps of 1e-5 / 127.
    expect(quantised(eightBits, [1, 2], [1e-6, 0])).toEqual([(1e-5 / 127) * 13, 0]);
  });
});

describe('over random matrices', () => {
  const arbitrary = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat());
  const scale = fc.integer({ min: -6, max: 6 }).map((exponent) => 2 ** exponent);

  it.each([
    ['ternary', ternary, 3],
    ['binary', binary, 2],
  ] as const)('%s weights have at most so many values, symmetric ones', (_, quantiser, most) => {
    fc.assert(
      fc.property(arbitrary, ([rows, columns, seed]) => {
        const values = new Set(quantised(quantiser, [rows, columns], [...normals([rows, columns], seed)]).map((x) => x + 0));
        expect(values.size).toBeLessThanOrEqual(most);
        expect(new Set([...values].map(Math.abs).filter((x) => x > 0)).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    ['ternary weights', ternary],
    ['binary weights', binary],
    ['activations', eightBits],
  ] as const)('%s scale with their input: by a power of two exactly', (_, quantiser) => {
    fc.assert(
      fc.property(arbitrary, scale, ([rows, columns, seed], factor) => {
        // Away from the least scale, below which nothing scales.
        const x = [...normals([rows, columns], seed)].map((element) => element + Math.sign(element) * 0.1);
        const scaled = quantised(
          quantiser,
          [rows, columns],
          x.map((element) => element * factor),
        );
        expect(scaled).toEqual(quantised(quantiser, [rows, columns], x).map((element) => element * factor));
      }),
    );
  });

  it('activations are off by at most half a step', () => {
    fc.assert(
      fc.property(arbitrary, ([rows, columns, seed]) => {
        const x = [...normals([rows, columns], seed)];
        quantised(eightBits, [rows, columns], x).forEach((y, i) => {
          const row = x.slice(Math.floor(i / columns) * columns, (Math.floor(i / columns) + 1) * columns);
          expect(Math.abs(y - (x[i] ?? NaN))).toBeLessThanOrEqual(Math.max(...row.map(Math.abs)) / 254 + 1e-12);
        });
      }),
    );
  });
});

describe('straight through', () => {
  it.each([
    ['ternary', ternary],
    ['binary', binary],
    ['8 bits', eightBits],
  ] as const)('%s: the gradient of the sum is all ones', (_, quantiser) => {
    const builder = new ProgramBuilder();
    const w = builder.parameter('w', [3, 4], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'ffn' });
    const differentiated = differentiate(programOf(builder, builder.sum(quantiser(builder, w), [0, 1])));
    const { program, gradients } = differentiated;
    const feeds = new Map([[w.id, { shape: [3, 4], data: normals([3, 4], 1) }]]);
    const values = interpret(program, { bindings: {}, feeds, wanted: gradients.flatMap(valuesOfGradient) });
    expect([...(gradientArrays(differentiated, values)[0]?.data ?? [])]).toEqual(new Array(12).fill(1));
  });
});
