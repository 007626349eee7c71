import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { RouterConfig } from '../config/schema';

/** How much each unit wants each expert. */
export interface RouterScores {
  /** z [units, experts]. */
  readonly logits: Tensor;
  /** s [units, experts]: what experts are chosen by and weigh with. */
  readonly scores: Tensor;
  /** s normalised over the experts [units, experts]: the P of balance losses. Softmax scores are that already. */
  readonly shares: () => Tensor;
  /** softmax(z) [units, experts], whatever the score. */
  readonly probabilities: () => Tensor;
}

/** x plus what no figure shows: sums of scores and mean probabilities may underflow to 0, where a quotient or a logarithm is not finite. */
export function positive(builder: ProgramBuilder, x: Tensor): Tensor {
  return builder.add(x, builder.constant(1e-30));
}

/** s = softmax(z) over all experts, or sigmoid(z) of each expert by itself. */
export function routerScores(builder: ProgramBuilder, logits: Tensor, score: RouterConfig['score']): RouterScores {
  if (score === 'softmax') {
    const scores = builder.softmax(logits);
    return { logits, scores, shares: () => scores, probabilities: () => scores };
  }
  const scores = builder.sigmoid(logits);
  return {
    logits,
    scores,
    shares: () => builder.divide(scores, positive(builder, builder.sum(scores, [1], true))),
    probabilities: () => builder.softmax(logits),
  };
}
