import { describe, expect, it } from 'vitest';
import type { TrainStepEvent } from '../../src/training/trainingEvents';
import { choicesOf, trainingLine, validationLine } from '../../src/worker/metricsLines';

const event: TrainStepEvent = {
  step: 3,
  seconds: 1.23456,
  tokens: 64,
  loss: 2,
  crossEntropy: Number.NaN,
  balance: null,
  zLoss: null,
  dropRate: null,
  learningRate: 0.001,
  gradientNorm: Number.POSITIVE_INFINITY,
  tokensPerSecond: 10,
  expertCounts: [],
  taken: [],
  retrievals: [],
};

describe('a line of metrics', () => {
  it('has only what the model has', () => {
    expect(trainingLine(event, []).train).toEqual({ loss: 2, crossEntropy: 'NaN' });
    expect(trainingLine({ ...event, taken: [null] }, []).train).toEqual({ loss: 2, crossEntropy: 'NaN' });
  });

  it('says the mean K and how it is distributed, over the layers where it varies', () => {
    // 10 units took one expert at least, 6 two, 1 three; and in another layer 10, 4, 0.
    const taken = [Float32Array.of(10, 6, 1), null, Float32Array.of(10, 4, 0)];
    expect(choicesOf(taken)).toEqual({ mean: 31 / 20, shares: [10 / 20, 9 / 20, 1 / 20] });
    expect(trainingLine({ ...event, taken }, []).train).toMatchObject({ meanK: 1.55, kShares: [0.5, 0.45, 0.05] });
    expect(choicesOf([null])).toBeNull();
  });

  it('says which share of the retrieved experts a step used, mean over the retrievals', () => {
    const use = (chosen: number) => ({
      experts: new Int32Array(chosen),
      counts: new Float32Array(chosen),
      weights: new Float32Array(chosen),
    });
    const line = trainingLine({ ...event, retrievals: [use(4), use(8)] }, [{ experts: 16 }, { experts: 16 }]);
    expect(line.train?.expertUsage).toBe(0.375);
  });

  it('says how many experts are idle where that was counted', () => {
    const idleExperts = { layer: 'layers.1.moe', experts: 4, idle: 2, steps: 20 };
    expect(trainingLine(event, [], idleExperts).train).toEqual({ loss: 2, crossEntropy: 'NaN', idleExperts });
  });

  it('of validation leaves out what the model has not', () => {
    const figures = {
      loss: 1,
      perplexity: Number.POSITIVE_INFINITY,
      bitsPerByte: null,
      dropRate: 0,
      meanK: 1.5,
      expertUsage: null,
      unevenness: 0.2,
    };
    const { validation } = validationLine({ step: 3, seconds: 1, tokens: 64, sets: { prose: figures } });
    expect(validation).toEqual({ prose: { loss: 1, perplexity: 'Infinity', dropRate: 0, meanK: 1.5, unevenness: 0.2 } });
  });
});
