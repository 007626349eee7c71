import { causality } from '../config/causality';
import type { RunnableExperiment } from '../config/schema';
import type { Session } from '../engine/engine';
import { type RoutingFigures, RoutingFigureSums } from './routingFigures';
import { type Cutting, cuttingOf, validationWindows } from './windows';

export interface ValidationScore extends RoutingFigures {
  /** Mean negative log likelihood of the scored tokens, nats per token. */
  readonly loss: number;
  /** exp(loss), natural base. Comparable only at the same tokenizer, context length and objective. */
  readonly perplexity: number;
  /**
   * Total negative log likelihood / (ln 2 * bytes scored): comparable between tokenizers. Null for a model that is not causal: it gives the
   * text no probability.
   */
  readonly bitsPerByte: number | null;
  /** Causal: all but the first token of the text. Masked: the hidden ones. */
  readonly scoredTokens: number;
  /** Share of (unit, choice) pairs dropped for capacity, mean over routed layers; null without capacity. */
  readonly dropRate: number | null;
}

/** How a text is scored. */
export interface Scoring extends Cutting {
  /** Whether no output depends on later tokens, so that the losses add up to the length of a code for the text. */
  readonly causal: boolean;
  /** Experts of a layer that retrieves by product keys; 0 without one. */
  readonly retrieved: number;
}

export function scoringOf(experiment: RunnableExperiment): Scoring {
  const retrieved = experiment.model.product_keys?.experts ?? 0;
  return { ...cuttingOf(experiment), causal: causality(experiment).causal, retrieved };
}

/** Scores a text whole. Returns undefined if `interrupted` says so between two batches. */
export async function scoreText(
  session: Session,
  tokens: Uint8Array,
  scoring: Scoring,
  interrupted: () => boolean = () => false,
): Promise<ValidationScore | undefined> {
  let nats = 0;
  let scored = 0;
  let units = 0;
  let dropped: number | null = null;
  const routing = new RoutingFigureSums(scoring.retrieved);
  for (const batch of validationWindows(tokens, scoring)) {
    if (interrupted()) return undefined;
    const metrics = await session.evaluate(batch);
    nats += metrics.negativeLogLikelihood;
    const targets = batch.targets.reduce((count, target) => count + (target >= 0 ? 1 : 0), 0);
    scored += targets;
    // What fills up the last window of a lane is routed too: only a text without a whole window is described by it.
    if (scoring.lane && targets < batch.tokens.length && units > 0) continue;
    // Every batch has its own capacity, and the last is smaller: shares are of its units.
    units += batch.tokens.length;
    if (metrics.dropRate !== null) dropped = (dropped ?? 0) + metrics.dropRate * batch.tokens.length;
    routing.add(metrics);
  }
  const loss = nats / scored;
  // Byte tokens: as many bytes are scored as tokens.
  const bitsPerByte = scoring.causal ? nats / (Math.LN2 * scored) : null;
  const dropRate = dropped === null ? null : dropped / units;
  return { loss, perplexity: Math.exp(loss), bitsPerByte, scoredTokens: scored, dropRate, ...routing.figures };
}
