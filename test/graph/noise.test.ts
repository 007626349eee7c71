import { describe, expect, it } from 'vitest';
import { drawNoise, type NoisePlace } from '../../src/graph/noise';
import { RandomStream } from '../../src/graph/random';

const first: NoisePlace = { seed: 7, step: 1, microbatch: 0 };

function draw(count: number, place: Partial<NoisePlace> = {}, noise: Partial<Parameters<typeof drawNoise>[0]> = {}): Float32Array {
  const target = new Float32Array(count);
  drawNoise({ name: 'layers.1.jitter', low: 0.9, high: 1.1, ...noise }, target, { ...first, ...place });
  return target;
}

describe('noise', () => {
  it('is uniform in its range', () => {
    const sample = draw(200_000);
    const mean = sample.reduce((sum, x) => sum + x, 0) / sample.length;
    const variance = sample.reduce((sum, x) => sum + (x - mean) ** 2, 0) / sample.length;
    // Of a uniform distribution of width 0.2: variance width^2 / 12.
    expect(Math.abs(mean - 1)).toBeLessThan(1e-3);
    expect(Math.abs(variance / (0.04 / 12) - 1)).toBeLessThan(0.01);
    const tenths = new Array<number>(10).fill(0);
    for (const x of sample) {
      const tenth = Math.floor((x - 0.9) / 0.02);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count / sample.length - 0.1)).toBeLessThan(0.005);
  });

  it.each([
    [0.9, 1.1],
    [0, 1],
    [-0.3, 0],
    [-1.1, -0.9],
    // As narrow as a few float32 numbers: rounding would leave the range often.
    [1, 1 + 2 ** -21],
    [0.1, 0.1 + 2 ** -25],
  ])('stays in [%d, %d) in float32 too', (low, high) => {
    expect(draw(20_000, {}, { low, high }).filter((x) => !(x >= low && x < high))).toEqual(new Float32Array());
  });

  it('depends on seed, step, microbatch and name alone', () => {
    expect(draw(100)).toEqual(draw(100));
    for (const other of [
      draw(100, { seed: 8 }),
      draw(100, { step: 2 }),
      draw(100, { microbatch: 1 }),
      draw(100, {}, { name: 'layers.3.jitter' }),
    ]) {
      expect(other).not.toEqual(draw(100));
      expect(other.filter((x, i) => x === draw(100)[i]).length).toBeLessThan(3);
    }
  });

  it.each([8, 12, 6, 7, 5000])('a step draws the same in microbatches of %d elements as in one', (size) => {
    const whole = draw(3 * size);
    const parts = [0, 1, 2].flatMap((microbatch) => [...draw(size, { microbatch })]);
    expect(parts).toEqual([...whole]);
  });

  it('is what the generator says, also past 2^32 numbers', () => {
    const stream = new RandomStream(3, 'words');
    for (const start of [0, 3, 4 * 2 ** 32 - 2]) {
      const words = new Uint32Array(11);
      stream.fillWords(words, start, 0);
      const expected = Array.from(words, (_, i) => stream.block(Math.floor((start + i) / 4))[(start + i) % 4]);
      expect([...words]).toEqual(expected);
    }
  });
});
