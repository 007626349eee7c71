import { causality } from '../config/causality';
import type { RunnableExperiment } from '../config/schema';
import { type Hidden, validationBatches } from '../data/batches';
import type { Session } from '../engine/engine';

export interface ValidationScore {
  /** Mean negative log likelihood of the scored tokens, nats per token. */
  readonly loss: number;
  /** exp(loss), natural base. Comparable only at the same tokenizer, context length and objective. */
  readonly perplexity: number;
  /** Total negative log likelihood / (ln 2 * bytes scored): comparable between tokenizers. Null for a model that is not causal: it gives the text no probability. */
  readonly bitsPerByte: number | null;
  /** Causal: all but the first token of the text. Masked: the hidden ones. */
  readonly scoredTokens: number;
  /** Share of (unit, choice) pairs dropped for capacity, mean over routed layers; null without capacity. */
  readonly dropRate: number | null;
}

/** How a text is scored: in non-overlapping windows of `context` tokens, `windows` at a time. */
export interface Scoring {
  readonly context: number;
  readonly windows: number;
  readonly hidden: Hidden;
  /** Whether no output depends on later tokens, so that the losses add up to the length of a code for the text. */
  readonly causal: boolean;
}

/** Evaluation takes as many windows at once as a microbatch has. */
export function scoringOf(experiment: RunnableExperiment): Scoring {
  const { model, train } = experiment;
  return { context: model.context, windows: train.micro_batch, hidden: hiddenBy(experiment), causal: causality(experiment).causal };
}

/** What training and validation hide: nothing unless the objective is masked. */
export function hiddenBy({ model, train }: Pick<RunnableExperiment, 'model' | 'train'>): Hidden {
  return model.objective === 'masked' ? train.masking : null;
}

/** Scores a text whole. Returns undefined if `interrupted` says so between two batches. */
export async function scoreText(
  session: Session,
  tokens: Uint8Array,
  { context, windows, hidden, causal }: Scoring,
  interrupted: () => boolean = () => false,
): Promise<ValidationScore | undefined> {
  let nats = 0;
  let scored = 0;
  let units = 0;
  let dropped: number | null = null;
  for (const batch of validationBatches(tokens, context, windows, hidden)) {
    if (interrupted()) return undefined;
    const metrics = await session.evaluate(batch);
    nats += metrics.negativeLogLikelihood;
    // Every batch has its own capacity, and the last is smaller: shares are of its units.
    units += batch.tokens.length;
    if (metrics.dropRate !== null) dropped = (dropped ?? 0) + metrics.dropRate * batch.tokens.length;
    scored += batch.targets.reduce((count, target) => count + (target >= 0 ? 1 : 0), 0);
  }
  const loss = nats / scored;
  // Byte tokens: as many bytes are scored as tokens.
  const bitsPerByte = causal ? nats / (Math.LN2 * scored) : null;
  return { loss, perplexity: Math.exp(loss), bitsPerByte, scoredTokens: scored, dropRate: dropped === null ? null : dropped / units };
}
