import type { Case } from './changes';
import { attention, masked, notComparable, router } from './changes';

export const positionCases: readonly Case[] = [
  {
    of: 'only-for-rope',
    changes: attention({ position: 'xl', rope_base: 500, rope_share: 0.5 }),
    says: '[rope_base] warning only-for-rope: `attention.rope_base: 500` and `attention.rope_share: 0.5` have no effect, because there is no rotation with `position: xl`; use `position: rope`, or remove them.',
  },
  {
    of: 'rope-share',
    changes: attention({ rope_share: 0.01 }),
    says: '[0.01] warning rope-share: `attention.rope_share` 0.01 of a head that is 24 wide is less than a pair of channels, so nothing is rotated and attention knows no positions; use at least 0.084, or say `position: none`.',
  },
  {
    of: 'rope-share',
    changes: attention({ rope_share: 0.01, head_width: 12 }),
    says: '[0.01] warning rope-share: `attention.rope_share` 0.01 of a head that is 12 wide is less than a pair of channels, so nothing is rotated and attention knows no positions; use at least 0.167, or say `position: none`.',
  },
  {
    of: 'rope-share',
    changes: { 'model.attention': { heads: 96, rope_share: 0.5 } },
    says: '[0.5] warning rope-share: `attention.rope_share` 0.5 of a head that is 1 wide is less than a pair of channels, so nothing is rotated and attention knows no positions; use wider heads, or say `position: none`.',
  },
  {
    of: 'xl-masked',
    changes: { ...attention({ position: 'xl' }), ...masked },
    says: '[xl] error xl-masked: `position: xl` is for `objective: causal`: its distances and its cache reach back only, and an encoder sees both sides; use `position: rope` or `none`.',
  },
  {
    of: 'xl-odd-width',
    changes: { 'model.attention': { heads: 3, position: 'xl' }, 'model.d_model': 99 },
    says: '[99] error xl-odd-width: With `position: xl` `model.d_model` 99 must be even, because half of the channels of a position are sines and half cosines; use 98 or 100.',
  },
  {
    of: 'xl-padding',
    changes: {
      ...attention({ position: 'xl' }),
      ...router({ capacity_factor: 1.25, capacity_in_evaluation: true, capacity_priority: 'position' }),
    },
    says: '[xl] warning xl-padding: With `position: xl` the last window of a validation text is filled up, and with `capacity_in_evaluation` the filling competes with the text for places in experts, which changes the perplexity of that window; use `select: top_k` without a capacity in evaluation, or `position: rope`.',
  },
  {
    of: 'xl-padding',
    changes: { ...attention({ position: 'xl' }), ...router({ select: 'expert_choice', balance: 'none' }) },
    says: [
      '[xl] warning xl-padding: With `position: xl` the last window of a validation text is filled up, and with `select: expert_choice` the filling competes with the text for places in experts, which changes the perplexity of that window; use `select: top_k` without a capacity in evaluation, or `position: rope`.',
      `[expert_choice] warning not-causal: With \`select: expert_choice\` whether an expert takes a token depends on later tokens, ${notComparable}; use \`select: top_k\` for that.`,
    ],
  },
];
