import { describe, expect, it } from 'vitest';
import { initialiseParameter, philox4x32, RandomStream } from '../../src/graph/random';

describe('Philox4x32-10', () => {
  // Known answers published with the Random123 library (kat_vectors).
  it.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const)('gives the published words for counter $counter', ({ counter, key, words }) => {
    expect(philox4x32(counter, key[0], key[1])).toEqual(words);
  });
});

describe('RandomStream', () => {
  it('depends on seed and stream, and on nothing else', () => {
    const first = new RandomStream(1, 'a').block(5);
    expect(new RandomStream(1, 'a').block(5)).toEqual(first);
    expect(new RandomStream(2, 'a').block(5)).not.toEqual(first);
    expect(new RandomStream(1, 'b').block(5)).not.toEqual(first);
    expect(new RandomStream(1, 'a').block(6)).not.toEqual(first);
  });

  it('has the moments of a standard normal', () => {
    const sample = new Float64Array(200_000);
    new RandomStream(3, 'moments').fillNormal(sample, 1);
    const mean = sample.reduce((a, b) => a + b, 0) / sample.length;
    const variance = sample.reduce((a, b) => a + (b - mean) ** 2, 0) / sample.length;
    const kurtosis = sample.reduce((a, b) => a + (b - mean) ** 4, 0) / sample.length / variance ** 2;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.1);
  });

  it('draws normal numbers by the formula, whatever the length', () => {
    const stream = new RandomStream(11, 'normals');
    // Box-Muller, written as it stands: words 0 and 1 of a block give two numbers, words 2 and 3 two more.
    const expected = (index: number, standardDeviation: number): number => {
      const words = stream.block(Math.floor(index / 4));
      const pair = index % 4 < 2 ? 0 : 2;
      const radius = Math.sqrt(-2 * Math.log(((words[pair] ?? NaN) + 0.5) / 2 ** 32)) * standardDeviation;
      const angle = (2 * Math.PI * (words[pair + 1] ?? NaN)) / 2 ** 32;
      return radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    };
    for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 4097, 20_002]) {
      for (const standardDeviation of [1, 0.02]) {
        const wide = new Float64Array(length);
        stream.fillNormal(wide, standardDeviation);
        expect(wide).toEqual(Float64Array.from(wide, (_, index) => expected(index, standardDeviation)));
        const narrow = new Float32Array(length);
        stream.fillNormal(narrow, standardDeviation);
        expect(narrow).toEqual(Float32Array.from(wide));
      }
    }
  });
});

describe('initial values', () => {
  it('initialises each parameter by its own name, so that others do not move it', () => {
    const shape = [4, 3];
    const initialiser = { kind: 'normal', standardDeviation: 0.02 } as const;
    const one = initialiseParameter({ name: 'layers.0.ffn.w1', shape, initialiser }, 1);
    expect(initialiseParameter({ name: 'layers.0.ffn.w1', shape, initialiser }, 1)).toEqual(one);
    expect(initialiseParameter({ name: 'layers.1.ffn.w1', shape, initialiser }, 1)).not.toEqual(one);
  });

  describe('with equal columns', () => {
    const drawn = (kind: 'normal' | 'equalColumns', shape: readonly number[], standardDeviation = 0.3): Float32Array =>
      initialiseParameter({ name: 'router', shape, initialiser: { kind, standardDeviation } }, 4);
    const lengthOf = (matrix: Float32Array, columns: number, column: number): number =>
      Math.hypot(...matrix.filter((_, i) => i % columns === column));

    it.each([[[64, 8]], [[3, 32, 5]]])('%j: every column of a matrix is as long, its direction and the deviation as drawn', (shape) => {
      const [rows = 1, columns = 1] = shape.slice(-2);
      const [before, after] = [drawn('normal', shape), drawn('equalColumns', shape)];
      for (let start = 0; start < before.length; start += rows * columns) {
        const [given, made] = [before, after].map((data) => data.subarray(start, start + rows * columns)) as [Float32Array, Float32Array];
        const deviation = (matrix: Float32Array): number => Math.hypot(...matrix) / Math.sqrt(matrix.length);
        expect(deviation(made) / deviation(given)).toBeCloseTo(1, 6);
        for (let column = 0; column < columns; column++) {
          expect(lengthOf(made, columns, column) / (deviation(given) * Math.sqrt(rows))).toBeCloseTo(1, 6);
          const ratio = lengthOf(made, columns, column) / lengthOf(given, columns, column);
          for (let i = column; i < rows * columns; i += columns) expect(made[i]).toBeCloseTo((given[i] ?? NaN) * ratio, 6);
        }
      }
      expect(new Set(Array.from({ length: columns }, (_, column) => lengthOf(before, columns, column))).size).toBe(columns);
    });
    it('a matrix of one column stays as it was drawn, and zeros stay zeros', () => {
      drawn('equalColumns', [16, 1]).forEach((x, i) => expect(x).toBeCloseTo(drawn('normal', [16, 1])[i] ?? NaN, 7));
      expect(drawn('equalColumns', [4, 3], 0).every((x) => Math.abs(x) === 0)).toBe(true);
    });
  });
});
