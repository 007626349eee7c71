import { describe, expect, it } from 'vitest';
import { collapseAlarm, MetricAlarms } from '../../src/runs/alarms';
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

describe('experts that collapse', () => {
  const routedLayers = [
    { name: 'layers.1.moe', experts: 4, k: 1, unitsPerToken: 1 },
    { name: 'layers.3.moe', experts: 8, k: 1, unitsPerToken: 1 },
  ];
  const frames = (counts: readonly (readonly number[])[], last = 100) =>
    steps(last).flatMap((step) => counts.map((own, layer) => ({ step, layer, counts: Float32Array.from(own) })));

  it('half of a layer with hardly anything is an alarm about the worst layer', () => {
    const alarm = collapseAlarm(
      { routedLayers },
      frames([
        [10, 10, 10, 10],
        [80, 1, 0, 0, 0, 0, 0, 0],
      ]),
    );
    expect(alarm).toEqual({
      name: 'collapsed-experts',
      message: '7 of the 8 experts of layers.3.moe get less than a tenth of an even share, over the last tenth of the steps.',
      figure: 7 / 8,
    });
  });

  it('only what happens late counts, and only once there is something', () => {
    const early = frames(
      [
        [40, 0, 0, 0],
        [8, 8, 8, 8, 8, 8, 8, 8],
      ],
      90,
    );
    const late = steps(10).map((step) => ({ step: 90 + step, layer: 0, counts: Float32Array.from([10, 10, 10, 10]) }));
    expect(collapseAlarm({ routedLayers }, [...early, ...late])).toBeUndefined();
    expect(
      collapseAlarm(
        { routedLayers },
        frames(
          [
            [40, 0, 0, 0],
            [80, 0, 0, 0, 0, 0, 0, 0],
          ],
          99,
        ),
      ),
    ).toBeUndefined();
    expect(collapseAlarm({ routedLayers }, [])).toBeUndefined();
    expect(collapseAlarm({ routedLayers: [] }, [])).toBeUndefined();
  });
});
