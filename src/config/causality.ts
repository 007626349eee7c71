import { canDrop, leastChoices, mostChoices, usesAllExperts } from './moeShape';
import { hasRoutedLayer } from './placement';
import type { Experiment, RouterConfig } from './schema';

export interface Causality {
  /** Whether, in evaluation, no output of a window depends on later tokens of it. */
  readonly causal: boolean;
  /** Why not, each with the key of the config that causes it. Empty when causal. */
  readonly reasons: readonly CausalityReason[];
}

export interface CausalityReason {
  readonly cause: 'masked' | 'expert-choice' | 'capacity' | 'budget' | 'importance';
  readonly path: readonly string[];
  /** A sentence that begins with "Not causal: ". */
  readonly reason: string;
}

/**
 * Whether an importance of tokens is made of more than each token's own view of those before it: what a token receives, it receives from
 * later ones, and the first token pays no causal attention to any other.
 */
export function seesLaterTokens(importance: RouterConfig['importance']): boolean {
  return importance === 'received' || importance === 'cls_row';
}

/**
 * Whether a model may be scored by its perplexity as a language model: one whose outputs know later tokens predicts what it has seen.
 * Training may still route by whole batches where evaluation does not (capacity in training only, balance of a step).
 */
export function causality({ model }: Experiment): Causality {
  const reasons: CausalityReason[] = [];
  if (model.objective === 'masked') {
    reasons.push({
      cause: 'masked',
      path: ['model', 'objective'],
      reason: 'Not causal: with `objective: masked` attention sees both sides of a token.',
    });
  }
  if (model.moe !== undefined && hasRoutedLayer(model)) {
    const { router } = model.moe;
    const most = mostChoices(model, model.moe);
    const at = (key: string): readonly string[] => ['model', 'moe', 'router', key];
    if (router.select === 'expert_choice' && !usesAllExperts(model, model.moe)) {
      reasons.push({
        cause: 'expert-choice',
        path: at('select'),
        reason:
          'Not causal: with `select: expert_choice` whether an expert takes a token depends on the later tokens it could take instead.',
      });
    } else if (canDrop(model, model.moe) && router.capacity_in_evaluation && router.capacity_priority === 'first_choice' && most > 1) {
      reasons.push({
        cause: 'capacity',
        path: at('capacity_in_evaluation'),
        reason:
          "Not causal: with `capacity_priority: first_choice` and `top_k` above 1, the first choices of later tokens take the capacity that an earlier token's other choices need; use `capacity_priority: position`, or drop in training only.",
      });
    }
    if (router.select === 'dynamic' && router.budget && most > leastChoices(model.moe)) {
      reasons.push({
        cause: 'budget',
        path: at('budget'),
        reason: 'Not causal: with `budget` how many experts a token gets depends on how important later tokens are.',
      });
    }
    if (router.select === 'dynamic' && seesLaterTokens(router.importance)) {
      reasons.push({
        cause: 'importance',
        path: at('importance'),
        reason: `Not causal: \`importance: ${router.importance}\` is attention that later tokens take part in.`,
      });
    }
  }
  return { causal: reasons.length === 0, reasons };
}
