import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { RouterConfig } from '../config/schema';
import { positive, type RouterScores } from './routerScores';
import type { UnitChoice } from './unitChoice';

/** Over what F and P are averaged: a microbatch, or all those of an optimiser step. */
export type BalanceScope = 'micro' | 'global';

/** What the routing of a layer looks like to its balance loss. */
export interface BalanceInputs {
  readonly balance: RouterConfig['balance'];
  readonly scope: BalanceScope;
  readonly scored: RouterScores;
  readonly choice: UnitChoice;
  readonly experts: number;
}

/**
 * The balance loss of one layer, unweighted; null where there is none. P [experts] is the mean share of the scores, F [experts] the share
 * of the units (`switch`, 2101.03961 Eq. 4; `gshard_first`, 2006.16668: by the first choice) or of the choices (`top_k`, 2408.15664 Eq. 2):
 *
 *     E sum_e F_e P_e        1 when balanced; no gradient flows through F
 *     sum_e p_e log p_e      `entropy` (2310.10837), p the mean softmax: -log E when balanced
 *
 * `global` (2501.11873) takes F, and the p of the logarithm, from the whole step. The mean of that over the microbatches has the value and the
 * gradient of one large microbatch: F is constant to the gradient, P is linear in the units, and sum_e dp_e = 0.
 */
export function balanceLoss(builder: ProgramBuilder, inputs: BalanceInputs): Tensor | null {
  const { balance, scored } = inputs;
  switch (balance) {
    case 'none':
    case 'loss_free':
      return null;
    case 'switch':
    case 'gshard_first':
      return shareLoss(builder, firstShare(builder, inputs), inputs);
    case 'top_k':
      return shareLoss(builder, choiceShare(builder, inputs), inputs);
    case 'entropy':
      return negativeEntropy(builder, builder.mean(scored.probabilities(), [0]), inputs.scope);
  }
}

/** Of the microbatch, or as a mean over those of the step. */
function inScope(builder: ProgramBuilder, local: Tensor, scope: BalanceScope): Tensor {
  return scope === 'global' ? builder.stepMean('choice_share', local) : local;
}

/** F [experts]: how many units have the expert as their first choice, over the number of units. */
function firstShare(builder: ProgramBuilder, { choice: { indices }, experts, scope }: BalanceInputs): Tensor {
  const counts = builder.countChoices(indices, experts, 1);
  return inScope(builder, builder.multiply(counts, builder.constant(1, [], indices.shape.slice(0, 1))), scope);
}

/** F [experts]: how many choices fall on the expert, over the number of choices; where that varies it is of all those of the scope. */
function choiceShare(builder: ProgramBuilder, { choice: { indices, kept }, experts, scope }: BalanceInputs): Tensor {
  const [units = 1, most = 1] = indices.shape;
  const counts = builder.countChoices(indices, experts, Number(most));
  const share = inScope(builder, builder.multiply(counts, builder.constant(1 / Number(most), [], [units])), scope);
  return kept === null ? share : builder.divide(share, builder.sum(share, [0], true));
}

function shareLoss(builder: ProgramBuilder, share: Tensor, { scored, experts }: BalanceInputs): Tensor {
  const meanScore = builder.mean(scored.shares(), [0]);
  return builder.multiply(builder.sum(builder.multiply(share, meanScore), [0]), builder.constant(experts));
}

function negativeEntropy(builder: ProgramBuilder, mean: Tensor, scope: BalanceScope): Tensor {
  const logarithm = builder.log(positive(builder, scope === 'global' ? builder.stepMean('mean_probability', mean) : mean));
  return builder.sum(builder.multiply(mean, logarithm), [0]);
}

/** Router z-loss of one layer, unweighted: the mean over the units of logsumexp(z)^2 (2202.08906). */
export function zLoss(builder: ProgramBuilder, logits: Tensor): Tensor {
  const size = builder.logSumExp(logits);
  return builder.mean(builder.multiply(size, size), [0]);
}
