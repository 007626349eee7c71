import { describe, expect, it } from 'vitest';
import { collapseOfFrames, MetricAlarms } from '../../src/runs/alarms';
import type { MetricsLine } from '../../src/runs/format';

const line = (step: number, gradientNorm: MetricsLine['gradientNorm'], dropRate?: number): MetricsLine => ({
  step,
  time: step,
  tokens: step,
  train: { loss: 1, crossEntropy: 1, ...(dropRate === undefined ? {} : { dropRate }) },
  ...(gradientNorm === undefined ? {} : { gradientNorm }),
});

function alarmsOf(lines: readonly MetricsLine[]) {
  const watch = new MetricAlarms();
  for (const one of lines) watch.note(one);
  return watch.alarms;
}

const steps = (count: number) => Array.from({ length: count }, (_, step) => step + 1);

describe('alarms of the metrics', () => {
  it('a calm run has none, nor has one that has only begun', () => {
    expect(alarmsOf(steps(100).map((step) => line(step, 0.5 + 0.1 * Math.sin(step), 0.1)))).toEqual([]);
    expect(alarmsOf(steps(19).map((step) => line(step, 1000, 0.9)))).toEqual([]);
    expect(alarmsOf([])).toEqual([]);
  });

  it('a fifth of the choices dropped is one, and ends when it is over', () => {
    const dropping = steps(40).map((step) => line(step, 0.5, 0.3));
    expect(alarmsOf(dropping)).toEqual([
      {
        name: 'drop-rate',
        message: '30 % of the choices of experts are dropped for capacity, mean over the last 20 logged steps.',
        figure: expect.closeTo(0.3, 12),
      },
    ]);
    expect(alarmsOf([...dropping, ...steps(20).map((step) => line(40 + step, 0.5, 0.01))])).toEqual([]);
  });

  it('so is a gradient norm that has grown tenfold, but not one that was always high, and not a single spike', () => {
    const calm = steps(50).map((step) => line(step, 2));
    expect(alarmsOf([...calm, ...steps(20).map((step) => line(50 + step, 300))])).toMatchObject([{ name: 'gradient-norm', figure: 300 }]);
    expect(alarmsOf([...calm, ...steps(20).map((step) => line(50 + step, step === 20 ? 'Infinity' : 2))])).toMatchObject([
      { name: 'gradient-norm' },
    ]);
    expect(alarmsOf(steps(50).map((step) => line(step, 300)))).toEqual([]);
    expect(alarmsOf([...calm, line(51, 150), ...steps(5).map((step) => line(51 + step, 2))])).toEqual([]);
  });
});

const routedLayers = [
  { name: 'layers.1.moe', experts: 4, k: 1, unitsPerToken: 1 },
  { name: 'layers.3.moe', experts: 8, k: 1, unitsPerToken: 1 },
];

describe('experts that collapse', () => {
  const idle = (step: number, idle: number): MetricsLine => ({
    ...line(step, 0.5),
    train: { loss: 1, crossEntropy: 1, idleExperts: { layer: 'layers.3.moe', experts: 8, idle, steps: 20 } },
  });

  it('half of a layer idle is an alarm, until its experts are used again', () => {
    expect(alarmsOf([idle(100, 3)])).toEqual([]);
    expect(alarmsOf([idle(100, 7), ...steps(10).map((step) => line(100 + step, 0.5))])).toEqual([
      {
        name: 'collapsed-experts',
        message: '7 of the 8 experts of layer 3 got less than a tenth of an even share, over 20 steps up to step 100.',
        figure: 7 / 8,
      },
    ]);
    expect(alarmsOf([idle(100, 4)])).toMatchObject([{ figure: 0.5 }]);
    expect(alarmsOf([idle(100, 7), idle(120, 3)])).toEqual([]);
  });

  it('is none while routers have only begun to learn', () => {
    expect(alarmsOf([idle(80, 8)])).toEqual([]);
  });

  it('comes after the others, which say more of what went wrong', () => {
    const dropping = steps(100).map((step) => line(step, 0.5, 0.3));
    expect(alarmsOf([...dropping, idle(120, 8)]).map(({ name }) => name)).toEqual(['drop-rate', 'collapsed-experts']);
  });
});

it('a line that is not newer than what was noted changes nothing', () => {
  const watch = new MetricAlarms();
  const dropping = steps(20).map((step) => line(step, 0.5, 0.3));
  for (const one of dropping) watch.note(one);
  const { alarms } = watch;
  expect([watch.step, alarms.length]).toEqual([20, 1]);
  for (const one of steps(20)) watch.note(line(one, 0.5, 0));
  expect(watch.alarms).toEqual(alarms);
});

describe('experts that collapse in a run that only has their counts', () => {
  const frames = (counts: readonly (readonly number[])[], first: number, last: number) =>
    steps(last)
      .filter((step) => step >= first)
      .flatMap((step) => counts.map((own, layer) => ({ step, layer, counts: Float32Array.from(own) })));
  const even = [
    [20, 20, 20, 20],
    [10, 10, 10, 10, 10, 10, 10, 10],
  ];
  const collapsed = [
    [20, 20, 20, 20],
    [80, 0, 0, 0, 0, 0, 0, 0],
  ];
  const run = { routedLayers, totalSteps: 200 };

  it('are told of the last steps, as the metrics of a newer one would', () => {
    expect(collapseOfFrames(run, [...frames(even, 1, 80), ...frames(collapsed, 81, 100)])).toEqual({
      name: 'collapsed-experts',
      message: '7 of the 8 experts of layer 3 got less than a tenth of an even share, over 20 steps up to step 100.',
      figure: 7 / 8,
    });
    expect(collapseOfFrames(run, [...frames(collapsed, 1, 80), ...frames(even, 81, 100)])).toBeUndefined();
  });

  it('are no alarm early, nor where nothing is routed', () => {
    expect(collapseOfFrames(run, frames(collapsed, 1, 99))).toBeUndefined();
    expect(collapseOfFrames(run, [])).toBeUndefined();
    expect(collapseOfFrames({ routedLayers: [], totalSteps: 200 }, [])).toBeUndefined();
  });
});
