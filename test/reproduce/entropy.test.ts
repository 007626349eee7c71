import { describe, expect, it } from 'vitest';
import { textEntropy } from '../../reproduce/entropy';
import { overlap, placesOf, spreadOf } from '../../reproduce/statistics';
import { encodeBytes } from '../../src/data/byteTokenizer';
import { generateSampleCorpus } from '../../src/data/sampleCorpus';

describe('entropy of a text', () => {
  it('of four equally frequent bytes is ln 4; where each has one follower, H(next | previous) is 0', () => {
    const { unigram, bigram } = textEntropy(encodeBytes('abcd'.repeat(50)));
    expect(unigram).toBeCloseTo(Math.log(4), 12);
    expect(bigram).toBe(0);
  });

  it('is what H(next | previous) is by hand', () => {
    // Pairs of "aabab": aa, ab, ba, ab. After a: a once, b twice; after b: a.
    const afterA = -(1 / 3) * Math.log(1 / 3) - (2 / 3) * Math.log(2 / 3);
    expect(textEntropy(encodeBytes('aabab')).bigram).toBeCloseTo((3 / 4) * afterA, 12);
  });

  it('is the loss of the fitted table: the mean of -ln p(next | previous) over the text, and no other table does better', () => {
    const text = encodeBytes(generateSampleCorpus(3, 1 << 14).files[0]?.text ?? '');
    const table = new Map<number, Map<number, number>>();
    const fit = (smoothing: number) => {
      table.clear();
      for (let at = 1; at < text.length; at++) {
        const row = table.get(text[at - 1] ?? 0) ?? new Map<number, number>();
        row.set(text[at] ?? 0, (row.get(text[at] ?? 0) ?? smoothing) + 1);
        table.set(text[at - 1] ?? 0, row);
      }
      let nats = 0;
      for (let at = 1; at < text.length; at++) {
        const row = table.get(text[at - 1] ?? 0) ?? new Map<number, number>();
        const total = [...row.values()].reduce((sum, count) => sum + count, 0);
        nats -= Math.log((row.get(text[at] ?? 0) ?? 0) / total);
      }
      return nats / (text.length - 1);
    };
    const { bigram } = textEntropy(text);
    expect(bigram).toBeCloseTo(fit(0), 10);
    expect(bigram).toBeLessThan(fit(5));
  });
});

describe('what several seeds gave', () => {
  it('has a mean, the deviation of a sample and its range', () => {
    expect(spreadOf([1, 2, 4])).toEqual({ mean: 7 / 3, deviation: expect.closeTo(Math.sqrt(7 / 3), 12), least: 1, most: 4 });
    expect(spreadOf([2]).deviation).toBe(0);
  });

  it('does not tell two apart whose ranges meet', () => {
    expect(overlap(spreadOf([1, 2]), spreadOf([2, 3]))).toBe(true);
    expect(overlap(spreadOf([1, 1.9]), spreadOf([2, 3]))).toBe(false);
    expect(overlap(spreadOf([0, 5]), spreadOf([2, 3]))).toBe(true);
  });

  it('has places', () => expect(placesOf([3, 1, 2, 1])).toEqual([4, 1, 3, 1]));
});
