import { describe, expect, it } from 'vitest';
import { idleExperts, idleExpertsSteps } from '../../src/runs/idleExperts';

const routedLayers = [
  { name: 'layers.1.moe', experts: 4 },
  { name: 'layers.3.moe', experts: 8 },
];
const frame = (layer: number, ...counts: number[]) => ({ layer, counts: Float32Array.from(counts) });

describe('idle experts', () => {
  it('are those of the layer that has most of them, summed over frames', () => {
    const frames = [
      frame(0, 40, 0, 40, 40),
      frame(1, 100, 100, 0, 0, 0, 0, 100, 100),
      frame(0, 40, 40, 40, 40),
      frame(1, 100, 100, 100, 0, 0, 0, 100, 100),
    ];
    expect(idleExperts(routedLayers, frames, 2)).toEqual({ layer: 'layers.3.moe', experts: 8, idle: 3, steps: 2 });
    // By its share, not by how many: two of four are more than three of eight.
    expect(idleExperts(routedLayers, [...frames, frame(0, 4000, 0, 4000, 0)], 3)).toMatchObject({ layer: 'layers.1.moe', idle: 2 });
  });

  it('have less than a tenth of an even share', () => {
    // 400 choices of four experts: 100 each would be even.
    expect(idleExperts(routedLayers, [frame(0, 190, 190, 10, 10)], 20)).toMatchObject({ idle: 0 });
    expect(idleExperts(routedLayers, [frame(0, 191, 190, 10, 9)], 20)).toMatchObject({ idle: 1 });
  });

  it('are not told of a layer with too few choices to tell them from chance', () => {
    expect(idleExperts(routedLayers, [frame(0, 39, 0, 0, 0)], 20)).toBeUndefined();
    expect(idleExperts(routedLayers, [frame(0, 39, 0, 0, 0), frame(1, 10, 10, 10, 10, 10, 10, 10, 10)], 20)).toMatchObject({
      layer: 'layers.3.moe',
      idle: 0,
    });
    expect(idleExperts([], [], 20)).toBeUndefined();
  });

  it('are counted over a hundredth of the training, and never over a few steps', () => {
    expect([6, 300, 2000, 2001, 100_000].map(idleExpertsSteps)).toEqual([20, 20, 20, 21, 1000]);
  });
});
