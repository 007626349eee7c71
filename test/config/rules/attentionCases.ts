import type { Case } from './changes';

export const attentionCases: readonly Case[] = [
  {
    of: 'attention-heads',
    changes: { 'model.attention.heads': 5 },
    says: '[5] error attention-heads: `model.d_model` 96 is not divisible by `attention.heads` 5; use 4 or 6 heads, or a width of 95 or 100.',
  },
  {
    of: 'odd-head-width',
    changes: { 'model.attention': { heads: 4, head_width: 23 } },
    says: '[23] error odd-head-width: `attention.head_width` 23 is odd, but rope turns pairs of channels; use 22 or 24, or a `rope_share` below 1, or `position: none`.',
  },
  {
    of: 'odd-head-width',
    changes: { 'model.attention.heads': 32 },
    says: '[32] error odd-head-width: The head width `d_model / attention.heads` = 96 / 32 = 3 is odd, but rope turns pairs of channels; use an even head width, or a `rope_share` below 1, or `position: none`.',
  },
  {
    of: 'kv-heads',
    changes: { 'model.attention': { heads: 4, kv_heads: 3 } },
    says: '[3] error kv-heads: `attention.heads` 4 is not divisible by `kv_heads` 3, so queries cannot share keys and values evenly; use 2 or 4 of them.',
  },
  {
    of: 'only-for-rope',
    changes: { 'model.attention': { heads: 4, position: 'none', rope_base: 500 } },
    says: '[rope_base] warning only-for-rope: `attention.rope_base: 500` has no effect, because there is no rotation with `position: none`; use `position: rope`, or remove it.',
  },
];
