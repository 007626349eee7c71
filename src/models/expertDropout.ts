import type { ProgramBuilder, Tensor } from '../graph/builder';

/**
 * Scores to choose experts by, [units, experts], of which in training each is passed over with probability `rate` (2310.10837). Scores between 0 and 1
 * stay what they are; one passed over becomes -1, so that it is chosen only where too few others are left, the lowest expert first. What chosen
 * experts weigh is not scaled by it.
 */
export function passedOver(builder: ProgramBuilder, scores: Tensor, rate: number): Tensor {
  if (rate === 0) return scores;
  const drawn = builder.noise('expert_dropout', scores.shape, { low: -rate, high: 1 - rate, evaluation: 1 - rate });
  // The sign of 0 is 0: half a unit more makes it count as kept.
  const side = builder.sign(builder.add(builder.sign(drawn), builder.constant(0.5)));
  const one = builder.constant(1);
  const keep = builder.multiply(builder.add(one, side), builder.constant(0.5));
  return builder.subtract(builder.multiply(scores, keep), builder.subtract(one, keep));
}
