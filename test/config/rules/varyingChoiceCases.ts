import type { Case } from './changes';
import { attention, dynamic, router, topP } from './changes';

export const varyingChoiceCases: readonly Case[] = [
  {
    of: 'dynamic-importance',
    changes: dynamic({ importance: 'received' }),
    says: '[received] error dynamic-importance: `importance: received` needs `objective: masked`: what a token receives it receives from later tokens, which a causal model must not know; use `importance: entropy` or `row_max`, which ask what a token itself attends to.',
  },
  {
    of: 'dynamic-importance',
    changes: dynamic({ importance: 'cls_row', budget: true }),
    says: '[cls_row] error dynamic-importance: `importance: cls_row` needs `objective: masked`: the first token sees no other in causal attention, so none would be important; use `importance: entropy` or `row_max`, which ask what a token itself attends to.',
  },
  {
    of: 'dynamic-xl',
    changes: { ...dynamic(), ...attention({ position: 'xl' }) },
    says: '[dynamic] error dynamic-xl: `select: dynamic` measures attention within a window, and with `position: xl` attention reaches back to the one before; use `position: rope` or `none`.',
  },
  {
    of: 'k-range',
    changes: dynamic({ k_min: 3 }),
    says: '[3] error k-range: `router.k_min` 3 is more than `top_k` 2, the mean that is aimed at; use at most 2.',
  },
  {
    of: 'k-range',
    changes: dynamic({ k_max: 9 }),
    says: '[9] error k-range: `router.k_max` 9 is more than the 8 experts there are; use at most 8.',
  },
  {
    of: 'k-range',
    changes: dynamic({ k_max: 1 }),
    says: '[1] error k-range: `router.k_max` 1 is less than `top_k` 2, the mean that is aimed at; use at least 2.',
  },
  {
    of: 'k-range',
    changes: topP({ k_max: 1 }),
    says: '[1] error k-range: `router.k_max` 1 is less than `top_k` 2, the mean that is assumed; use at least 2.',
  },
  {
    of: 'k-fixed',
    changes: { ...topP({ k_max: 1 }), 'model.moe.top_k': 1 },
    says: '[1] warning k-fixed: With `select: top_p` every unit takes 1 expert, which is both the fewest and the most it may take; use `select: top_k` for that.',
  },
  {
    of: 'k-range',
    changes: { ...topP({ k_max: 12 }), 'model.moe.experts': 10 },
    says: '[12] error k-range: `router.k_max` 12 is more than the 10 experts there are; use at most 10.',
  },
  {
    of: 'k-fixed',
    changes: dynamic({ k_min: 2, k_max: 2 }),
    says: '[2] warning k-fixed: With `select: dynamic` every unit takes 2 experts, which is both the fewest and the most it may take; use `select: top_k` for that.',
  },
  {
    of: 'k-fixed',
    changes: { ...dynamic(), 'model.context': 1 },
    says: '[dynamic] warning k-fixed: With `select: dynamic` every unit takes 2 experts, because in a `context` of 1 all tokens are as important; use `select: top_k` for that.',
  },
  {
    of: 'k-fixed',
    changes: topP({ top_p: 1 }),
    says: '[top_p] warning k-fixed: With `select: top_p` every unit takes 8 experts, because only all of them reach `top_p: 1`; use `select: top_k` for that.',
  },
  {
    of: 'not-causal',
    changes: dynamic({ budget: true }),
    says: "[budget] warning not-causal: With `budget` how many experts a token gets depends on how important later tokens are, so this model's perplexity cannot be compared with that of a causal one; remove it for that.",
  },
  {
    of: 'only-for-dynamic',
    changes: router({ importance: 'entropy', k_min: 1, budget: true, k_max: 4 }),
    says: '[importance] warning only-for-dynamic: `moe.router.importance: entropy`, `moe.router.k_min: 1`, `moe.router.budget: true` and `moe.router.k_max: 4` have no effect, because with `select: top_k` units do not vary in how many experts they take; use `select: dynamic`, or remove them.',
  },
  {
    of: 'only-for-dynamic',
    changes: topP({ importance: 'entropy', k_min: 1, k_max: 4 }),
    says: '[importance] warning only-for-dynamic: `moe.router.importance: entropy` and `moe.router.k_min: 1` have no effect, because with `select: top_p` a unit takes at least one expert, whatever attention says; use `select: dynamic`, or remove them.',
  },
  {
    of: 'only-for-top-p',
    changes: router({ top_p: 0.5, entropy_weight: 0.001 }),
    says: '[top_p] warning only-for-top-p: `moe.router.top_p: 0.5` and `moe.router.entropy_weight: 0.001` have no effect, because `select: top_k` does not add up scores; use `select: top_p`, or remove them.',
  },
  {
    of: 'only-for-top-p',
    changes: dynamic({ top_p: 0.5 }),
    says: '[top_p] warning only-for-top-p: `moe.router.top_p: 0.5` has no effect, because `select: dynamic` does not add up scores; use `select: top_p`, or remove it.',
  },
  {
    of: 'top-p-entropy',
    changes: router({ select: 'top_p' }),
    says: '[top_p] information top-p-entropy: With `select: top_p` and `entropy_weight: 0` nothing keeps the router from even scores, with which every unit uses more experts and more compute; 2403.07652 uses 0.0001.',
  },
  {
    of: 'top-p-sigmoid',
    changes: topP({ score: 'sigmoid' }),
    says: '[sigmoid] warning top-p-sigmoid: With `score: sigmoid` the scores of a unit add up to anything between 0 and the number of experts, so `top_p` 0.4 is no share of them: one expert may reach it, or all may not; use `score: softmax`.',
  },
  {
    of: 'top-p-sigmoid',
    changes: topP({ score: 'sigmoid', top_p: 1 }),
    says: '[sigmoid] warning top-p-sigmoid: With `score: sigmoid` the scores of a unit add up to anything between 0 and the number of experts, so `top_p` 1 is no share of them: one expert may reach it, or all may not; use `score: softmax`.',
  },
  {
    of: 'switch-top-k',
    changes: dynamic({ balance: 'switch' }),
    says: '[switch] error switch-top-k: `balance: switch` is for units that take one expert each, and with `select: dynamic` their numbers vary; use `balance: top_k` to count all choices, or `gshard_first` to count the first.',
  },
  {
    of: 'switch-top-k',
    changes: { ...topP({ balance: 'switch' }), 'model.moe.top_k': 1 },
    says: '[switch] error switch-top-k: `balance: switch` is for units that take one expert each, and with `select: top_p` their numbers vary; use `balance: top_k` to count all choices, or `gshard_first` to count the first.',
  },
  {
    of: 'loss-free-select',
    changes: dynamic({ balance: 'loss_free' }),
    says: '[loss_free] error loss-free-select: `balance: loss_free` balances by the bias of `select: top_k_biased`, which `select: dynamic` does not have; add `select: top_k_biased`.',
  },
  {
    of: 'loss-free-select',
    changes: topP({ balance: 'loss_free' }),
    says: '[loss_free] error loss-free-select: `balance: loss_free` balances by the bias of `select: top_k_biased`, which `select: top_p` does not have; add `select: top_k_biased`.',
  },
  {
    of: 'not-causal',
    changes: dynamic({ capacity_factor: 1.25, capacity_in_evaluation: true }),
    says: "[capacity_in_evaluation] warning not-causal: With `capacity_in_evaluation`, `capacity_priority: first_choice` and more than one expert for some units, the first choices of later tokens displace the other choices of earlier ones, so this model's perplexity cannot be compared with that of a causal one; use `capacity_priority: position`, or remove `capacity_in_evaluation`.",
  },
  {
    of: 'frozen-router',
    changes: topP({ frozen: true, balance: 'none' }),
    says: '[frozen] warning frozen-router: With `router.frozen` the router stays as it was initialised, which is the control experiment for what routing learns; its losses still pull at the layers below, so add `entropy_weight: 0`.',
  },
  {
    of: 'k-fixed',
    changes: { ...dynamic({ k_min: 8 }), 'model.moe.top_k': 8 },
    says: '[dynamic] warning k-fixed: With `select: dynamic` every unit takes 8 experts, which is both the fewest and the most it may take; use `select: top_k` for that.',
  },
  {
    of: 'one-expert',
    changes: { ...dynamic(), 'model.moe.top_k': 1, 'model.moe.experts': 1 },
    says: '[1] warning one-expert: With the one expert there is nothing to route, and its weight is always 1, so the router learns nothing from the cross-entropy; use at least 2 experts.',
  },
];
