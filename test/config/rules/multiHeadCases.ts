import type { Case } from './changes';
import { multiHead } from './changes';

export const multiHeadCases: readonly Case[] = [
  {
    of: 'moe-heads',
    changes: { ...multiHead, 'model.moe.heads': 5 },
    says: '[5] error moe-heads: `model.d_model` 96 is not divisible by `moe.heads` 5, so a token cannot be split into that many sub-tokens; use 4 or 6 heads, or a width of 95 or 100.',
  },
  {
    of: 'only-for-mh-moe',
    changes: { 'model.moe.inner_residual': true, 'model.moe.projection_bias': true, 'model.moe.ablation': 'iso_mac' },
    says: '[projection_bias] warning only-for-mh-moe: `moe.projection_bias: true`, `moe.inner_residual: true` and `moe.ablation: iso_mac` have no effect, because `kind: smoe` routes whole tokens; use `kind: mh-moe`, or remove them.',
  },
  {
    of: 'iso-mac-width',
    changes: { ...multiHead, 'model.d_model': 80, 'model.moe.head_layer': false, 'model.moe.ablation': 'iso_mac' },
    says: '[iso_mac] error iso-mac-width: `ablation: iso_mac` would widen each expert by 1 d_model / (3 top_k) = 80 / 6, which is no whole number; use a `d_model` that 6 divides, or `ablation: remove_only`.',
  },
  {
    of: 'iso-mac-width',
    changes: { ...multiHead, 'model.moe.top_k': 3, 'model.moe.head_layer': false, 'model.moe.ablation': 'iso_mac' },
    says: '[iso_mac] error iso-mac-width: `ablation: iso_mac` would widen each expert by 1 d_model / (3 top_k) = 96 / 9, which is no whole number; use a `top_k` of 2, or a `d_model` that 9 divides, or `ablation: remove_only`.',
  },
  {
    of: 'iso-mac-width',
    changes: {
      ...multiHead,
      'model.d_model': 80,
      'model.moe.head_layer': false,
      'model.moe.ablation': 'iso_mac',
      'model.moe.experts': 1_048_576,
    },
    says: '[iso_mac] error iso-mac-width: `ablation: iso_mac` would widen each expert by 1 d_model / (3 top_k) = 80 / 6, which is no whole number; use a `d_model` that 6 divides, or `ablation: remove_only`.',
  },
  {
    of: 'ablation-without-effect',
    changes: { ...multiHead, 'model.moe.ablation': 'iso_mac' },
    says: '[ablation] warning ablation-without-effect: `moe.ablation: iso_mac` has no effect, because both the head and the merge layer are there; say `head_layer: false` or `merge_layer: false`, or remove it.',
  },
  {
    of: 'projection-bias',
    changes: { ...multiHead, 'model.moe.head_layer': false, 'model.moe.merge_layer': false, 'model.moe.projection_bias': true },
    says: '[projection_bias] warning projection-bias: `moe.projection_bias: true` has no effect, because both the head and the merge layer are left out; keep one of them, or remove it.',
  },
  {
    of: 'quantize-head-merge',
    changes: { 'model.bitnet': { quantize_head_merge: true } },
    says: '[quantize_head_merge] warning quantize-head-merge: `bitnet.quantize_head_merge: true` has no effect, because there is neither a head nor a merge layer; use `kind: mh-moe` with one of them, or remove it.',
  },
  {
    of: 'mh-moe-one-head',
    changes: { 'model.moe.kind': 'mh-moe' },
    says: '[mh-moe] warning mh-moe-one-head: `kind: mh-moe` without `heads` has one head and splits no token, so this is an SMoE with two projections around it, as the released command of 2411.16205 trains, which passes no number of heads; state `heads` of at least 2, or use `kind: smoe`.',
  },
  {
    of: 'mh-moe-one-head',
    changes: { 'model.moe.kind': 'mh-moe', 'model.moe.heads': 1, 'model.moe.head_layer': false, 'model.moe.merge_layer': false },
    says: '[1] warning mh-moe-one-head: `kind: mh-moe` with `heads: 1` splits no token, so this is an SMoE with no projections around it, as the released command of 2411.16205 trains, which passes no number of heads; use `heads` of at least 2, or use `kind: smoe`.',
  },
];
