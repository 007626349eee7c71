import type { SketchFrame } from '../../runs/format';
import { UsageEver } from '../../runs/usageEver';
import { RETRIEVAL_BANDS, type RetrievalFigures } from '../panels/dashboard-protocol';

/** A frame without its bitmap, and with its groups summed into bands. */
type Held = Omit<RetrievalFigures, 'run' | 'layer'> & { readonly bands: Float32Array };

/** Choices of each band over stretches of steps, oldest first. */
export interface RetrievalColumns {
  /** Of how many frames a column is the sum. */
  readonly stride: number;
  /** The first column given. */
  readonly from: number;
  /** float64 [n, 2]: each column is about the steps after the first up to the second. */
  readonly steps: Float64Array<ArrayBuffer>;
  /** float32 [n, bands]. */
  readonly bands: Float32Array<ArrayBuffer>;
}

/** What one retrieval of a run did, frame by frame; about 2 KB a frame, of which a run has about 500. */
export class SketchHistory {
  private frames: Held[] = [];
  private readonly ever: UsageEver;
  private lastStep = 0;
  private rewinds = 0;

  constructor(experts: number) {
    this.ever = new UsageEver(experts);
  }

  /** Goes up when frames that were there are gone. */
  get generation(): number {
    return this.rewinds;
  }

  get length(): number {
    return this.frames.length;
  }

  get range(): { readonly first: number; readonly last: number } | null {
    const [first] = this.frames;
    const last = this.frames.at(-1);
    return first === undefined || last === undefined ? null : { first: first.step, last: last.step };
  }

  /** Frames come by ascending step. */
  add(frame: SketchFrame): void {
    this.ever.add(frame);
    const { step, total, unevenness, histogram, heaviest, groups } = frame;
    this.frames.push({
      fromStep: this.lastStep,
      step,
      total,
      used: this.ever.experts - (histogram[0] ?? 0),
      usedEver: this.ever.used,
      unevenness,
      histogram: [...histogram],
      heaviest,
      bands: bandsOf(groups),
    });
    this.lastStep = step;
  }

  /** The run goes on from the checkpoint of `step`: what came after it no longer holds. */
  rewind(step: number): void {
    this.rewinds++;
    this.ever.rewind(step);
    this.frames = this.frames.filter((frame) => frame.step <= step);
    this.lastStep = this.frames.at(-1)?.step ?? 0;
  }

  /** The frame that covers `step`; the first or last one when it lies outside. */
  figures(step: number | 'latest'): Omit<RetrievalFigures, 'run' | 'layer'> | null {
    const found = step === 'latest' ? undefined : this.frames.find((frame) => frame.step >= step);
    const held = found ?? this.frames.at(-1);
    if (held === undefined) return null;
    const { bands: _, ...figures } = held;
    return figures;
  }

  /** Columns from `from` on where the stride is still `stride`, else all of them: at most `most`. */
  columns(most: number, known: { readonly stride: number; readonly from: number }): RetrievalColumns {
    const stride = 2 ** Math.max(0, Math.ceil(Math.log2(this.frames.length / most)));
    const from = stride === known.stride ? known.from : 0;
    const summed: { fromStep: number; step: number; bands: Float32Array }[] = [];
    for (const [index, frame] of this.frames.entries()) {
      if (index < from * stride) continue;
      const last = summed.at(-1);
      if (last === undefined || index % stride === 0) {
        summed.push({ fromStep: frame.fromStep, step: frame.step, bands: frame.bands });
        continue;
      }
      last.step = frame.step;
      last.bands = last.bands.map((count, band) => count + (frame.bands[band] ?? 0));
    }
    const width = summed[0]?.bands.length ?? 0;
    const bands = new Float32Array(summed.length * width);
    summed.forEach((column, index) => bands.set(column.bands, index * width));
    return { stride, from, steps: Float64Array.from(summed.flatMap(({ fromStep, step }) => [fromStep, step])), bands };
  }
}

/** Neighbouring groups summed: what a chart has rows for. */
function bandsOf(groups: Float32Array): Float32Array {
  const bands = new Float32Array(Math.min(RETRIEVAL_BANDS, groups.length));
  groups.forEach((count, group) => {
    const band = Math.floor((group * bands.length) / groups.length);
    bands[band] = (bands[band] ?? 0) + count;
  });
  return bands;
}
