import type { TokenBatch } from './batches';
import { DataError } from './dataError';
import { mix } from './permutation';

/**
 * Windows that go on from one another: 1 in `resets` [batch] for a window that does not continue the one in the same place of the batch
 * before.
 */
export interface LaneBatch extends TokenBatch {
  readonly resets: Int32Array;
}

/**
 * Training windows in lanes, for a model that remembers the window before (Transformer-XL, 1901.02860). Every step has one window of each
 * lane, and lane l of a step goes on where lane l of the step before ended. An epoch cuts the text from a random offset into as many
 * adjacent stretches of equal length as there are lanes, and step c of the epoch has the c-th window of every stretch: its first step
 * begins anew in all lanes.
 *
 * Window number `position`, counted over the whole training step by step and in a step lane by lane, is a pure function of the seed and the
 * position, so a resume needs only the position, and lanes may be split into microbatches in any way. Fewer than two windows' worth of
 * tokens for each lane are left out of an epoch.
 */
export class LaneOrder {
  /** Windows of each lane in an epoch. */
  readonly chunks: number;

  constructor(
    private readonly tokens: Uint8Array,
    private readonly context: number,
    private readonly seed: number,
    /** Windows of a step. */
    private readonly lanes: number,
  ) {
    this.chunks = chunksPerLane(tokens.length, context, lanes);
  }

  /** First token of the window at `position`. */
  startOf(position: number): number {
    const { epoch, chunk, lane } = this.placeOf(position);
    return this.offsetOf(epoch) + (lane * this.chunks + chunk) * this.context;
  }

  /** The `windows` windows from `position` on, with every token's target the token after it. */
  batchAt(position: number, windows: number): LaneBatch {
    const { context } = this;
    const tokens = new Int32Array(windows * context);
    const targets = new Int32Array(windows * context);
    const resets = new Int32Array(windows);
    for (let row = 0; row < windows; row++) {
      const start = this.startOf(position + row);
      tokens.set(this.tokens.subarray(start, start + context), row * context);
      targets.set(this.tokens.subarray(start + 1, start + 1 + context), row * context);
      resets[row] = this.placeOf(position + row).chunk === 0 ? 1 : 0;
    }
    return { batch: windows, time: context, tokens, targets, resets };
  }

  private placeOf(position: number): { readonly epoch: number; readonly chunk: number; readonly lane: number } {
    const step = Math.floor(position / this.lanes);
    return { epoch: Math.floor(step / this.chunks), chunk: step % this.chunks, lane: position % this.lanes };
  }

  /** Where the first stretch of an epoch begins: it changes, so that stretches and windows do not always break at the same places. */
  private offsetOf(epoch: number): number {
    const slack = this.tokens.length - 1 - this.lanes * this.chunks * this.context;
    return mix(this.seed, epoch, 1) % (slack + 1);
  }
}

/**
 * Windows that each lane has in an epoch. Throws DataError where the text is too short for two: then no window would go on from another,
 * and what the model remembers would never be there to be read.
 */
export function chunksPerLane(tokens: number, context: number, lanes: number): number {
  const most = Math.floor((tokens - 1) / context);
  // One window fewer than fit leaves room for the offset to vary over at least `context` places.
  const chunks = Math.max(Math.floor((most - 1) / lanes), Math.min(2, Math.floor(most / lanes)));
  if (chunks >= 2) return chunks;
  throw new DataError(
    `The training text has ${tokens} tokens, too few for ${lanes} lanes: with \`position: xl\` each goes on from window to window of ${context} tokens, which takes ${2 * lanes * context + 1} tokens.`,
    'Add text, make train.batch_tokens or model.context smaller, or use `position: rope`.',
    ['data', 'train'],
  );
}

/**
 * The whole text in one lane of windows of `context` tokens, in order: every token but the first is a target exactly once, and what comes
 * before it is seen as in training, whatever the micro-batch. The last window is filled up with token 0, which nothing before it sees;
 * there is no target there.
 */
export function* laneBatches(text: Uint8Array, context: number): Generator<LaneBatch> {
  const scored = Math.max(0, text.length - 1);
  for (let start = 0; start < scored; start += context) {
    const tokens = new Int32Array(context);
    const targets = new Int32Array(context).fill(-1);
    const end = Math.min(start + context, scored);
    tokens.set(text.subarray(start, end));
    targets.set(text.subarray(start + 1, end + 1));
    yield { batch: 1, time: context, tokens, targets, resets: Int32Array.of(start === 0 ? 1 : 0) };
  }
}
