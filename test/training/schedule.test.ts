import { describe, expect, it } from 'vitest';
import { learningRateAt, type Schedule } from '../../src/training/schedule';

const base: Schedule = { steps: 1000, learning_rate: 1e-3, min_learning_rate: 1e-4, warmup: 100, schedule: 'cosine' };

describe('learning rate', () => {
  it.each(['cosine', 'linear', 'constant'] as const)(
    '%s: rises linearly from 0 to the peak at the last step of the warm-up',
    (schedule) => {
      const at = (step: number) => learningRateAt(step, { ...base, schedule });
      expect(at(1)).toBeCloseTo(1e-5, 12);
      expect(at(50)).toBeCloseTo(5e-4, 12);
      expect(at(100)).toBeCloseTo(1e-3, 12);
    },
  );

  it('falls by a half cosine, a line, or not at all', () => {
    const table = (schedule: Schedule['schedule']) => [325, 550, 775, 1000].map((step) => learningRateAt(step, { ...base, schedule }));
    const quarter = Math.SQRT1_2;
    [5.5e-4 + 4.5e-4 * quarter, 5.5e-4, 5.5e-4 - 4.5e-4 * quarter, 1e-4].forEach((rate, at) =>
      expect(table('cosine')[at]).toBeCloseTo(rate, 12),
    );
    [7.75e-4, 5.5e-4, 3.25e-4, 1e-4].forEach((rate, at) => expect(table('linear')[at]).toBeCloseTo(rate, 12));
    expect(table('constant')).toEqual([1e-3, 1e-3, 1e-3, 1e-3]);
  });

  it('is finite without a warm-up and with one as long as the training', () => {
    expect(learningRateAt(1, { ...base, warmup: 0, steps: 1 })).toBeCloseTo(1e-4, 12);
    expect(learningRateAt(1000, { ...base, warmup: 1000 })).toBeCloseTo(1e-3, 12);
    expect(learningRateAt(1000, { ...base, warmup: 2000 })).toBeCloseTo(5e-4, 12);
  });
});
