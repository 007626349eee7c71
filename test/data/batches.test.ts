import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoredTokens, TrainingOrder, validationBatches } from '../../src/data/batches';
import { mix, permute } from '../../src/data/permutation';

/** Tokens that say where they are, in 16 bits: enough to recognise every place of a short text. */
const ramp = (length: number) => Uint8Array.from({ length }, (_, at) => at % 251);

describe('permutation', () => {
  it('visits every point once, for every size and key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(2 ** 32 - 1), (size, key) => {
        const seen = new Set(Array.from({ length: size }, (_, index) => permute(index, size, key)));
        expect(seen.size).toBe(size);
        expect(Math.max(...seen)).toBe(size - 1);
      }),
      { numRuns: 60 },
    );
  });

  it('reaches sizes of which no table could be made', () => {
    const size = 2 ** 32 - 5;
    const points = Array.from({ length: 1000 }, (_, index) => permute(size - 1 - index, size, 7));
    expect(new Set(points).size).toBe(1000);
    expect(points.every((point) => point >= 0 && point < size)).toBe(true);
  });

  it('leaves no trace of the order: neighbours land as far apart as strangers', () => {
    const size = 10_000;
    const order = Array.from({ length: size }, (_, index) => permute(index, size, mix(3)));
    const mean = order.slice(1).reduce((sum, point, at) => sum + Math.abs(point - (order[at] ?? 0)), 0) / (size - 1);
    // The expected distance of two random points is size / 3; its deviation over 10,000 pairs is about 0.3 % of size.
    expect(Math.abs(mean / size - 1 / 3)).toBeLessThan(0.015);
  });
});

describe('training order', () => {
  const text = ramp(5000);

  it('repeats no window within an epoch and keeps windows apart', () => {
    const order = new TrainingOrder(text, 16, 1);
    for (const epoch of [0, 1, 7]) {
      const starts = Array.from({ length: order.windowsPerEpoch }, (_, index) => order.startOf(epoch * order.windowsPerEpoch + index));
      const sorted = [...new Set(starts)].sort((a, b) => a - b);
      expect(sorted.length).toBe(order.windowsPerEpoch);
      expect(sorted.slice(1).every((start, at) => start - (sorted[at] ?? 0) === 16)).toBe(true);
      expect(sorted[0]).toBeGreaterThanOrEqual(0);
      expect((sorted.at(-1) ?? 0) + 16 + 1).toBeLessThanOrEqual(text.length);
    }
  });

  it('cuts every epoch elsewhere and in another order', () => {
    const order = new TrainingOrder(text, 16, 1);
    const offsets = new Set(Array.from({ length: 40 }, (_, epoch) => order.startOf(epoch * order.windowsPerEpoch) % 16));
    expect(offsets.size).toBeGreaterThan(8);
  });

  it('is a function of seed and position: the same after a restart, whatever the micro-batch', () => {
    const whole = new TrainingOrder(text, 16, 5).batchAt(0, 12);
    const restarted = new TrainingOrder(text, 16, 5);
    const parts = [restarted.batchAt(0, 4), restarted.batchAt(4, 8)];
    expect(parts.flatMap(({ tokens }) => [...tokens])).toEqual([...whole.tokens]);
    expect(parts.flatMap(({ targets }) => [...targets])).toEqual([...whole.targets]);
    expect([...new TrainingOrder(text, 16, 6).batchAt(0, 12).tokens]).not.toEqual([...whole.tokens]);
  });

  it('gives the next token as target', () => {
    const order = new TrainingOrder(text, 16, 2);
    const { tokens, targets } = order.batchAt(3, 2);
    for (let row = 0; row < 2; row++) {
      const start = order.startOf(3 + row);
      expect([...tokens.subarray(row * 16, row * 16 + 16)]).toEqual([...text.subarray(start, start + 16)]);
      expect([...targets.subarray(row * 16, row * 16 + 16)]).toEqual([...text.subarray(start + 1, start + 17)]);
    }
  });

  it('works from the shortest text that has a window, and stays inside any text', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(500),
        fc.nat(9),
        (context, extra, position, seed) => {
          const tokens = ramp(context + extra);
          const start = new TrainingOrder(tokens, context, seed).startOf(position);
          expect(start).toBeGreaterThanOrEqual(0);
          expect(start + context + 1).toBeLessThanOrEqual(tokens.length);
        },
      ),
    );
    expect(() => new TrainingOrder(ramp(16), 16, 0)).toThrow(RangeError);
  });
});

describe('validation windows', () => {
  it('score every token but the first exactly once, each predicted from the token before it, and pad nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 1, max: 17 }),
        fc.integer({ min: 1, max: 5 }),
        (text, context, windows) => {
          const batches = [...validationBatches(text, context, windows)];
          for (const { batch, time, tokens, targets } of batches) {
            expect([tokens.length, targets.length]).toEqual([batch * time, batch * time]);
            expect(batch).toBeLessThanOrEqual(windows);
          }
          expect(batches.flatMap(({ targets }) => [...targets])).toEqual([...text.subarray(1)]);
          expect(batches.flatMap(({ tokens }) => [...tokens])).toEqual([...text.subarray(0, scoredTokens(text))]);
        },
      ),
    );
  });

  it('are whole windows, then those left over, then the rest of the text', () => {
    const shapes = [...validationBatches(new Uint8Array(1 + 7 * 10 + 4), 10, 3)].map(({ batch, time }) => [batch, time]);
    expect(shapes).toEqual([
      [3, 10],
      [3, 10],
      [1, 10],
      [1, 4],
    ]);
  });
});
