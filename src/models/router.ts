import type { ProgramBuilder, Routing, Tensor } from '../graph/builder';
import type { MoeConfig } from '../config/schema';
import { linear } from './linear';

export interface RouterDecision {
  /** How the routed rows are laid out. */
  readonly routing: Routing;
  /** Gate weights [units, k] of the chosen experts. */
  readonly weights: Tensor;
  /** The balance loss of this layer, unweighted; 1 when balanced. */
  readonly balance: Tensor;
  /** (unit, choice) pairs per expert [experts]. */
  readonly counts: Tensor;
}

/**
 * Softmax top-k router (2411.16205 Eq. 1): p = softmax(W_g x) over all experts, the k largest are chosen and weigh with their own
 * probability; with `renormalize` the chosen weights are scaled to sum 1. x [units, width].
 * Balance: E * sum_e F_e P_e with P_e the mean probability and F_e the share of units whose first choice is e (GShard, 2006.16668).
 */
export function router(builder: ProgramBuilder, x: Tensor, width: number, config: MoeConfig): RouterDecision {
  const { experts, top_k: k } = config;
  return builder.inScope('router', () => {
    const logits = linear(builder, 'weight', x, { inputs: width, outputs: experts, role: 'router' });
    const probabilities = builder.softmax(logits);
    const chosen = builder.topK(probabilities, k);
    const raw = builder.takeAlongLast(probabilities, chosen);
    const weights = config.renormalize ? builder.divide(raw, builder.sum(raw, [1], true)) : raw;

    const firstChoiceShare = builder.multiply(builder.countChoices(chosen, experts, 1), builder.constant(1, [], x.shape.slice(0, 1)));
    const meanProbability = builder.mean(probabilities, [0]);
    const balance = builder.multiply(builder.sum(builder.multiply(firstChoiceShare, meanProbability), [0]), builder.constant(experts));
    return { routing: builder.route(chosen, experts), weights, balance, counts: builder.countChoices(chosen, experts, k) };
  });
}
