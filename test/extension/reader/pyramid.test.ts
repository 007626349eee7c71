import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MinMaxPyramid, type CurvePoint, type PyramidCursor } from '../../../src/extension/reader/pyramid';

const point = (step: number, value: number): CurvePoint => ({ step, seconds: step / 10, tokens: step * 768, value });

function pointsIn(flat: Float64Array): CurvePoint[] {
  return Array.from({ length: flat.length / 4 }, (_, index) => {
    const [step = 0, seconds = 0, tokens = 0, value = 0] = flat.subarray(4 * index);
    return { step, seconds, tokens, value };
  });
}

/** What a webview holds: each delta replaces everything from its step on. */
class Receiver {
  held: CurvePoint[] = [];
  received = 0;
  private cursor: PyramidCursor | null = null;

  take(pyramid: MinMaxPyramid, width: number): void {
    const delta = pyramid.since(this.cursor, width);
    if (delta === null) return;
    this.cursor = delta.cursor;
    const fresh = pointsIn(delta.points);
    this.received += fresh.length;
    this.held = [...this.held.filter((held) => held.step < delta.from), ...fresh];
  }
}

const whole = (pyramid: MinMaxPyramid, width: number) => pointsIn(pyramid.since(null, width)?.points ?? new Float64Array());

/** Steps that ascend by 1 to 300 with values of any size. */
const curves = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.double({ min: 1, max: 1e6, noNaN: true })), { minLength: 1, maxLength: 400 })
  .map((entries) => {
    let step = 0;
    return entries.map(([gap, value]) => point((step += gap), value));
  });

describe('MinMaxPyramid', () => {
  test('a curve that fits is sent as it is', () => {
    const pyramid = new MinMaxPyramid();
    const points = [1, 5, 2, 9].map((value, index) => point(index + 1, value));
    for (const each of points) pyramid.append(each);
    expect(whole(pyramid, 100)).toEqual(points);
  });

  test('keeps the least and the greatest of each bucket, as logged', () => {
    fc.assert(
      fc.property(curves, fc.integer({ min: 64, max: 200 }), (points, width) => {
        const pyramid = new MinMaxPyramid();
        for (const each of points) pyramid.append(each);
        const level = pyramid.since(null, width)?.cursor.level ?? 0;
        const shown = whole(pyramid, width);
        const inBucket = (list: readonly CurvePoint[], key: number) => list.filter(({ step }) => Math.floor(step / 2 ** level) === key);
        for (const key of new Set(points.map(({ step }) => Math.floor(step / 2 ** level)))) {
          const values = inBucket(points, key).map(({ value }) => value);
          const kept = inBucket(shown, key).map(({ value }) => value);
          expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...values), Math.max(...values)]);
          expect(kept.length).toBeLessThanOrEqual(2);
        }
        for (const each of shown) expect(points).toContainEqual(each);
        expect(shown.length).toBeLessThanOrEqual(2 * width);
      }),
      { numRuns: 60 },
    );
  });

  test('what arrives by increments equals the whole, however it is cut', () => {
    fc.assert(
      fc.property(
        curves,
        fc.array(fc.boolean(), { minLength: 400, maxLength: 400 }),
        fc.integer({ min: 64, max: 200 }),
        (points, looks, width) => {
          const pyramid = new MinMaxPyramid(150);
          const receiver = new Receiver();
          for (const [index, each] of points.entries()) {
            pyramid.append(each);
            if (looks[index] === true) receiver.take(pyramid, width);
          }
          receiver.take(pyramid, width);
          expect(receiver.held).toEqual(whole(pyramid, width));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('an increment is what is new and the bucket that grew', () => {
    const pyramid = new MinMaxPyramid();
    const receiver = new Receiver();
    for (let step = 1; step <= 100; step++) pyramid.append(point(step, step));
    receiver.take(pyramid, 1000);
    for (let step = 101; step <= 103; step++) pyramid.append(point(step, step));
    receiver.take(pyramid, 1000);
    expect(receiver.received).toBe(100 + 3 + 1);
    expect(pyramid.since({ level: 0, revision: 103, lastKey: 103, truncations: 0 }, 1000)).toBeNull();
  });

  test('after a resume the points that no longer hold are gone, for receivers too', () => {
    const pyramid = new MinMaxPyramid();
    const receiver = new Receiver();
    for (let step = 1; step <= 500; step++) pyramid.append(point(step, 1000 - step));
    receiver.take(pyramid, 1000);
    pyramid.truncate(301);
    for (let step = 301; step <= 310; step++) pyramid.append(point(step, 7));
    receiver.take(pyramid, 1000);
    expect(receiver.held.map(({ step }) => step)).toEqual(Array.from({ length: 310 }, (_, index) => index + 1));
    expect(receiver.held.at(-1)?.value).toBe(7);
    expect(pyramid.last?.step).toBe(310);
  });

  test('memory is bounded, and a spike survives', () => {
    const pyramid = new MinMaxPyramid(1000);
    for (let step = 1; step <= 100_000; step++) pyramid.append(point(step, step === 77_777 ? 1e9 : 10));
    expect(pyramid.size).toBeLessThan(2 * 1000 + 64);
    expect(Math.max(...whole(pyramid, 100).map(({ value }) => value))).toBe(1e9);
  });

  test('what no axis can show is left out', () => {
    const pyramid = new MinMaxPyramid();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 3]) pyramid.append(point(1, value));
    expect(whole(pyramid, 100).map(({ value }) => value)).toEqual([3]);
  });
});
