import type { Noise } from './program';
import { RandomStream } from './random';

/** Which microbatch of which step draws. */
export interface NoisePlace {
  readonly seed: number;
  /** 1 for the first step. */
  readonly step: number;
  /** 0 for the step's first microbatch. */
  readonly microbatch: number;
}

/**
 * Fills `target` with a training microbatch's numbers of a noise: uniform in [low, high), float32, so that every engine gets the same.
 * Element i of a microbatch of n elements is number `microbatch * n + i` of the step: where the first axis is that of windows or
 * units, a step draws the same numbers however it is split into microbatches.
 */
export function drawNoise({ name, low, high }: Pick<Noise, 'name' | 'low' | 'high'>, target: Float32Array, place: NoisePlace): void {
  const stream = new RandomStream(place.seed, `noise/${name}`);
  // Rounding to float32 must not leave the range.
  const [least, most] = [float32AtLeast(low), float32Below(high)];
  const scale = (high - low) / 2 ** 32;
  const words = new Uint32Array(Math.min(target.length, chunk));
  const start = place.microbatch * target.length;
  for (let done = 0; done < target.length; done += words.length) {
    const part = words.subarray(0, Math.min(words.length, target.length - done));
    stream.fillWords(part, start + done, place.step);
    for (let i = 0; i < part.length; i++) {
      target[done + i] = Math.min(Math.max(low + scale * (part[i] as number), least), most);
    }
  }
}

/** Words drawn at once: few enough to stay in the processor's cache. */
const chunk = 4096;

/** The least float32 number that is not below `x`. */
function float32AtLeast(x: number): number {
  const rounded = Math.fround(x);
  return rounded >= x ? rounded : -float32Below(-rounded);
}

/** The largest float32 number below `x`. */
function float32Below(x: number): number {
  const value = new Float32Array([x]);
  const rounded = value[0] as number;
  if (rounded < x) return rounded;
  if (rounded === 0) return -(2 ** -149);
  // Neighbouring numbers of one sign have neighbouring bit patterns.
  const bits = new Int32Array(value.buffer);
  bits[0] = (bits[0] as number) + (rounded > 0 ? -1 : 1);
  return value[0] as number;
}
