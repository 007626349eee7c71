import type { MaskingConfig } from '../config/schema';
import { mix } from './permutation';

/** What stands for a hidden byte: the first number that is not a byte, so that a masked model has a vocabulary of at least 257. */
export const MASK_TOKEN = 256;

/** A part of a window, in positions from `start` on and before `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Hides some of the positions `span` of a window of text (BERT, 1810.04805 section 3.1): each with the probability of the settings, at
 * least one. Of the hidden, `mask_share` become MASK_TOKEN, `random_share` a random byte, the rest stay. Writes the window's input to
 * `tokens` and, at the hidden positions, the text to `targets`; every other target is -1. All are [context]. A pure function of the
 * settings and the key.
 */
export function hideTokens(
  text: Uint8Array,
  span: Span,
  { probability, mask_share: maskShare, random_share: randomShare }: MaskingConfig,
  key: number,
  tokens: Int32Array,
  targets: Int32Array,
): void {
  tokens.set(text);
  targets.fill(-1);
  const hide = (at: number): void => {
    targets[at] = text[at] ?? 0;
    const fate = share(mix(key, at, FATE));
    if (fate < maskShare) tokens[at] = MASK_TOKEN;
    else if (fate < maskShare + randomShare) tokens[at] = mix(key, at, BYTE) % 256;
  };
  let hidden = 0;
  for (let at = span.start; at < span.end; at++) {
    if (share(mix(key, at, CHOICE)) >= probability) continue;
    hide(at);
    hidden++;
  }
  // Without a scored target there is no loss.
  if (hidden === 0) hide(span.start + (mix(key, span.end, CHOICE) % (span.end - span.start)));
}

// What a random number is for: the streams of one position must not be the same.
const CHOICE = 1;
const FATE = 2;
const BYTE = 3;

/** [0, 1) from 32 bits. */
function share(bits: number): number {
  return bits / 2 ** 32;
}
