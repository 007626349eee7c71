import { mix, permute } from './permutation';

/** Token windows, row-major [batch, time]; a target below 0 is not scored. */
export interface TokenBatch {
  readonly batch: number;
  readonly time: number;
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

/**
 * Training windows in a seeded order. Window number `position` (0, 1, 2, ... over the whole training) is a pure function of the seed and the
 * position, so a resume needs only the position, and neither the micro-batch nor the accumulation changes what is seen.
 *
 * An epoch cuts the text into adjacent windows of `context` tokens from a random start and visits each once, in the order of a random
 * permutation. The start changes from epoch to epoch, so that windows do not always break at the same places; fewer than two windows' worth of tokens
 * at the ends is left out of an epoch.
 */
export class TrainingOrder {
  readonly windowsPerEpoch: number;

  constructor(
    private readonly tokens: Uint8Array,
    private readonly context: number,
    private readonly seed: number,
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

  /** The `windows` windows from `position` on; every token's target is the token after it. */
  batchAt(position: number, windows: number): TokenBatch {
    const { context } = this;
    const tokens = new Int32Array(windows * context);
    const targets = new Int32Array(windows * context);
    for (let row = 0; row < windows; row++) {
      const start = this.startOf(position + row);
      tokens.set(this.tokens.subarray(start, start + context), row * context);
      targets.set(this.tokens.subarray(start + 1, start + 1 + context), row * context);
    }
    return { batch: windows, time: context, tokens, targets };
  }
}

/** Tokens that validation scores: all but the first, which nothing predicts. */
export function scoredTokens(tokens: Uint8Array): number {
  return Math.max(0, tokens.length - 1);
}

/**
 * The whole text in non-overlapping windows of `context` tokens, in order, `windows` at a time: every token but the first is a target exactly once.
 * A window sees nothing of the one before it. What is missing in the last batch is filled with token 0 and target -1.
 */
export function* validationBatches(text: Uint8Array, context: number, windows: number): Generator<TokenBatch> {
  const span = windows * context;
  for (let start = 0; start < scoredTokens(text); start += span) {
    const tokens = new Int32Array(span);
    const targets = new Int32Array(span).fill(-1);
    const length = Math.min(span, scoredTokens(text) - start);
    tokens.set(text.subarray(start, start + length));
    targets.set(text.subarray(start + 1, start + 1 + length));
    yield { batch: windows, time: context, tokens, targets };
  }
}
