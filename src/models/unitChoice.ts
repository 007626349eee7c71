import type { ProgramBuilder, Tensor } from '../graph/builder';
import { ShapeError } from '../graph/shapes';
import type { RouterConfig } from '../config/schema';
import type { RouterSpec } from './routerLogits';
import { positive } from './routerScores';

/** Each unit's k experts by score s [units, experts], best first, ties to the lower expert: int32 [units, k]. */
export function unitChoice(builder: ProgramBuilder, scores: Tensor, spec: RouterSpec): Tensor {
  return spec.config.select === 'top_k_biased' ? biasedChoice(builder, scores, spec) : builder.topK(scores, spec.k);
}

/**
 * The k largest of s + b (loss-free balancing, 2408.15664). b [experts] is the buffer `bias`, 0 at the start, without gradient. After each
 * step, out of all its choices c, so that no unit is routed by what comes later:
 *
 *     sign   b += rate sign(mean c - c)
 *     error  b += rate (mean c - c) / mean c
 */
function biasedChoice(builder: ProgramBuilder, scores: Tensor, { config, experts, k }: RouterSpec): Tensor {
  // The bias is made together with its update, which needs the choice, which needs the bias.
  const made: { chosen?: Tensor } = {};
  const update = (bias: Tensor): Tensor => {
    const chosen = builder.topK(builder.add(scores, bias), k);
    made.chosen = chosen;
    const step = builder.multiply(biasDirection(builder, chosen, experts, config.bias_update), builder.constant(config.bias_rate));
    return builder.add(bias, step);
  };
  builder.buffer('bias', [experts], { initial: 0, updated: 'step', update });
  if (made.chosen === undefined) throw new ShapeError('A buffer asks for its update when it is made.');
  return made.chosen;
}

/** Summed over the experts and not averaged, so that counts stay whole numbers and an expert with its share exactly is not moved by rounding. */
function biasDirection(builder: ProgramBuilder, chosen: Tensor, experts: number, kind: RouterConfig['bias_update']): Tensor {
  const [units = 1, k = 1] = chosen.shape;
  const counts = builder.countChoices(chosen, experts, Number(k));
  const missing = builder.subtract(builder.sum(counts, [0], true), builder.multiply(counts, builder.constant(experts)));
  if (kind === 'sign') return builder.sign(builder.stepMean('missing_load', missing));
  return builder.stepMean('missing_load', builder.multiply(missing, builder.constant(1, [], [units, k])));
}

/** The weights [units, k] of the chosen experts: their scores, with `renormalize` scaled to sum 1 over the unit. */
export function choiceWeights(builder: ProgramBuilder, scores: Tensor, chosen: Tensor, renormalize: boolean): Tensor {
  const raw = builder.takeAlongLast(scores, chosen);
  return renormalize ? builder.divide(raw, positive(builder, builder.sum(raw, [1], true))) : raw;
}
