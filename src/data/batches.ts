import type { MaskingConfig } from '../config/schema';
import { hideTokens } from './masking';
import { mix, permute } from './permutation';

/** Token windows, row-major [batch, time]; a target below 0 is not scored: fewer than all of them where the objective is masked. */
export interface TokenBatch {
  readonly batch: number;
  readonly time: number;
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

/** What a window asks of the model: its next tokens (`null`), or its hidden ones. */
export type Hidden = MaskingConfig | null;

/**
 * Training windows in a seeded order. Window number `position` (0, 1, 2, ... over the whole training) is a pure function of the seed and
 * the position, so a resume needs only the position, and neither the micro-batch nor the accumulation changes what is seen.
 *
 * An epoch cuts the text into adjacent windows of `context` tokens from a random start and visits each once, in the order of a random
 * permutation. The start changes from epoch to epoch, so that windows do not always break at the same places; fewer than two windows' worth
 * of tokens at the ends is left out of an epoch. What a masked window hides is a function of the seed and the position too: another choice
 * in every epoch.
 */
export class TrainingOrder {
  readonly windowsPerEpoch: number;

  constructor(
    private readonly tokens: Uint8Array,
    private readonly context: number,
    private readonly seed: number,
    private readonly hidden: Hidden = null,
  ) {
    const most = Math.floor((tokens.length - 1) / context);
    if (most < 1) throw new RangeError(`${tokens.length} tokens are fewer than a window of ${context} and its next token.`);
    // One window fewer than fit leaves room for the start to vary over at least `context` places.
    this.windowsPerEpoch = Math.max(1, most - 1);
  }

  /** First token of the window at `position`. */
  startOf(position: number): number {
    const epoch = Math.floor(position / this.windowsPerEpoch);
    const slack = this.tokens.length - 1 - this.windowsPerEpoch * this.context;
    const offset = mix(this.seed, epoch, 1) % (slack + 1);
    const window = permute(position % this.windowsPerEpoch, this.windowsPerEpoch, mix(this.seed, epoch, 2));
    return offset + window * this.context;
  }

  /** The `windows` windows from `position` on. Causal: every token's target is the token after it; masked: the hidden tokens'. */
  batchAt(position: number, windows: number): TokenBatch {
    const { context } = this;
    const tokens = new Int32Array(windows * context);
    const targets = new Int32Array(windows * context);
    for (let row = 0; row < windows; row++) {
      const start = this.startOf(position + row);
      const window = this.tokens.subarray(start, start + context);
      if (this.hidden === null) {
        tokens.set(window, row * context);
        targets.set(this.tokens.subarray(start + 1, start + 1 + context), row * context);
      } else {
        const [from, to] = [row * context, (row + 1) * context];
        const key = mix(this.seed, position + row, 3);
        hideTokens(window, { start: 0, end: context }, this.hidden, key, tokens.subarray(from, to), targets.subarray(from, to));
      }
    }
    return { batch: windows, time: context, tokens, targets };
  }
}

/** Validation of a text by the objective that `hidden` says. */
export function validationBatches(text: Uint8Array, context: number, windows: number, hidden: Hidden = null): Generator<TokenBatch> {
  return hidden === null ? causalBatches(text, context, windows) : maskedBatches(text, context, windows, hidden);
}

/** Tokens that causal validation scores: all but the first, which nothing predicts. */
export function scoredTokens(tokens: Uint8Array): number {
  return Math.max(0, tokens.length - 1);
}

/**
 * The whole text in non-overlapping windows of `context` tokens, in order, `windows` at a time: every token but the first is a target
 * exactly once. A window sees nothing of the one before it. Nothing is padded, since padding would take part in routing: the last batch has
 * the windows that are left, and a last window that the text does not fill comes alone, as long as it is.
 */
function* causalBatches(text: Uint8Array, context: number, windows: number): Generator<TokenBatch> {
  const whole = Math.floor(scoredTokens(text) / context);
  const batchAt = (start: number, batch: number, time: number): TokenBatch => ({
    batch,
    time,
    tokens: Int32Array.from(text.subarray(start, start + batch * time)),
    targets: Int32Array.from(text.subarray(start + 1, start + 1 + batch * time)),
  });
  for (let first = 0; first < whole; first += windows) yield batchAt(first * context, Math.min(windows, whole - first), context);
  const rest = scoredTokens(text) - whole * context;
  if (rest > 0) yield batchAt(whole * context, 1, rest);
}

/** Any fixed number, unlike every training key: what validation hides is the same at each validation and for each seed. */
const VALIDATION_KEY = 0x76616c;

/**
 * The whole text in windows of `context` tokens, in order, `windows` at a time, some tokens of each hidden: a function of the text, the
 * context and the settings alone, so that models compare. A model that sees both sides must not see padding: the last window reaches back
 * into the one before and hides only what that one did not have, and a text shorter than a window is one short window. The last batch has
 * the windows that are left.
 */
function* maskedBatches(text: Uint8Array, context: number, windows: number, hidden: MaskingConfig): Generator<TokenBatch> {
  if (text.length === 0) return;
  const time = Math.min(context, text.length);
  const count = Math.ceil(text.length / time);
  for (let first = 0; first < count; first += windows) {
    const batch = Math.min(windows, count - first);
    const tokens = new Int32Array(batch * time);
    const targets = new Int32Array(batch * time).fill(-1);
    for (let row = 0; row < batch; row++) {
      const index = first + row;
      const start = Math.min(index * time, text.length - time);
      const [from, to] = [row * time, (row + 1) * time];
      const span = { start: index * time - start, end: time };
      const window = text.subarray(start, start + time);
      hideTokens(window, span, hidden, mix(VALIDATION_KEY, index), tokens.subarray(from, to), targets.subarray(from, to));
    }
    yield { batch, time, tokens, targets };
  }
}
