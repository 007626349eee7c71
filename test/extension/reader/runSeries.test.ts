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
    choices: null,
    trainPerplexity: Math.exp(4),
    validation: [{ name: 'prose', step: 2, perplexity: Math.exp(2), bitsPerByte: 2 / Math.LN2 }],
  });
});

test('auxiliary figures have a curve each, where the model has them', () => {
  const series = new RunSeries();
  series.add(aLine(1));
  expect([...series.curves.keys()].filter((name) => !name.startsWith('train'))).toEqual(['tokensPerSecond']);
  const idleExperts = { layer: 'layers.3.moe', experts: 8, idle: 6, steps: 20 };
  series.add({ ...aLine(2), train: { loss: 1, crossEntropy: 1, balance: 1.1, zLoss: 4.5, dropRate: 0.02, idleExperts } });
  series.add({ ...aLine(3), train: { loss: 1, crossEntropy: 1, balance: 1, zLoss: 4, dropRate: 0 } });
  expect(['balance', 'zLoss', 'dropRate', 'idleExperts'].map((name) => values(series, name))).toEqual([
    [1.1, 1],
    [4.5, 4],
    [0.02, 0],
    // Counted over some steps, and told in the last of them.
    [0.75],
  ]);
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

test('the average follows a steep start, and looks back over more when there is more', () => {
  const average = new MovingAverage();
  for (const value of [5, 4, 3, 2, 1]) expect(average.add(value)).toBe(value);
  for (let index = 0; index < 500; index++) average.add(10);
  expect(average.add(30)).toBeCloseTo(10 + 20 / 20, 6);
});

test('a resume goes on with the average of its checkpoint', () => {
  const whole = new RunSeries();
  const resumed = new RunSeries();
  const line = (step: number) => aLine(step, 3 + Math.sin(step));
  for (let step = 1; step <= 60; step++) whole.add(line(step));
  for (let step = 1; step <= 45; step++) resumed.add(line(step));
  resumed.rewind(40);
  for (let step = 41; step <= 60; step++) resumed.add(line(step));
  const [expected, actual] = [values(whole, 'trainSmoothed'), values(resumed, 'trainSmoothed')];
  expect(actual).toHaveLength(60);
  for (const [index, value] of expected.entries()) expect(actual[index]).toBeCloseTo(value, 10);
});
