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

  it('initialises each parameter by its own name, so that others do not move it', () => {
    const shape = [4, 3];
    const initialiser = { kind: 'normal', standardDeviation: 0.02 } as const;
    const one = initialiseParameter({ name: 'layers.0.ffn.w1', shape, initialiser }, 1);
    expect(initialiseParameter({ name: 'layers.0.ffn.w1', shape, initialiser }, 1)).toEqual(one);
    expect(initialiseParameter({ name: 'layers.1.ffn.w1', shape, initialiser }, 1)).not.toEqual(one);
  });
});
