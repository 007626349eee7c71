import type { Parameter } from './program';
import { elementCount } from './dimensions';

/**
 * Counter-based random numbers: Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Every number is a pure function of (seed, stream, counter), so a resume is exact and every engine draws the same.
 */
export class RandomStream {
  readonly #key0: number;
  readonly #key1: number;

  /** `stream` is a name such as `initialise/layers.0.attention.query`; it is hashed with the seed into the key. */
  constructor(seed: number, stream: string) {
    this.#key0 = hash(stream, seed >>> 0);
    this.#key1 = hash(stream, (0x9e3779b9 ^ Math.floor(seed / 2 ** 32)) >>> 0);
  }

  /** Four uniform uint32 for one counter (an integer in [0, 2^53)). */
  block(counter: number): Words {
    return philox4x32([counter >>> 0, Math.floor(counter / 2 ** 32) >>> 0, 0, 0], this.#key0, this.#key1);
  }

  /** Uniform in (0, 1), number `index` of the stream. */
  uniform(index: number): number {
    const word = this.block(Math.floor(index / 4))[index % 4] ?? 0;
    return (word + 0.5) / 2 ** 32;
  }

  /** Standard normal numbers (Box-Muller), as many as `target` holds, starting at counter 0. */
  fillNormal(target: Float32Array | Float64Array, standardDeviation: number): void {
    for (let i = 0; i < target.length; i += 4) {
      const words = this.block(i / 4);
      for (let pair = 0; pair < 2; pair++) {
        const radius = Math.sqrt(-2 * Math.log(((words[pair * 2] ?? 0) + 0.5) / 2 ** 32)) * standardDeviation;
        const angle = (2 * Math.PI * (words[pair * 2 + 1] ?? 0)) / 2 ** 32;
        if (i + pair * 2 < target.length) target[i + pair * 2] = radius * Math.cos(angle);
        if (i + pair * 2 + 1 < target.length) target[i + pair * 2 + 1] = radius * Math.sin(angle);
      }
    }
  }
}

type Words = readonly [number, number, number, number];

/** The generator itself: ten rounds over a counter of four words with a key of two. */
export function philox4x32(counter: Words, key0: number, key1: number): Words {
  let [a, b, c, d] = counter;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, a);
    const [high1, low1] = multiply(0xcd9e8d57, c);
    [a, b, c, d] = [(high1 ^ b ^ key0) >>> 0, low1, (high0 ^ d ^ key1) >>> 0, low0];
    key0 = (key0 + 0x9e3779b9) >>> 0;
    key1 = (key1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** The 64-bit product of two uint32 as (high, low). */
function multiply(a: number, b: number): readonly [number, number] {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middleLow = aLow * bHigh + (middle & 0xffff);
  const high = aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(middleLow / 65536);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/** FNV-1a over UTF-16 units, started from a seed and finished with an avalanche. */
function hash(text: string, seed: number): number {
  let state = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b) >>> 0;
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35) >>> 0;
  return (state ^ (state >>> 16)) >>> 0;
}

/** The initial value of a parameter, keyed by the seed and its name: adding a layer does not change the others. */
export function initialiseParameter(parameter: Pick<Parameter, 'name' | 'shape' | 'initialiser'>, seed: number): Float32Array {
  const data = new Float32Array(elementCount(parameter.shape));
  if (parameter.initialiser.kind === 'constant') data.fill(parameter.initialiser.value);
  else new RandomStream(seed, `initialise/${parameter.name}`).fillNormal(data, parameter.initialiser.standardDeviation);
  return data;
}
