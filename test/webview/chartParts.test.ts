import { describe, expect, test } from 'vitest';
import { covers, nearestIndex } from '../../webview/dashboard/chartCurves';
import { evenTicks, valueAxis, valueRange } from '../../webview/dashboard/chartOptions';
import { quantityStyles } from '../../webview/dashboard/quantity';
import { bearsMarker, lineStyle } from '../../webview/dashboard/lineStyles';
import { formatAmount } from '../../src/parity/formatCount';
import { amount, duration, perplexity, significant, tick } from '../../webview/shared/figures';

const points = [1, 2, 5, 9].map((x) => ({ x, y: x, step: x }));

describe('reading figures off a curve', () => {
  test.each([
    [-10, 0],
    [1.4, 0],
    [1.6, 1],
    [3.4, 1],
    [3.6, 2],
    [7.5, 3],
    [100, 3],
  ])('the point nearest to %d is number %d', (x, index) => expect(nearestIndex(points, x)).toBe(index));

  test('an empty curve has none', () => expect(nearestIndex([], 3)).toBe(-1));

  test('a curve that has ended long before says nothing', () => {
    expect(covers(points, 9.5, 1)).toBe(true);
    expect(covers(points, 20, 1)).toBe(false);
    expect(covers([], 1, 1)).toBe(false);
  });
});

test('the range of the shown values, over all curves', () => {
  const curve = { id: '', run: '', runName: '', label: '', kind: 'training', set: 0, colour: 0 } as const;
  const at = (y: number) => ({ x: 0, y, step: 0 });
  expect(
    valueRange([
      { ...curve, points: [at(7), at(3)] },
      { ...curve, points: [at(9), at(5)] },
    ]),
  ).toEqual({ low: 3, high: 9 });
  expect(valueRange([])).toEqual({ low: 1, high: 1 });
});

describe('the vertical axis', () => {
  const curve = { id: '', run: '', runName: '', label: '', kind: 'training', set: 0, colour: 0 } as const;
  const of = (...values: number[]) => [{ ...curve, points: values.map((y) => ({ x: 0, y, step: 0 })) }];

  test.each([
    ['positive values', [2, 8], { type: 'logarithmic', range: { low: 2, high: 8 } }],
    ['zeros, which lie on its lower end', [0.2, 0.01, 0, 0], { type: 'logarithmic', range: { low: 0.01, high: 0.2 } }],
    ['nothing yet', [], { type: 'logarithmic', range: { low: 1, high: 1 } }],
    ['zeros alone', [0, 0], { type: 'linear', range: { low: 0, high: 0 } }],
    ['negative values', [-1.6, 3], { type: 'linear', range: { low: -1.6, high: 3 } }],
  ] as const)('is logarithmic where that can show them: %s', (_, values, axis) => {
    expect(valueAxis('logarithmic', of(...values))).toEqual(axis);
  });

  test('is linear as chosen', () => expect(valueAxis('linear', of(1, 8)).type).toBe('linear'));
});

test.each([
  [6400, 15_000, [8000, 10_000, 12_000, 14_000]],
  [0.68, 1.53, [0.8, 1, 1.2, 1.4]],
  [5, 11, [5, 6, 7, 8, 9, 10, 11]],
  [0.00041, 0.0009, [0.0005, 0.0006, 0.0007, 0.0008, 0.0009]],
])('round ticks from %d to %d', (low, high, ticks) => expect(evenTicks(low, high)).toEqual(ticks));

describe('how figures are written', () => {
  const amounts = [
    [42, '42'],
    [940, '940'],
    [15_512, '15.51 k'],
    [999_950, '1.000 M'],
    [1_467_000, '1.467 M'],
    [3_412_224, '3.412 M'],
    [13_910_000, '13.91 M'],
    [109_529_856, '109.5 M'],
    [2e12, '2.000 T'],
  ] as const;
  test.each(amounts)('the amount %s as %s, as in the hints of the editor', (value, text) => {
    expect(amount(value)).toBe(text);
    expect(formatAmount(value)).toBe(text);
  });

  test('an amount that is not known', () => expect(amount(null)).toBe('–'));

  test.each([
    [0, '0'],
    [1.5, '1.5'],
    [200, '200'],
    [1500, '1.5 k'],
    [20_000_000, '20 M'],
  ])('a tick at %s as %s', (value, text) => expect(tick(value)).toBe(text));

  test.each([
    [0, '0'],
    [0.0006, '0.0006'],
    [1.0234, '1.023'],
    [6e-7, '6.00e-7'],
  ])('a figure of any size, %s, as %s', (value, text) => expect(significant(value)).toBe(text));

  test.each([
    [42, '42 s'],
    [187, '3:07 min'],
    [3729, '1:02:09 h'],
  ])('%d seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  test.each([
    [7.40049, '7.400'],
    [255.96, '256.0'],
    [null, '–'],
  ])('perplexity %s as %s', (value, text) => expect(perplexity(value)).toBe(text));
});

test('dropped assignments are written as a percentage, in figures and on the axis', () => {
  const { figure, tick: axis } = quantityStyles.dropRate;
  expect([figure(0.01234), figure(0), figure(null)]).toEqual(['1.23 %', '0.00 %', '–']);
  expect([0, 0.0005, 0.025, 0.4].map(axis)).toEqual(['0 %', '0.05 %', '2.5 %', '40 %']);
  expect(quantityStyles.zLoss.figure(4.5678)).toBe('4.568');
});

describe('lines of one run', () => {
  test('five validation sets differ in marker and in dashes', () => {
    const styles = [0, 1, 2, 3, 4].map(lineStyle);
    expect(new Set(styles.map(({ marker }) => marker)).size).toBe(5);
    expect(new Set(styles.map(({ dash }) => dash.join())).size).toBe(5);
    expect(new Set(styles.map(({ shape }) => shape)).size).toBe(5);
  });

  test.each([1, 8, 15, 40, 1000])('of %d points, enough and not too many bear a marker', (count) => {
    const marked = Array.from({ length: count }, (_, index) => bearsMarker(index, count)).filter(Boolean).length;
    expect(marked).toBeGreaterThanOrEqual(Math.min(count, 8));
    expect(marked).toBeLessThanOrEqual(16);
  });

  test('a marker stays on its point, or goes, but does not move while the line grows', () => {
    const at = (count: number) => Array.from({ length: count }, (_, index) => index).filter((index) => bearsMarker(index, count));
    for (let count = 9; count < 200; count++) {
      const before = at(count - 1);
      expect(
        at(count)
          .filter((index) => index < count - 1)
          .every((index) => before.includes(index)),
      ).toBe(true);
    }
  });
});
