import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SKETCH_BINS, SKETCH_HEAVIEST } from '../../src/runs/format';
import { decodeFrame } from '../../src/runs/frameFile';
import { SketchGatherer, sketchOf } from '../../src/runs/sketch';
import { encodeSketchFrame, sketchFormat, sketchFrameBytes } from '../../src/runs/sketchFrames';

const countsOf = (maximum: number) => fc.array(fc.oneof(fc.constant(0), fc.nat(maximum)), { minLength: 1, maxLength: 3000 });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('a sketch', () => {
  it('says of any counts what the counts say', () => {
    fc.assert(
      fc.property(countsOf(5000), (counts) => {
        const { total, unevenness, histogram, heaviest, groups, used } = sketchOf(Float64Array.from(counts));
        expect(total).toBe(sum(counts));
        expect(sum([...histogram])).toBe(counts.length);
        for (let bin = 0; bin < SKETCH_BINS; bin++) {
          const [from, to] = bin === 0 ? [0, 1] : [2 ** (bin - 1), 2 ** bin];
          expect(histogram[bin]).toBe(counts.filter((count) => count >= from && count < to).length);
        }
        const chosen = counts.map((count, expert) => ({ expert, count })).filter(({ count }) => count > 0);
        expect(heaviest).toEqual(
          chosen.sort((one, other) => other.count - one.count || one.expert - other.expert).slice(0, SKETCH_HEAVIEST),
        );
        expect(counts.map((_, expert) => ((used[expert >> 3] ?? 0) >> (expert & 7)) & 1)).toEqual(
          counts.map((count) => (count > 0 ? 1 : 0)),
        );
        expect(groups).toHaveLength(Math.min(counts.length, 1024));
        const sums = Array.from(groups, () => 0);
        counts.forEach((count, expert) => {
          const group = Math.floor((expert * groups.length) / counts.length);
          sums[group] = (sums[group] ?? 0) + count;
        });
        expect([...groups]).toEqual(sums);
        const shares = counts.map((count) => count / total).filter((share) => share > 0);
        const expected = total === 0 ? 0 : Math.log(counts.length) + sum(shares.map((share) => share * Math.log(share)));
        expect(unevenness).toBeCloseTo(expected, 9);
      }),
      { numRuns: 60 },
    );
  });

  it('is 0 uneven where all are used alike, log N where one does everything', () => {
    expect(sketchOf(new Float64Array(4096).fill(7)).unevenness).toBeCloseTo(0, 12);
    expect(sketchOf(Float64Array.from({ length: 4096 }, (_, expert) => (expert === 5 ? 9 : 0))).unevenness).toBeCloseTo(Math.log(4096), 12);
  });

  it('sums the steps of its frame, and each frame starts anew', () => {
    const gatherer = new SketchGatherer(16);
    gatherer.add({ experts: Int32Array.of(1, 15), counts: Float32Array.of(2, 1) });
    gatherer.add({ experts: Int32Array.of(1), counts: Float32Array.of(5) });
    expect(gatherer.take(2, 0)).toMatchObject({
      step: 2,
      layer: 0,
      total: 8,
      heaviest: [
        { expert: 1, count: 7 },
        { expert: 15, count: 1 },
      ],
    });
    expect(gatherer.take(3, 0)).toMatchObject({ total: 0, unevenness: 0, heaviest: [] });
  });

  it('comes back from its frame bit for bit, in a frame made for a wider retrieval too; a flipped bit is noticed', () => {
    fc.assert(
      fc.property(countsOf(1e9), fc.nat(200), fc.nat(), (counts, wider, flip) => {
        const frame = { step: 12, layer: 3, ...sketchOf(Float64Array.from(counts)) };
        const bytes = encodeSketchFrame(frame, counts.length, sketchFrameBytes(counts.length + wider));
        expect(decodeFrame(sketchFormat, bytes)).toEqual({ frame });
        const bit = flip % (8 * bytes.length);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(decodeFrame(sketchFormat, bytes)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  it('of a million experts takes 136 KB', () => {
    expect(sketchFrameBytes(1024 ** 2)).toBe(936 + 4 * 1024 + 1024 ** 2 / 8);
  });

  it('that belongs to another retrieval is refused', () => {
    const frame = { step: 1, layer: 0, ...sketchOf(new Float64Array(16)) };
    expect(() => encodeSketchFrame(frame, 9, sketchFrameBytes(16))).toThrow(RangeError);
    expect(() => encodeSketchFrame(frame, 16, sketchFrameBytes(9))).toThrow(RangeError);
  });
});
