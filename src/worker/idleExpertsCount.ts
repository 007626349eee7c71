import type { ExpertFrame, IdleExperts, RunDescription } from '../runs/format';
import { idleExperts, idleExpertsSteps } from '../runs/idleExperts';
import { readExperts, start } from '../runs/runReader';
import { stepsPerExpertFrame } from './routingSeries';

/** Bytes of experts.bin read at once: a whole one may have a hundred megabytes. */
const pieceBytes = 4 << 20;

/**
 * Counts idle experts over one stretch of steps after the other, each of whole frames. Stretches end at fixed steps, and frames end there
 * and at checkpoints, so that what a stopped run had counted of one stands in experts.bin: the figures are the same as if it had never been
 * stopped.
 */
export class IdleExpertsCount {
  private readonly steps: number;
  /** Since the last stretch ended. */
  private frames: ExpertFrame[] = [];

  constructor(
    private readonly routedLayers: RunDescription['routedLayers'],
    totalSteps: number,
  ) {
    const perFrame = stepsPerExpertFrame(totalSteps);
    this.steps = perFrame * Math.ceil(idleExpertsSteps(totalSteps) / perFrame);
  }

  /** Takes up what a run's frames say of the stretch that the checkpoint of `step` lies in. */
  async resume(run: string, step: number): Promise<void> {
    this.frames = [];
    const ended = step - (step % this.steps);
    for (let cursor = start, before = -1; cursor.offset !== before;) {
      before = cursor.offset;
      const { rewindTo, records, ...read } = await readExperts(run, cursor, { limit: pieceBytes });
      if (rewindTo !== null) this.frames = this.frames.filter((frame) => frame.step <= rewindTo);
      this.frames.push(...records.filter((frame) => frame.step > ended && frame.step <= step));
      cursor = read.cursor;
    }
  }

  /** Frames by ascending step. */
  add(frame: ExpertFrame): void {
    this.frames.push(frame);
  }

  /** What the stretch that ends with `step` says, once its frames are here; undefined where none ends with it. */
  endingWith(step: number): IdleExperts | undefined {
    if (step % this.steps !== 0) return undefined;
    const { frames } = this;
    this.frames = [];
    return idleExperts(this.routedLayers, frames, this.steps);
  }
}
