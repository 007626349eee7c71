import type { ProgramBuilder, Tensor } from '../graph/builder';
import { positive } from './routerScores';

/**
 * `select: top_p` (2403.07652): how many experts each unit takes, int32 [units, 1]: the fewest of the best whose scores [units, most], best first,
 * add up to `threshold`, or all where they do not.
 */
export function choicesByScore(builder: ProgramBuilder, bestScores: Tensor, threshold: number): Tensor {
  return builder.countUntil(bestScores, threshold);
}

/**
 * The entropy of the units' probabilities [units, experts], mean over the units, nats (2403.07652): without it a router spreads to get more
 * experts.
 */
export function meanEntropy(builder: ProgramBuilder, probabilities: Tensor): Tensor {
  const logarithm = builder.log(positive(builder, probabilities));
  return builder.negate(builder.mean(builder.sum(builder.multiply(probabilities, logarithm), [1]), [0]));
}
