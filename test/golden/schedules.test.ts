import { describe, expect, it } from 'vitest';
import { learningRateAt } from '../../src/training/schedule';
import { scheduleCases } from './goldenFiles';

describe('golden learning rates', () => {
  it.each(scheduleCases)('$schedule, warm-up $warmup', (golden) => {
    expect(golden.rates).toHaveLength(golden.steps);
    golden.rates.forEach((rate, index) => expect(learningRateAt(index + 1, golden) / rate).toBeCloseTo(1, 12));
  });

  it('no vectors are missing', () => {
    expect(scheduleCases).toHaveLength(5);
  });
});
