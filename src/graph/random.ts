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

  /**
   * Numbers `first`, `first + 1`, ... of a page of the stream as uint32, as many as `target` holds. A page is another 2^53 blocks of the
   * counter; `block` and `uniform` draw from page 0.
   */
  fillWords(target: Uint32Array, first: number, page: number): void {
    const words = new Uint32Array(4);
    const [pageLow, pageHigh] = [page >>> 0, Math.floor(page / 2 ** 32) >>> 0];
    let block = Math.floor(first / 4);
    let place = first % 4;
    for (let i = 0; i < target.length; block++) {
      philoxInto(words, block >>> 0, Math.floor(block / 2 ** 32) >>> 0, pageLow, pageHigh, this.#key0, this.#key1);
      for (; place < 4 && i < target.length; place++, i++) target[i] = words[place] as number;
      place = 0;
    }
  }

  /**
   * Normal numbers of mean 0 (Box-Muller, two from each pair of words), as many as `target` holds, starting at counter 0. Tables of a
   * million rows are drawn by it, so nothing is allocated in the loop.
   */
  fillNormal(target: Float32Array | Float64Array, standardDeviation: number): void {
    const words = new Uint32Array(4);
    const { length } = target;
    for (let i = 0, block = 0; i < length; i += 4, block++) {
      philoxInto(words, block >>> 0, Math.floor(block / 2 ** 32) >>> 0, 0, 0, this.#key0, this.#key1);
      for (let pair = 0; pair < 4; pair += 2) {
        const radius = Math.sqrt(-2 * Math.log(((words[pair] as number) + 0.5) / 2 ** 32)) * standardDeviation;
        const angle = (2 * Math.PI * (words[pair + 1] as number)) / 2 ** 32;
        if (i + pair < length) target[i + pair] = radius * Math.cos(angle);
        if (i + pair + 1 < length) target[i + pair + 1] = radius * Math.sin(angle);
      }
    }
  }
}

type Words = readonly [number, number, number, number];

/** The generator itself: ten rounds over a counter of four words with a key of two. */
export function philox4x32([a, b, c, d]: Words, key0: number, key1: number): Words {
  const words = new Uint32Array(4);
  philoxInto(words, a, b, c, d, key0, key1);
  return Array.from(words) as unknown as Words;
}

/**
 * As philox4x32, into `words`. Noises are drawn element by element, so it allocates nothing and computes in signed 32-bit integers alone,
 * which is faster than products in float64.
 */
function philoxInto(words: Uint32Array, a: number, b: number, c: number, d: number, key0: number, key1: number): void {
  // Signed from the start: the compiled loop then never changes its representation.
  a |= 0;
  b |= 0;
  c |= 0;
  d |= 0;
  key0 |= 0;
  key1 |= 0;
  for (let round = 0; round < 10; round++) {
    const high0 = highWord(0xd251, 0x1f53, a);
    const high1 = highWord(0xcd9e, 0x8d57, c);
    const low0 = Math.imul(0xd2511f53, a);
    const low1 = Math.imul(0xcd9e8d57, c);
    a = high1 ^ b ^ key0;
    c = high0 ^ d ^ key1;
    b = low1;
    d = low0;
    key0 = (key0 + 0x9e3779b9) | 0;
    key1 = (key1 + 0xbb67ae85) | 0;
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}

/** The upper word of the 64-bit product of two words, the first given as halves: from products of halves, which fit 32 bits. */
function highWord(aHigh: number, aLow: number, b: number): number {
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const upper = Math.imul(aHigh, bLow);
  const lower = Math.imul(aLow, bHigh);
  const middle = (Math.imul(aLow, bLow) >>> 16) + (upper & 0xffff) + (lower & 0xffff);
  return (Math.imul(aHigh, bHigh) + (upper >>> 16) + (lower >>> 16) + (middle >>> 16)) | 0;
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
  const { name, shape, initialiser } = parameter;
  const data = new Float32Array(elementCount(shape));
  if (initialiser.kind === 'constant') {
    data.fill(initialiser.value);
    return data;
  }
  new RandomStream(seed, `initialise/${name}`).fillNormal(data, initialiser.standardDeviation);
  if (initialiser.kind === 'equalColumns') equaliseColumns(data, shape);
  return data;
}

/**
 * Scales the columns of every [in, out] matrix of a stack to one length, the one at which the matrix keeps the root of its mean square: its
 * standard deviation about the mean of 0 that it was drawn with (2310.10837 section 5: no expert is then chosen for its row's length).
 */
function equaliseColumns(data: Float32Array, shape: readonly number[]): void {
  const [rows, columns] = [shape[shape.length - 2] ?? 1, shape[shape.length - 1] ?? 1];
  const squares = new Float64Array(columns);
  for (let start = 0; start < data.length; start += rows * columns) {
    squares.fill(0);
    for (let i = 0; i < rows * columns; i++) squares[i % columns] = (squares[i % columns] as number) + (data[start + i] as number) ** 2;
    const length = Math.sqrt(squares.reduce((a, b) => a + b, 0) / columns);
    for (let i = 0; i < rows * columns; i++) {
      const own = Math.sqrt(squares[i % columns] as number);
      // A column of zeros has no direction to keep.
      if (own > 0) data[start + i] = ((data[start + i] as number) * length) / own;
    }
  }
}
