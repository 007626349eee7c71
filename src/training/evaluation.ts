import { scoredTokens, validationBatches } from '../data/batches';
import type { Session } from '../engine/engine';

export interface ValidationScore {
  /** Mean negative log likelihood of the scored tokens, nats per token. */
  readonly loss: number;
  /** exp(loss), natural base. Comparable only at the same tokenizer and context length. */
  readonly perplexity: number;
  /** Total negative log likelihood / (ln 2 * bytes scored): comparable between tokenizers. */
  readonly bitsPerByte: number;
  readonly scoredTokens: number;
}

/**
 * Scores a text whole, in non-overlapping windows of `context` tokens, `windows` at a time.
 * Returns undefined if `interrupted` says so between two batches.
 */
export async function scoreText(
  session: Session,
  tokens: Uint8Array,
  context: number,
  windows: number,
  interrupted: () => boolean = () => false,
): Promise<ValidationScore | undefined> {
  let nats = 0;
  for (const batch of validationBatches(tokens, context, windows)) {
    if (interrupted()) return undefined;
    nats += (await session.evaluate(batch)).negativeLogLikelihood;
  }
  // Byte tokens: as many bytes are scored as tokens.
  return validationScore(nats, scoredTokens(tokens), scoredTokens(tokens));
}

function validationScore(nats: number, tokens: number, bytes: number): ValidationScore {
  const loss = nats / tokens;
  return { loss, perplexity: Math.exp(loss), bitsPerByte: nats / (Math.LN2 * bytes), scoredTokens: tokens };
}
