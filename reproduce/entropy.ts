/** How far simple statistics of a text's bytes go. Nats per byte, estimated on the text itself. */
export interface TextEntropy {
  /** H(byte): what a model that knows only the frequencies of this very text needs. */
  readonly unigram: number;
  /**
   * H(next | previous) = -sum over pairs count(ab) / pairs * ln(count(ab) / count(a followed by anything)): the loss of the best table of
   * byte pairs there is for this very text, fitted on it. Every other bigram model needs at least as much; below it, more than one byte of
   * context is used.
   */
  readonly bigram: number;
}

export function textEntropy(text: Uint8Array): TextEntropy {
  const singles = new Float64Array(256);
  const firsts = new Float64Array(256);
  const pairs = new Float64Array(256 * 256);
  text.forEach((byte, at) => {
    singles[byte] = (singles[byte] ?? 0) + 1;
    if (at === 0) return;
    const previous = text[at - 1] ?? 0;
    firsts[previous] = (firsts[previous] ?? 0) + 1;
    pairs[previous * 256 + byte] = (pairs[previous * 256 + byte] ?? 0) + 1;
  });
  const nats = (count: number, of: number) => (count === 0 ? 0 : -count * Math.log(count / of));
  return {
    unigram: singles.reduce((sum, count) => sum + nats(count, text.length), 0) / text.length,
    bigram: pairs.reduce((sum, count, pair) => sum + nats(count, firsts[pair >> 8] ?? 0), 0) / Math.max(1, text.length - 1),
  };
}
