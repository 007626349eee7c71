import { expect, test } from 'vitest';
import { MovingAverage } from '../../../src/extension/reader/movingAverage';
import { RunSeries } from '../../../src/extension/reader/runSeries';
import { aLine } from '../../runs/fixtures';

function values(series: RunSeries, curve: string): number[] {
  const flat = series.curves.get(curve)?.since(null, 10_000)?.points ?? new Float64Array();
  return Array.from(flat).filter((_, index) => index % 4 === 3);
}

test('perplexity is the exponential of the cross-entropy', () => {
  const series = new RunSeries();
  series.add(aLine(1, 5));
  series.add({ ...aLine(2, 4), validation: { prose: { loss: 2, perplexity: Math.exp(2), bitsPerByte: 2 / Math.LN2 } } });
  expect(values(series, 'train')).toEqual([Math.exp(5), Math.exp(4)]);
  expect(values(series, 'validation.prose')).toEqual([Math.exp(2)]);
  expect(series.figures()).toEqual({
    step: 2,
    seconds: 1,
    tokens: 20,
    tokensPerSecond: 20,
    trainPerplexity: Math.exp(4),
    validation: [{ name: 'prose', step: 2, perplexity: Math.exp(2), bitsPerByte: 2 / Math.LN2 }],
  });
});

test('the smoothed curve starts at the first value and follows a constant exactly', () => {
  const series = new RunSeries();
  for (let step = 1; step <= 50; step++) series.add(aLine(step, 3));
  for (const value of values(series, 'trainSmoothed')) expect(value).toBeCloseTo(Math.exp(3), 10);
});

test('a value that is not finite breaks neither curve, and is said as missing', () => {
  const series = new RunSeries();
  series.add(aLine(1, 2));
  series.add({ ...aLine(2), train: { loss: 'NaN', crossEntropy: 'NaN' } });
  expect(values(series, 'train')).toHaveLength(1);
  expect(values(series, 'trainSmoothed')).toHaveLength(1);
  expect(series.figures().trainPerplexity).toBeNull();
});

test('a resume takes back what came after its checkpoint', () => {
  const series = new RunSeries();
  for (let step = 1; step <= 10; step++) series.add(aLine(step, step));
  series.add({ step: 10, time: 5, tokens: 100, validation: { prose: { loss: 9, perplexity: 9 } } });
  series.rewind(4);
  expect(series.figures()).toMatchObject({ step: 4, tokens: 40, trainPerplexity: expect.closeTo(Math.exp(4)) as number, validation: [] });
  series.add(aLine(5, 1));
  expect(values(series, 'train')).toEqual([1, 2, 3, 4, 1].map(Math.exp));
});

test('the moving average is not biased towards zero', () => {
  const average = new MovingAverage(0.9);
  expect(average.add(10)).toBeCloseTo(10, 12);
  expect(average.add(20)).toBeCloseTo((0.9 * 10 + 20) / 1.9, 12);
});
