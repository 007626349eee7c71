import type { Case } from './changes';
import { router, withoutHead } from './changes';

export const routedLayerCases: readonly Case[] = [
  {
    of: 'every-and-layers',
    changes: { 'model.moe.every': 2, 'model.moe.layers': [1] },
    says: '[layers] error every-and-layers: `moe.every` and `moe.layers` both say which layers are routed; keep one of them (in a variant, an empty `every:` takes away what its base says).',
  },
  {
    of: 'routed-layers',
    changes: { 'model.moe.layers': [0, 4] },
    says: '[4] error routed-layers: `moe.layers` names layer 4, but there are 4 layers and they are layers 0 to 3; leave it out.',
  },
  {
    of: 'routed-layers',
    changes: { 'model.moe.layers': [3, 1, 3] },
    says: '[3] error routed-layers: `moe.layers` names layer 3 twice; leave one out.',
  },
  {
    of: 'no-routed-layer',
    changes: { 'model.layers': 1 },
    says: '[moe] warning no-routed-layer: `moe.every` is 2 where absent, more than the 1 layer there is, so no layer is routed; use at most 1, or remove `moe`.',
  },
  {
    of: 'top-k',
    changes: { 'model.moe.top_k': 9 },
    says: '[9] error top-k: `moe.top_k` 9 is more than the 8 experts there are; use at most 8.',
  },
  {
    of: 'one-expert',
    changes: { 'model.moe.experts': 1, 'model.moe.top_k': 1 },
    says: '[1] warning one-expert: With the one expert there is nothing to route, and its weight is always 1, so the router learns nothing from the cross-entropy; use at least 2 experts.',
  },
  {
    of: 'one-expert',
    changes: { ...router({ score: 'sigmoid' }), 'model.moe.experts': 1, 'model.moe.top_k': 1 },
    says: '[1] warning one-expert: With the one expert there is nothing to route, and its weight only scales what it gives; use at least 2 experts.',
  },
  {
    of: 'one-expert',
    changes: { ...router({ renormalize: true, score: 'sigmoid' }), 'model.moe.experts': 1, 'model.moe.top_k': 1 },
    says: '[1] warning one-expert: With the one expert there is nothing to route, and its weight is always 1, so the router learns nothing from the cross-entropy; use at least 2 experts.',
  },
  {
    of: 'one-expert',
    changes: { ...withoutHead, 'model.moe.heads': 1, 'model.moe.experts': 1, 'model.moe.top_k': 1 },
    says: '[1] warning one-expert: With the one expert of `ablation: iso_mac` there is nothing to route, and its weight is always 1, so the router learns nothing from the cross-entropy; use at least 2 experts.',
  },
  {
    of: 'all-experts',
    changes: { ...router({ select: 'top_k_biased', balance: 'loss_free' }), 'model.moe.top_k': 8 },
    says: '[top_k_biased] warning all-experts: The bias of `select: top_k_biased` has no effect, because with `top_k` 8 every unit uses each of the 8 experts; use a smaller `top_k`, or `select: top_k`.',
  },
  {
    of: 'all-experts',
    changes: { ...router({ select: 'expert_choice', balance: 'none' }), 'model.moe.top_k': 8 },
    says: '[expert_choice] warning all-experts: `select: expert_choice` chooses nothing, because with `top_k` 8 each of the 8 experts takes every unit; use a smaller `top_k`.',
  },
  {
    of: 'all-experts',
    changes: { ...router({ balance: 'top_k', score: 'sigmoid', renormalize: true }), 'model.moe.top_k': 8 },
    says: '[top_k] warning all-experts: `balance: top_k` is always 1 and balances nothing, because with `top_k` 8 every unit uses each of the 8 experts; use a smaller `top_k`, or `balance: gshard_first` or `entropy`.',
  },
  {
    of: 'all-experts',
    changes: { ...router({ renormalize: true }), 'model.moe.top_k': 8 },
    says: '[renormalize] warning all-experts: `moe.router.renormalize: true` has no effect, because with `top_k` 8 every unit uses each of the 8 experts, whose softmax weights have the sum 1 already; use a smaller `top_k`, or remove it.',
  },
];
