/** A window of text that is looked for. */
export interface TextWindow {
  /** Where it is from. */
  readonly file: string;
  /** White space reduced. */
  readonly bytes: Uint8Array;
  /** The first text where it was found. */
  foundIn: string | undefined;
}

const BLANK = 0x20;
/** An odd multiplier, so that no byte of a window is lost from its hash. */
const BASE = 0x01000193;

/**
 * Finds windows of one length in texts that are read once, chunk by chunk, with a rolling hash (Karp and Rabin 1987), each hit compared
 * byte by byte. White space of any kind and length counts as one blank.
 */
export class WindowSearch {
  readonly #wanted = new Map<number, TextWindow[]>();
  /** Most hashes are none that is wanted: a bit for each value of their low 16 bits says so sooner than a map does. */
  readonly #maybe = new Uint8Array(1 << 16);
  /** The last bytes of the text, reduced; the oldest stands at `#at`. */
  readonly #ring: Uint8Array;
  readonly #outgoing: number;
  #at = 0;
  #length = 0;
  #hash = 0;
  #afterBlank = true;
  #text = '';

  constructor(private readonly windowBytes: number) {
    this.#ring = new Uint8Array(windowBytes);
    let power = 1;
    for (let count = 0; count < windowBytes; count++) power = Math.imul(power, BASE);
    this.#outgoing = power;
  }

  get isEmpty(): boolean {
    return this.#wanted.size === 0;
  }

  /**
   * Looks for the window that `text` begins with, white space at its start left out; undefined where it is too short, or has fewer
   * different bytes than it should.
   */
  look(file: string, text: Uint8Array, leastDifferent: number): TextWindow | undefined {
    const bytes = reduced(text).subarray(0, this.windowBytes);
    if (bytes.length < this.windowBytes || new Set(bytes).size < leastDifferent) return undefined;
    const window: TextWindow = { file, bytes: bytes.slice(), foundIn: undefined };
    const hash = hashOf(bytes);
    this.#maybe[hash & 0xffff] = 1;
    this.#wanted.set(hash, [...(this.#wanted.get(hash) ?? []), window]);
    return window;
  }

  /** Another text begins. */
  begin(text: string): void {
    this.#text = text;
    this.#at = this.#length = this.#hash = 0;
    this.#ring.fill(0);
    this.#afterBlank = true;
  }

  add(chunk: Uint8Array): void {
    const { windowBytes: size } = this;
    const [ring, maybe, outgoing] = [this.#ring, this.#maybe, this.#outgoing];
    // Text comes by the gigabyte: what a byte changes is held in variables.
    let [at, length, hash, afterBlank] = [this.#at, this.#length, this.#hash, this.#afterBlank];
    for (const raw of chunk) {
      const isBlank = isWhiteSpace(raw);
      if (isBlank && afterBlank) continue;
      afterBlank = isBlank;
      const byte = isBlank ? BLANK : raw;
      hash = (Math.imul(hash, BASE) + byte - Math.imul(ring[at] ?? 0, outgoing)) | 0;
      ring[at] = byte;
      at = at + 1 === size ? 0 : at + 1;
      if (length < size) length++;
      if (length === size && maybe[hash & 0xffff] === 1) this.#compare(hash, at);
    }
    [this.#at, this.#length, this.#hash, this.#afterBlank] = [at, length, hash, afterBlank];
  }

  /** `oldest`: where the ring begins. */
  #compare(hash: number, oldest: number): void {
    for (const window of this.#wanted.get(hash) ?? []) {
      if (window.foundIn === undefined && window.bytes.every((byte, index) => byte === this.#ring[(oldest + index) % this.windowBytes]))
        window.foundIn = this.#text;
    }
  }
}

function hashOf(bytes: Uint8Array): number {
  return bytes.reduce((hash, byte) => (Math.imul(hash, BASE) + byte) | 0, 0);
}

function isWhiteSpace(byte: number): boolean {
  return byte === BLANK || (byte >= 0x09 && byte <= 0x0d);
}

/** White space reduced to one blank, and none at the start. */
function reduced(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let afterBlank = true;
  for (const raw of text) {
    const isBlank = isWhiteSpace(raw);
    if (!(isBlank && afterBlank)) bytes[length++] = isBlank ? BLANK : raw;
    afterBlank = isBlank;
  }
  return bytes.subarray(0, length);
}
