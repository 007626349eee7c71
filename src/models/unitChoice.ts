import type { ProgramBuilder, Tensor } from '../graph/builder';
import { ShapeError } from '../graph/shapes';
import type { RouterConfig } from '../config/schema';
import type { Attended } from './attention';
import { choicesByImportance } from './dynamicChoice';
import { passedOver } from './expertDropout';
import type { RouterSpec } from './routerLogits';
import { positive } from './routerScores';
import { choicesByScore } from './topP';

/** Which experts each unit takes and how much each counts. */
export interface UnitChoice {
  /** int32 [units, most], best first; what a unit does not take is `experts`, which is nowhere. */
  readonly indices: Tensor;
  /** [units, most]: scores, with `renormalize` scaled to sum 1 over the unit; 0 for what it does not take. */
  readonly weights: Tensor;
  /** [units, most]: 1 for what the unit takes, else 0. Null where every unit takes all of them. */
  readonly kept: Tensor | null;
}

/** The choice of each unit by scores s [units, experts]. `attended` is what `select: dynamic` goes by. */
export function unitChoice(builder: ProgramBuilder, scores: Tensor, spec: RouterSpec, attended: Attended | undefined): UnitChoice {
  const { config, experts } = spec;
  const indices = config.select === 'top_k_biased' ? biasedChoice(builder, scores, spec) : best(builder, scores, spec);
  const raw = builder.takeAlongLast(scores, indices);
  const taken = choicesTaken(builder, raw, spec, attended);
  if (taken === null) return { indices, weights: choiceWeights(builder, raw, config.renormalize), kept: null };
  const limited = builder.firstChoices(indices, taken, experts);
  const weights = choiceWeights(builder, builder.multiply(raw, limited.kept), config.renormalize);
  return { indices: limited.indices, weights, kept: limited.kept };
}

/** How many experts each unit takes, int32 [units, 1]; null where all take `most`. */
function choicesTaken(builder: ProgramBuilder, bestScores: Tensor, spec: RouterSpec, attended: Attended | undefined): Tensor | null {
  switch (spec.config.select) {
    case 'dynamic':
      if (attended === undefined) throw new ShapeError('select: dynamic needs the queries and keys of the attention in its layer.');
      return choicesByImportance(builder, attended, spec);
    case 'top_p':
      return choicesByScore(builder, bestScores, spec.config.top_p);
    case 'top_k':
    case 'top_k_biased':
    case 'expert_choice':
      return null;
  }
}

/** The experts with the largest scores, best first, ties to the lower expert: int32 [units, most]. */
function best(builder: ProgramBuilder, scores: Tensor, { config, most }: RouterSpec): Tensor {
  return builder.topK(passedOver(builder, scores, config.expert_dropout), most);
}

/**
 * The k largest of s + b (loss-free balancing, 2408.15664). b [experts] is the buffer `bias`, 0 at the start, without gradient. After each
 * step, out of all its choices c, so that no unit is routed by what comes later:
 *
 *     sign   b += rate sign(mean c - c)
 *     error  b += rate (mean c - c) / mean c
 */
function biasedChoice(builder: ProgramBuilder, scores: Tensor, spec: RouterSpec): Tensor {
  const { config, experts } = spec;
  // The bias is made together with its update, which needs the choice, which needs the bias.
  const made: { chosen?: Tensor } = {};
  const update = (bias: Tensor): Tensor => {
    const chosen = best(builder, builder.add(scores, bias), spec);
    made.chosen = chosen;
    const step = builder.multiply(biasDirection(builder, chosen, experts, config.bias_update), builder.constant(config.bias_rate));
    return builder.add(bias, step);
  };
  builder.buffer('bias', [experts], { initial: 0, updated: 'step', update });
  if (made.chosen === undefined) throw new ShapeError('A buffer asks for its update when it is made.');
  return made.chosen;
}

/**
 * Summed over the experts and not averaged, so that counts stay whole numbers and an expert with its share exactly is not moved by
 * rounding.
 */
function biasDirection(builder: ProgramBuilder, chosen: Tensor, experts: number, kind: RouterConfig['bias_update']): Tensor {
  const [units = 1, k = 1] = chosen.shape;
  const counts = builder.countChoices(chosen, experts, Number(k));
  const missing = builder.subtract(builder.sum(counts, [0], true), builder.multiply(counts, builder.constant(experts)));
  if (kind === 'sign') return builder.sign(builder.stepMean('missing_load', missing));
  return builder.stepMean('missing_load', builder.multiply(missing, builder.constant(1, [], [units, k])));
}

/** The weights [units, most] of the chosen experts out of their scores, which are 0 for what a unit does not take. */
function choiceWeights(builder: ProgramBuilder, scores: Tensor, renormalize: boolean): Tensor {
  return renormalize ? builder.divide(scores, positive(builder, builder.sum(scores, [1], true))) : scores;
}
