import { SKETCH_BINS, SKETCH_HEAVIEST, type SketchFrame } from './format';
import { groupsOf } from './sketchFrames';

/** Which of one retrieval's experts were chosen and how often, as the engine tells it of a step. */
export interface ChosenExperts {
  readonly experts: Int32Array;
  readonly counts: Float32Array;
}

/**
 * Gathers the choices of one retrieval over the steps of a frame and sketches them. Holds 8 bytes per expert; a step costs what it has
 * chosen, a sketch one pass over all experts.
 */
export class SketchGatherer {
  private readonly counts: Float64Array;

  constructor(experts: number) {
    this.counts = new Float64Array(experts);
  }

  add({ experts, counts }: ChosenExperts): void {
    for (let index = 0; index < experts.length; index++) {
      const expert = experts[index] ?? 0;
      this.counts[expert] = (this.counts[expert] ?? 0) + (counts[index] ?? 0);
    }
  }

  /** What was gathered since the last time; starts anew. */
  take(step: number, layer: number): SketchFrame {
    const frame = { step, layer, ...sketchOf(this.counts) };
    this.counts.fill(0);
    return frame;
  }
}

/** The bin of SketchFrame.histogram for an expert that was chosen so often. */
function binOf(count: number): number {
  return count < 1 ? 0 : Math.min(SKETCH_BINS - 1, 1 + Math.floor(Math.log2(count)));
}

/** `counts` [experts]. */
export function sketchOf(counts: Float64Array): Omit<SketchFrame, 'step' | 'layer'> {
  const experts = counts.length;
  const groupCount = groupsOf(experts);
  const groups = new Float64Array(groupCount);
  const histogram = new Uint32Array(SKETCH_BINS);
  const used = new Uint8Array(Math.ceil(experts / 8));
  const heaviest: { readonly expert: number; readonly count: number }[] = [];
  let chosen = 0;
  let total = 0;
  let sumOfCLogC = 0;
  let least = 0;
  for (let expert = 0; expert < experts; expert++) {
    const count = counts[expert] ?? 0;
    // Nearly all of them: nothing more is done with those.
    if (count === 0) continue;
    chosen++;
    const bin = binOf(count);
    histogram[bin] = (histogram[bin] ?? 0) + 1;
    total += count;
    sumOfCLogC += count * Math.log(count);
    const group = Math.floor((expert * groupCount) / experts);
    groups[group] = (groups[group] ?? 0) + count;
    used[expert >> 3] = (used[expert >> 3] ?? 0) | (1 << (expert & 7));
    if (heaviest.length < SKETCH_HEAVIEST || count > least) {
      const place = heaviest.findIndex((other) => other.count < count);
      heaviest.splice(place === -1 ? heaviest.length : place, 0, { expert, count });
      heaviest.length = Math.min(heaviest.length, SKETCH_HEAVIEST);
      least = heaviest.at(-1)?.count ?? 0;
    }
  }
  histogram[0] = experts - chosen;
  // sum z log z = (sum c log c) / total - log total, with z = c / total.
  const unevenness = total === 0 ? 0 : Math.max(0, Math.log(experts) + sumOfCLogC / total - Math.log(total));
  return { total, unevenness, histogram, heaviest, groups: Float32Array.from(groups), used };
}
