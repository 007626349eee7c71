import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { maskingSchema, type MaskingConfig } from '../../src/config/schema';
import { TrainingOrder, validationBatches, type TokenBatch } from '../../src/data/batches';
import { MASK_TOKEN } from '../../src/data/masking';

const settings = (changes: Partial<MaskingConfig> = {}): MaskingConfig => ({ ...maskingSchema.parse({}), ...changes });
/** Bytes that no other position near has, so that a mix-up shows. */
const textOf = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 37 + (at >> 8)) % 256);
const rowsOf = ({ batch, time, tokens, targets }: TokenBatch) =>
  Array.from({ length: batch }, (_, row) => ({
    tokens: [...tokens.subarray(row * time, (row + 1) * time)],
    targets: [...targets.subarray(row * time, (row + 1) * time)],
  }));

describe('masked training windows', () => {
  const text = textOf(5000);
  const order = (seed: number, hidden = settings()) => new TrainingOrder(text, 64, seed, hidden);

  it('are the windows of causal training with some tokens hidden; the targets are those tokens', () => {
    const causal = new TrainingOrder(text, 64, 3);
    const [masked, plain] = [order(3).batchAt(10, 4), causal.batchAt(10, 4)];
    let changed = 0;
    masked.targets.forEach((target, at) => {
      if (target >= 0) expect(target).toBe(plain.tokens[at]);
      else expect(masked.tokens[at]).toBe(plain.tokens[at]);
      if (masked.tokens[at] !== plain.tokens[at]) changed++;
    });
    expect(changed).toBeGreaterThan(4);
  });

  it('depend on the seed and the position alone, not on how windows are grouped', () => {
    const whole = rowsOf(order(3).batchAt(20, 6));
    const parts = [order(3).batchAt(20, 1), order(3).batchAt(21, 3), order(3).batchAt(24, 2)].flatMap(rowsOf);
    expect(parts).toEqual(whole);
    expect(rowsOf(order(4).batchAt(20, 6))).not.toEqual(whole);
  });

  it('hide other tokens of the same window in the next epoch', () => {
    // One window an epoch that always starts at the first token.
    const one = new TrainingOrder(textOf(65), 64, 1, settings());
    const [first, second] = rowsOf(one.batchAt(0, 2));
    expect(one.startOf(0)).toBe(one.startOf(1));
    expect(first?.targets).not.toEqual(second?.targets);
  });

  it('hide the stated shares, and of the hidden turn the stated shares into mask and random tokens', () => {
    const hidden = settings({ probability: 0.3, mask_share: 0.5, random_share: 0.3 });
    const big = textOf(1 << 17);
    const { tokens, targets } = new TrainingOrder(big, 128, 5, hidden).batchAt(0, 1000);
    const count = { hidden: 0, mask: 0, same: 0 };
    targets.forEach((target, at) => {
      if (target < 0) return;
      count.hidden++;
      if (tokens[at] === MASK_TOKEN) count.mask++;
      else if (tokens[at] === target) count.same++;
    });
    const positions = targets.length;
    // Five standard deviations of a binomial share.
    const near = (share: number, expected: number, of: number) =>
      expect(Math.abs(share - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / of));
    near(count.hidden / positions, 0.3, positions);
    near(count.mask / count.hidden, 0.5, count.hidden);
    // A random byte is the right one once in 256.
    near(count.same / count.hidden, 0.2 + 0.3 / 256, count.hidden);
  });

  it('draw random tokens evenly from all bytes', () => {
    const hidden = settings({ probability: 1, mask_share: 0, random_share: 1 });
    const { tokens } = new TrainingOrder(textOf(1 << 16), 128, 5, hidden).batchAt(0, 500);
    const counts = new Float64Array(256);
    for (const token of tokens) counts[token] = (counts[token] ?? 0) + 1;
    const expected = tokens.length / 256;
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Chi-squared with 255 degrees of freedom: mean 255, standard deviation 22.6.
    expect(chi).toBeLessThan(255 + 5 * 22.6);
  });

  it('hide at least one token, however small the probability', () => {
    const { targets } = order(7, settings({ probability: 1e-9 })).batchAt(0, 50);
    const perWindow = Array.from(
      { length: 50 },
      (_, row) => targets.subarray(row * 64, (row + 1) * 64).filter((target) => target >= 0).length,
    );
    expect(perWindow).toEqual(Array.from({ length: 50 }, () => 1));
    const places = new Set(Array.from(targets, (target, at) => (target >= 0 ? at % 64 : -1)));
    expect(places.size).toBeGreaterThan(20);
  });
});

describe('masked validation windows', () => {
  it('are the same at every validation and hide each position of the text at most once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 17 }),
        fc.integer({ min: 1, max: 5 }),
        (length, context, windows) => {
          const text = textOf(length);
          const hidden = settings({ probability: 0.4 });
          const batches = [...validationBatches(text, context, windows, hidden)];
          expect([...validationBatches(text, context, windows, hidden)]).toEqual(batches);
          const time = Math.min(context, length);
          const scored = new Map<number, number>();
          let window = 0;
          for (const batch of batches) {
            expect([batch.time, batch.tokens.length]).toEqual([time, batch.batch * time]);
            for (const { tokens, targets } of rowsOf(batch)) {
              const start = Math.min(window++ * time, length - time);
              targets.forEach((target, at) => {
                if (target < 0) return;
                expect(target).toBe(text[start + at]);
                scored.set(start + at, (scored.get(start + at) ?? 0) + 1);
              });
              // No padding: what is not hidden is the text.
              tokens.forEach((token, at) => (targets[at] ?? -1) < 0 && expect(token).toBe(text[start + at]));
            }
          }
          expect(Math.max(...scored.values())).toBe(1);
          // Every window has at least one.
          expect(scored.size).toBeGreaterThanOrEqual(Math.ceil(length / time));
        },
      ),
    );
  });

  it('do not depend on how many windows are taken at once', () => {
    const scored = (windows: number) => [...validationBatches(textOf(1000), 32, windows, settings())].flatMap(rowsOf);
    expect(scored(7)).toEqual(scored(1));
    expect(scored(3)).toEqual(scored(1));
  });

  it('hide other positions under other settings of probability', () => {
    const count = (probability: number) =>
      [...validationBatches(textOf(4096), 64, 8, settings({ probability }))].reduce(
        (sum, { targets }) => sum + targets.filter((target) => target >= 0).length,
        0,
      );
    expect(count(0.5)).toBeGreaterThan(2 * count(0.15));
  });
});
