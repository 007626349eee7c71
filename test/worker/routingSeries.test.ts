import { describe, expect, it } from 'vitest';
import type { ExpertFrame, SketchFrame } from '../../src/runs/format';
import { RoutingSeries } from '../../src/worker/routingSeries';

const use = (...chosen: number[]) => ({
  experts: Int32Array.from(chosen),
  counts: Float32Array.from(chosen, () => 1),
  weights: new Float32Array(chosen.length),
});

function recorded(totalSteps: number) {
  const experts: ExpertFrame[] = [];
  const sketches: SketchFrame[] = [];
  const series = new RoutingSeries([{ experts: 16 }, { experts: 4 }], totalSteps, {
    experts: (frame) => experts.push(frame),
    sketch: (frame) => sketches.push(frame),
  });
  const train = (from: number, to: number) => {
    for (let step = from; step <= to; step++) {
      series.add(step, { expertCounts: [Float32Array.of(step, 1)], retrievals: [use(step % 16, 15 - (step % 3)), use(0)] });
    }
  };
  return { series, experts, sketches, train };
}

describe('what routing did, in frames', () => {
  it('has a frame for every step of a short run, one of each retrieval', () => {
    const { sketches, experts, train } = recorded(20);
    train(1, 3);
    expect(experts.map(({ step, counts }) => [step, ...counts])).toEqual([
      [1, 1, 1],
      [2, 2, 1],
      [3, 3, 1],
    ]);
    expect(sketches.map(({ step, layer, total }) => [step, layer, total])).toEqual([
      [1, 0, 2],
      [1, 1, 1],
      [2, 0, 2],
      [2, 1, 1],
      [3, 0, 2],
      [3, 1, 1],
    ]);
  });

  it('sums steps where a run is long, so that a retrieval has 500 frames at most', () => {
    const { series, sketches, experts, train } = recorded(10_000);
    train(1, 10_000);
    series.end(10_000);
    const first = sketches.filter(({ layer }) => layer === 0);
    expect(first).toHaveLength(500);
    expect(first[0]).toMatchObject({ step: 20, total: 40 });
    expect(experts).toHaveLength(Math.ceil(10_000 / 3));
  });

  it('ends frames at the same steps wherever checkpoints were', () => {
    const { series, experts, train } = recorded(10_000);
    train(1, 4);
    series.checkpoint(4);
    train(5, 8);
    series.checkpoint(8);
    train(9, 12);
    expect(experts.map(({ step, counts }) => [step, counts[1]])).toEqual([
      [3, 3],
      [4, 1],
      [6, 2],
      [8, 2],
      [9, 1],
      [12, 3],
    ]);
  });

  it('writes a sketch at a checkpoint where half of its steps have passed, and leaves nothing open at the end', () => {
    const { series, sketches, experts, train } = recorded(10_000);
    const steps = () => sketches.filter(({ layer }) => layer === 0).map(({ step, total }) => [step, total]);
    train(1, 4);
    series.checkpoint(4);
    expect(steps()).toEqual([]);
    expect(experts.map(({ step }) => step)).toEqual([3, 4]);
    train(5, 11);
    series.checkpoint(11);
    expect(steps()).toEqual([[11, 22]]);
    train(12, 13);
    series.end(13);
    expect(steps()).toEqual([
      [11, 22],
      [13, 4],
    ]);
    series.end(13);
    expect(steps()).toHaveLength(2);
  });
});
