import type { Case } from './changes';
import { masked, router, withoutHead, notComparable } from './changes';

export const selectionCases: readonly Case[] = [
  {
    of: 'expert-choice-balance',
    changes: { ...router({ select: 'expert_choice' }), 'model.objective': 'masked', 'model.vocabulary': 257 },
    says: '[expert_choice] error expert-choice-balance: `select: expert_choice` is balanced by itself, but `balance` is `gshard_first` where absent; add `balance: none`.',
  },
  {
    of: 'expert-choice-balance',
    changes: { ...router({ select: 'expert_choice', balance: 'loss_free' }), 'model.objective': 'masked', 'model.vocabulary': 257 },
    says: '[loss_free] error expert-choice-balance: `balance: loss_free` cannot be used with `select: expert_choice`, which gives every expert as many units; use `balance: none`.',
  },
  {
    of: 'expert-choice-capacity',
    changes: {
      ...router({ select: 'expert_choice', balance: 'none', capacity_factor: 1.25 }),
      'model.objective': 'masked',
      'model.vocabulary': 257,
    },
    says: '[capacity_factor] error expert-choice-capacity: `router.capacity_factor` cannot be used with `select: expert_choice`, where every expert takes `top_k` * units / `experts` units; remove it, and choose `top_k` instead.',
  },
  {
    of: 'expert-choice-renormalize',
    changes: {
      ...router({ select: 'expert_choice', balance: 'none', renormalize: true }),
      'model.objective': 'masked',
      'model.vocabulary': 257,
    },
    says: '[renormalize] error expert-choice-renormalize: `router.renormalize` cannot be used with `select: expert_choice`, where a unit has any number of experts, or none; remove it.',
  },
  {
    of: 'expert-choice-units',
    changes: {
      ...router({ select: 'expert_choice', balance: 'none' }),
      'model.objective': 'masked',
      'model.vocabulary': 257,
      'model.moe.experts': 100,
    },
    says: '[2] error expert-choice-units: With `select: expert_choice` each expert takes `top_k` * units / `experts` = 2 * 32 / 100 units of a microbatch, which is less than one; use a `micro_batch` of at least 4, or at most 64 experts.',
  },
  {
    of: 'expert-choice-units',
    changes: { ...withoutHead, ...router({ select: 'expert_choice', balance: 'none' }), ...masked, 'model.moe.experts': 300 },
    says: '[2] error expert-choice-units: With `select: expert_choice` each expert takes `top_k` * units / the 201 experts of `ablation: iso_mac` = 2 * 64 / 201 units of a microbatch, which is less than one; use a `micro_batch` of at least 4, or fewer experts.',
  },
  {
    of: 'not-causal',
    changes: router({ select: 'expert_choice', balance: 'none' }),
    says: `[expert_choice] warning not-causal: With \`select: expert_choice\` whether an expert takes a token depends on later tokens, ${notComparable}; use \`select: top_k\` for that.`,
  },
  {
    of: 'not-causal',
    changes: router({ capacity_factor: 1.25, capacity_in_evaluation: true }),
    says: `[capacity_in_evaluation] warning not-causal: With \`capacity_in_evaluation\`, \`capacity_priority: first_choice\` and \`top_k\` 2, the first choices of later tokens displace the other choices of earlier ones, ${notComparable}; use \`capacity_priority: position\`, or remove \`capacity_in_evaluation\`.`,
  },
  {
    of: 'frozen-router',
    changes: router({ frozen: true, z_loss_weight: 0.001 }),
    says: '[frozen] warning frozen-router: With `router.frozen` the router stays as it was initialised, which is the control experiment for what routing learns; its losses still pull at the layers below, so add `balance: none` and `z_loss_weight: 0`.',
  },
  {
    of: 'renormalize-top-1',
    changes: { ...router({ renormalize: true }), 'model.moe.top_k': 1 },
    says: '[renormalize] warning renormalize-top-1: With `renormalize` and `top_k: 1` every weight is 1, so the router learns nothing from the cross-entropy; remove `renormalize`, or use a `top_k` of at least 2.',
  },
  {
    of: 'only-for-cosine',
    changes: router({ dimension: 8, temperature: 0.07 }),
    says: '[dimension] warning only-for-cosine: `moe.router.dimension: 8` and `moe.router.temperature: 0.07` have no effect, because a linear router has neither a reduced input nor a temperature; use `type: cosine`, or remove them.',
  },
  {
    of: 'cosine-dimension-1',
    changes: router({ type: 'cosine', dimension: 1 }),
    says: '[1] warning cosine-dimension-1: With `router.dimension: 1` a cosine is only 1 or -1, so units and experts differ by a sign that training hardly moves; use at least 2.',
  },
  {
    of: 'only-for-top-k-biased',
    changes: router({ bias_update: 'error' }),
    says: '[bias_update] warning only-for-top-k-biased: `moe.router.bias_update: error` has no effect, because `select: top_k` has no bias; use `select: top_k_biased`, or remove it.',
  },
  {
    of: 'frozen-biased',
    changes: router({ frozen: true, select: 'top_k_biased', balance: 'loss_free' }),
    says: '[frozen] error frozen-biased: `router.frozen` cannot be used with `select: top_k_biased`, whose bias would still move; use `select: top_k` with `balance: none`.',
  },
  {
    of: 'frozen-router',
    changes: router({ frozen: true, balance: 'none' }),
    says: '[frozen] warning frozen-router: With `router.frozen` the router stays as it was initialised, which is the control experiment for what routing learns.',
  },
  {
    of: 'frozen-router',
    changes: router({ frozen: true }),
    says: '[frozen] warning frozen-router: With `router.frozen` the router stays as it was initialised, which is the control experiment for what routing learns; its losses still pull at the layers below, so add `balance: none`.',
  },
];
