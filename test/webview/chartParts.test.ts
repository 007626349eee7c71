import { describe, expect, test } from 'vitest';
import { covers, nearestIndex } from '../../webview/dashboard/chartCurves';
import { valueRange } from '../../webview/dashboard/chartOptions';
import { compact, duration, perplexity } from '../../webview/shared/figures';

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

describe('how figures are written', () => {
  test.each([
    [null, '–'],
    [15_512, '15.51k'],
    [3_412_224, '3.412M'],
    [109_529_856, '109.5M'],
    [42, '42'],
  ])('%s as %s', (value, text) => expect(compact(value)).toBe(text));

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
