import type { RoutingUse } from '../engine/engine';
import type { ExpertFrame, SketchFrame } from '../runs/format';
import { SketchGatherer } from '../runs/sketch';

/** At most about so many frames of a layer in experts.bin, and of a retrieval in sketches.bin, however long the run. */
const expertFrames = 4_000;
const sketchFrames = 500;

/** Frames of a layer and of a retrieval in a run of so many steps, without those that checkpoints add. */
export function framesOf(totalSteps: number): { readonly expert: number; readonly sketch: number } {
  return {
    expert: Math.ceil(totalSteps / stepsOf(totalSteps, expertFrames)),
    sketch: Math.ceil(totalSteps / stepsOf(totalSteps, sketchFrames)),
  };
}

/** Frames of experts.bin end at the multiples of so many steps, and at checkpoints. */
export function stepsPerExpertFrame(totalSteps: number): number {
  return stepsOf(totalSteps, expertFrames);
}

/** Steps that a frame sums. */
function stepsOf(totalSteps: number, frames: number): number {
  return Math.max(1, Math.ceil(totalSteps / frames));
}

export interface RoutingSink {
  experts(frame: ExpertFrame): void;
  sketch(frame: SketchFrame): void;
}

/**
 * Sums what routing did over the steps of a frame and hands the frames on. A checkpoint ends a frame, since a resume begins there; but a
 * sketch, which is large, only where half of its steps have passed, so that frequent checkpoints do not fill the disk. What such a
 * checkpoint leaves open is lost to the sketches if the run is resumed from it.
 */
export class RoutingSeries {
  private readonly stepsPerFrame: number;
  private readonly stepsPerSketch: number;
  private counts: Float32Array[] = [];
  private counting = false;
  private readonly gatherers: readonly SketchGatherer[];
  private sketchedSteps = 0;

  constructor(
    retrievals: readonly { readonly experts: number }[],
    totalSteps: number,
    private readonly sink: RoutingSink,
  ) {
    this.stepsPerFrame = stepsPerExpertFrame(totalSteps);
    this.stepsPerSketch = stepsOf(totalSteps, sketchFrames);
    this.gatherers = retrievals.map(({ experts }) => new SketchGatherer(experts));
  }

  add(step: number, { expertCounts, retrievals }: Pick<RoutingUse, 'expertCounts' | 'retrievals'>): void {
    if (this.counts.length === 0) this.counts = expertCounts.map((counts) => new Float32Array(counts.length));
    expertCounts.forEach((counts, layer) => {
      const sums = this.counts[layer];
      counts.forEach((count, expert) => sums !== undefined && (sums[expert] = (sums[expert] ?? 0) + count));
    });
    retrievals.forEach((use, layer) => this.gatherers[layer]?.add(use));
    this.counting = true;
    // At the same steps whatever checkpoints came between: what is counted over whole frames does not depend on where a run was stopped.
    if (step % this.stepsPerFrame === 0) this.flushCounts(step);
    if (++this.sketchedSteps >= this.stepsPerSketch) this.flushSketches(step);
  }

  checkpoint(step: number): void {
    this.flushCounts(step);
    if (2 * this.sketchedSteps >= this.stepsPerSketch) this.flushSketches(step);
  }

  /** The run is over, for now: nothing stays open. */
  end(step: number): void {
    this.flushCounts(step);
    this.flushSketches(step);
  }

  private flushCounts(step: number): void {
    if (!this.counting) return;
    this.counts.forEach((counts, layer) => this.sink.experts({ step, layer, counts }));
    this.counts = [];
    this.counting = false;
  }

  private flushSketches(step: number): void {
    if (this.sketchedSteps === 0) return;
    this.gatherers.forEach((gatherer, layer) => this.sink.sketch(gatherer.take(step, layer)));
    this.sketchedSteps = 0;
  }
}
