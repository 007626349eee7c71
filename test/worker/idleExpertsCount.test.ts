import { describe, expect, it } from 'vitest';
import { RunWriter } from '../../src/runs/runWriter';
import { IdleExpertsCount } from '../../src/worker/idleExpertsCount';
import { RoutingSeries } from '../../src/worker/routingSeries';
import { generator } from '../extension/reader/writtenRun';
import { temporaryFolder } from '../runs/fixtures';

const routedLayers = [
  { name: 'layers.1.moe', experts: 4, k: 1, unitsPerToken: 1 },
  { name: 'layers.3.moe', experts: 8, k: 1, unitsPerToken: 1 },
];

/**
 * What the experts of a step get: more and less of them, from step to step; the last one only in the last step of every other stretch, so
 * that it shows where a step is missing or one too many.
 */
function countsAt(step: number, stretch: number): readonly Float32Array[] {
  const random = generator(step);
  const busy = 1 + Math.floor((step / 37) % 7);
  const atTheEnd = step % (2 * stretch) === 0 ? 40 * stretch : 0;
  return routedLayers.map(({ experts }) =>
    Float32Array.from({ length: experts }, (_, expert) =>
      expert === experts - 1 ? atTheEnd : expert < busy ? Math.floor(40 * random()) + 3 : 0,
    ),
  );
}

/** A run's frames as the recorder writes them, and what is counted of them. */
class Recording {
  private readonly writer: RunWriter;
  private readonly series: RoutingSeries;
  readonly count: IdleExpertsCount;

  constructor(
    readonly directory: string,
    totalSteps: number,
    private readonly stretch: number,
  ) {
    this.writer = new RunWriter(directory, { routedLayers, retrievals: [] });
    this.count = new IdleExpertsCount(routedLayers, totalSteps);
    this.series = new RoutingSeries([], totalSteps, {
      experts: (frame) => {
        this.writer.experts(frame);
        this.count.add(frame);
      },
      sketch: () => undefined,
    });
  }

  train(from: number, to: number, checkpoints: readonly number[] = []): readonly (readonly [number, object])[] {
    const figures: (readonly [number, object])[] = [];
    for (let step = from; step <= to; step++) {
      this.series.add(step, { expertCounts: [...countsAt(step, this.stretch)], retrievals: [] });
      const figure = this.count.endingWith(step);
      if (figure !== undefined) figures.push([step, figure]);
      if (checkpoints.includes(step)) this.series.checkpoint(step);
    }
    return figures;
  }

  /** As a worker that takes the run up again does. */
  async resume(step: number): Promise<void> {
    this.writer.rewind(step);
    await this.count.resume(this.directory, step);
  }

  close(): void {
    this.writer.close();
  }
}

describe('idle experts of a run', () => {
  it('are told at the end of each stretch, of its steps alone', () => {
    const recording = new Recording(temporaryFolder(), 300, 20);
    const figures = recording.train(1, 300);
    recording.close();
    expect(figures.map(([step]) => step)).toEqual(Array.from({ length: 15 }, (_, index) => 20 * (index + 1)));
    // Up to step 36 one expert gets everything; later ever more do.
    expect(figures[0]).toEqual([20, { layer: 'layers.3.moe', experts: 8, idle: 7, steps: 20 }]);
    expect(new Set(figures.map(([, figure]) => JSON.stringify(figure))).size).toBeGreaterThan(5);
  });

  it.each([
    ['a frame a step', 300, 20, 113, 97],
    ['three steps a frame', 10_000, 102, 1999, 1801],
    ['at the end of a stretch', 300, 20, 120, 120],
    ['ten steps a frame, many frames to read', 40_000, 400, 31_999, 31_113],
  ])('%s: after a stop or a crash they are what they would have been', async (_, totalSteps, stretch, crash, checkpoint) => {
    const whole = new Recording(temporaryFolder(), totalSteps, stretch);
    const last = crash + Math.max(200, totalSteps / 20);
    const expected = whole.train(1, last);
    whole.close();
    const first = new Recording(temporaryFolder(), totalSteps, stretch);
    const before = first.train(1, crash, [Math.floor(checkpoint / 2), checkpoint]);
    first.close();
    const second = new Recording(first.directory, totalSteps, stretch);
    await second.resume(checkpoint);
    const after = second.train(checkpoint + 1, last);
    second.close();
    expect(expected.length).toBeGreaterThan(5);
    expect([...before.filter(([step]) => step <= checkpoint), ...after]).toEqual(expected);
  });
});
