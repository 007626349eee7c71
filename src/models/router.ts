import type { ProgramBuilder, Tensor } from '../graph/builder';
import { ShapeError } from '../graph/shapes';
import type { Attended } from './attention';
import type { BalanceScope } from './balance';
import { balanceLoss, zLoss } from './balance';
import { dropOverCapacity } from './capacity';
import type { Dispatch } from './dispatch';
import { dispatchByExpert, dispatchByUnit } from './dispatch';
import type { RouterSpec } from './routerLogits';
import { routerLogits } from './routerLogits';
import type { RouterScores } from './routerScores';
import { routerScores } from './routerScores';
import { meanEntropy } from './topP';
import { unitChoice } from './unitChoice';

/** What a router decided, and what that costs the loss. Losses are unweighted, of this layer, and null where the config has none. */
export interface RouterDecision {
  readonly dispatch: Dispatch;
  /** Weights of the chosen pairs, after dropping: [units, most], or [experts, C] where experts choose. */
  readonly weights: Tensor;
  readonly balance: Tensor | null;
  readonly zLoss: Tensor | null;
  /** Mean entropy of the scores of a unit, for top_p. */
  readonly entropy: Tensor | null;
  /** Pairs per expert [experts], before dropping. */
  readonly counts: Tensor;
  /** Scalar, pairs dropped for capacity; null without capacity. */
  readonly dropped: Tensor | null;
  /** `dropped` as a share of all pairs. */
  readonly dropRate: Tensor | null;
  /** [most]: how many units take at least 1, 2, ... experts; null where all take as many. */
  readonly taken: Tensor | null;
}

/** What the decision of a router may depend on besides the units. */
export interface RouterContext {
  /** Over what its balance loss is averaged. */
  readonly scope: BalanceScope;
  /** The attention of the same layer, which `select: dynamic` needs. */
  readonly attended?: Attended | undefined;
}

/** Decides which experts see which rows of x [units, width] and how much each counts. Its parameters lie in the scope `router`. */
export function router(builder: ProgramBuilder, x: Tensor, spec: RouterSpec, context: RouterContext): RouterDecision {
  return builder.inScope('router', () => {
    const { config } = spec;
    const scored = routerScores(builder, routerLogits(builder, x, spec), config.score);
    const decision = config.select === 'expert_choice' ? expertsChoose(builder, scored, spec) : unitsChoose(builder, scored, spec, context);
    return {
      ...decision,
      zLoss: config.z_loss_weight === 0 ? null : zLoss(builder, scored.logits),
      entropy: config.select === 'top_p' && config.entropy_weight > 0 ? meanEntropy(builder, scored.probabilities()) : null,
    };
  });
}

type Choice = Omit<RouterDecision, 'zLoss' | 'entropy'>;

/**
 * Each unit takes its best experts (2411.16205 Eq. 1): k of them, or as many as `select` says: `dynamic` aims at k on average, with `top_p`
 * k is what counts and capacity assume. Renormalisation comes before dropping for capacity.
 */
function unitsChoose(builder: ProgramBuilder, scored: RouterScores, spec: RouterSpec, { scope, attended }: RouterContext): Choice {
  const { config, experts, k, most } = spec;
  const choice = unitChoice(builder, scored.scores, spec, attended);
  const factor = config.capacity_factor;
  const capped = factor === undefined ? undefined : dropOverCapacity(builder, choice, factor, spec);
  const weights = capped?.weights ?? choice.weights;
  return {
    dispatch: dispatchByUnit(builder, builder.route(choice.indices, experts, k / most), weights),
    weights,
    balance: balanceLoss(builder, { balance: config.balance, scope, scored, choice, experts }),
    counts: builder.countChoices(choice.indices, experts, most),
    dropped: capped?.dropped ?? null,
    dropRate: capped?.dropRate ?? null,
    taken: choice.kept === null ? null : builder.sum(choice.kept, [0]),
  };
}

/**
 * Each expert takes the C = max(1, floor(k U / E)) units that score it highest and weighs each with its score (2202.09368). Experts are
 * balanced by construction: there is no balance loss and nothing is dropped. A unit's experts depend on all units of the microbatch.
 */
function expertsChoose(builder: ProgramBuilder, { scores }: RouterScores, spec: RouterSpec): Choice {
  const [units] = scores.shape;
  if (units === undefined) throw new ShapeError('Router scores are [units, experts].');
  const indices = builder.expertChoice(scores, spec.k);
  const weights = builder.takeAlongLast(builder.transpose(scores, [1, 0]), indices);
  // Every index is at least 0, so this counts each expert's row of them: C.
  const counts = builder.sum(builder.greaterEqual(indices, 0), [1]);
  const dispatch = dispatchByExpert(builder, indices, weights, units);
  return { dispatch, weights, balance: null, counts, dropped: null, dropRate: null, taken: null };
}
