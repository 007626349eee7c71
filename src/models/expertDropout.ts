import type { ProgramBuilder, Tensor } from '../graph/builder';

/** Beyond any score, and finite in float32. */
const FAR_BELOW = -1e30;

/**
 * Scores to choose experts by, [units, experts], of which in training each is passed over with probability `rate` (2310.10837). The others
 * stay what they are; one passed over is below any score, with a bias too, so that it is chosen only where too few others are left, the
 * lowest expert first. What chosen experts weigh is not scaled by it.
 */
export function passedOver(builder: ProgramBuilder, scores: Tensor, rate: number): Tensor {
  if (rate === 0) return scores;
  const drawn = builder.noise('expert_dropout', scores.shape, { low: -rate, high: 1 - rate, evaluation: 1 - rate });
  // The sign of 0 is 0: half a unit more makes it count as kept.
  const side = builder.sign(builder.add(builder.sign(drawn), builder.constant(0.5)));
  const one = builder.constant(1);
  const keep = builder.multiply(builder.add(one, side), builder.constant(0.5));
  const below = builder.multiply(builder.subtract(one, keep), builder.constant(FAR_BELOW));
  return builder.add(builder.multiply(scores, keep), below);
}
