import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { rules } from '../../src/config/semanticRules';
import { load, shown } from './memoryFiles';

/** A config without findings, of which each case changes a few values. */
const base = `model:
  vocabulary: 256
  d_model: 96
  layers: 4
  context: 16
  attention: { heads: 4 }
  ffn: { width: 64 }
  moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 32 }
train: { steps: 10, warmup: 1, batch_tokens: 64, micro_batch: 2 }
data: { train: [a.txt] }
`;

type Changes = Readonly<Record<string, unknown>>;

/** The base with values put in, or taken out, by their dotted paths. */
function changed(changes: Changes): string {
  const document = parseDocument(base);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    if (value === undefined) document.deleteIn(keys);
    else document.setIn(keys, document.createNode(value, { flow: true }));
  }
  return document.toString({ lineWidth: 0 });
}

function findings(changes: Changes): string[] {
  const text = changed(changes);
  // Without file and line: what is underlined, and what is said.
  return load(text).findings.map((finding) => shown(finding, { 'a.moe.yaml': text }).replace(/^\S+ \d+:\d+ /, ''));
}

const multiHead = { 'model.moe.kind': 'mh-moe', 'model.moe.heads': 2 };
const router = (options: Readonly<Record<string, unknown>>): Changes => ({ 'model.moe.router': options });
/** d 96, top_k 2, width 32: without its head layer the experts become 48 wide, and 8 of them 6. */
const withoutHead = { ...multiHead, 'model.moe.head_layer': false, 'model.moe.ablation': 'iso_mac' };
const masked = { 'model.objective': 'masked', 'model.vocabulary': 257 };
const notComparable = "so this model's perplexity cannot be compared with that of a causal one";

interface Case {
  readonly of: string;
  readonly changes: Changes;
  readonly says: string;
}

const cases: readonly Case[] = [
  {
    of: 'attention-heads',
    changes: { 'model.attention.heads': 5 },
    says: '[5] error attention-heads: `model.d_model` 96 is not divisible by `attention.heads` 5; use 4 or 6 heads, or a width of 95 or 100.',
  },
  {
    of: 'odd-head-width',
    changes: { 'model.attention': { heads: 4, head_width: 23 } },
    says: '[23] error odd-head-width: `attention.head_width` 23 is odd, but rope turns pairs of channels; use 22 or 24, or `position: none`.',
  },
  {
    of: 'odd-head-width',
    changes: { 'model.attention.heads': 32 },
    says: '[32] error odd-head-width: The head width `d_model / attention.heads` = 96 / 32 = 3 is odd, but rope turns pairs of channels; use an even head width or `position: none`.',
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
    of: 'top-k-biased-balance',
    changes: router({ select: 'top_k_biased' }),
    says: '[top_k_biased] error top-k-biased-balance: `select: top_k_biased` balances by its bias, but `balance` is `gshard_first` where absent; add `balance: loss_free`, or name the loss that you want beside the bias.',
  },
  {
    of: 'top-k-biased-balance',
    changes: router({ select: 'top_k_biased', balance: 'none' }),
    says: '[none] error top-k-biased-balance: `select: top_k_biased` balances by its bias, so `balance: none` contradicts it; use `balance: loss_free`, or `select: top_k`.',
  },
  {
    of: 'loss-free-select',
    changes: router({ balance: 'loss_free' }),
    says: '[loss_free] error loss-free-select: `balance: loss_free` balances by the bias of `select: top_k_biased`, which `select: top_k` does not have; add `select: top_k_biased`.',
  },
  {
    of: 'switch-top-k',
    changes: router({ balance: 'switch' }),
    says: '[switch] error switch-top-k: `balance: switch` is for `top_k: 1`, and here it is 2; use `balance: top_k` to count all choices, or `gshard_first` to count the first.',
  },
  {
    of: 'balance-without-loss',
    changes: router({ balance: 'none', balance_weight: 0.02, balance_scope: 'global' }),
    says: '[balance_weight] warning balance-without-loss: `moe.router.balance_weight: 0.02` and `moe.router.balance_scope: global` have no effect, because `balance: none` has no loss; name a balance loss, or remove them.',
  },
  {
    of: 'balance-weight-0',
    changes: router({ balance: 'entropy', balance_weight: 0 }),
    says: '[0] warning balance-weight-0: `balance: entropy` is only measured, because `balance_weight` is 0; give it a weight above 0, or use `balance: none`.',
  },
  {
    of: 'balance-weight-0',
    changes: router({ select: 'top_k_biased', balance: 'top_k', balance_weight: 0 }),
    says: '[0] warning balance-weight-0: `balance: top_k` is only measured, because `balance_weight` is 0; give it a weight above 0, or use `balance: loss_free`.',
  },
  {
    of: 'global-weight-0',
    changes: router({ balance_weight: 0, balance_scope: 'global' }),
    says: '[balance_scope] warning global-weight-0: `moe.router.balance_scope: global` changes only what is measured, because `balance_weight` is 0; give it a weight above 0, or remove the scope.',
  },
  {
    of: 'balance-without-loss',
    changes: {
      ...router({ select: 'expert_choice', balance: 'none', balance_weight: 0.1 }),
      'model.objective': 'masked',
      'model.vocabulary': 257,
    },
    says: '[balance_weight] warning balance-without-loss: `moe.router.balance_weight: 0.1` has no effect, because `balance: none` has no loss; use `select: top_k` with a balance loss, or remove it.',
  },
  {
    of: 'frozen-router',
    changes: router({ frozen: true, z_loss_weight: 0.001 }),
    says: '[frozen] warning frozen-router: With `router.frozen` the router stays as it was initialised, which is the control experiment for what routing learns; its losses still pull at the layers below, so add `balance: none` and `z_loss_weight: 0`.',
  },
  {
    of: 'global-of-one',
    changes: { ...router({ balance_scope: 'global' }), 'train.batch_tokens': 32 },
    says: '[balance_scope] warning global-of-one: `moe.router.balance_scope: global` has no effect, because `batch_tokens` is one microbatch; accumulate over several, or remove it.',
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
    of: 'only-with-capacity',
    changes: router({ capacity_priority: 'position', capacity_in_evaluation: true }),
    says: '[capacity_priority] warning only-with-capacity: `moe.router.capacity_priority: position` and `moe.router.capacity_in_evaluation: true` have no effect, because without `capacity_factor` nothing is dropped; add `capacity_factor`, or remove them.',
  },
  {
    of: 'ample-capacity',
    changes: router({ capacity_factor: 4 }),
    says: '[capacity_factor] warning ample-capacity: `moe.router.capacity_factor: 4` has no effect, because from `experts` / `top_k` = 4 on an expert could take every unit; use less, or remove it.',
  },
  {
    of: 'ample-capacity',
    changes: { ...withoutHead, ...router({ capacity_factor: 3.5, capacity_in_evaluation: true }) },
    says: '[capacity_factor] warning ample-capacity: `moe.router.capacity_factor: 3.5` has no effect, because from the 7 experts of `ablation: iso_mac` / `top_k` = 3.5 on an expert could take every unit; use less, or remove it.',
  },
  {
    of: 'capacity-priority-top-1',
    changes: { ...router({ capacity_factor: 1, capacity_priority: 'position' }), 'model.moe.top_k': 1 },
    says: '[capacity_priority] warning capacity-priority-top-1: `moe.router.capacity_priority: position` has no effect, because with `top_k: 1` every choice is a first one; use a `top_k` of at least 2, or remove it.',
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
  {
    of: 'quantize-head-merge',
    changes: { 'model.bitnet': { quantize_head_merge: true } },
    says: '[quantize_head_merge] warning quantize-head-merge: `bitnet.quantize_head_merge: true` has no effect, because there is neither a head nor a merge layer; use `kind: mh-moe` with one of them, or remove it.',
  },
  {
    of: 'tensor-size',
    changes: { 'model.vocabulary': 16_777_216, 'model.d_model': 960 },
    says: '[16777216] error tensor-size: A tensor of `vocabulary` * `d_model` = 16,106,127,360 values is too large to be trained, with at most 4,294,967,296; make it smaller, or leave out `data` to count the model only.',
  },
  {
    of: 'tensor-size',
    changes: { ...withoutHead, 'model.moe.experts': 1_048_576, 'model.moe.expert_width': 1024 },
    says: '[1048576] error tensor-size: A tensor of experts * `d_model` / `heads` * expert width = 51,539,604,480 values is too large to be trained, with at most 4,294,967,296; make it smaller, or leave out `data` to count the model only.',
  },
  {
    of: 'vocabulary',
    changes: { 'model.objective': 'masked' },
    says: '[256] error vocabulary: `model.vocabulary` 256 is too small for `tokenizer: bytes` with `objective: masked`, which has 256 tokens and the mask token; use at least 257.',
  },
  {
    of: 'vocabulary',
    changes: { 'model.vocabulary': 255 },
    says: '[255] error vocabulary: `model.vocabulary` 255 is too small for `tokenizer: bytes`, which has 256 tokens; use at least 256.',
  },
  {
    of: 'masking-shares',
    changes: { 'model.objective': 'masked', 'model.vocabulary': 257, 'train.masking': { mask_share: 0.7, random_share: 0.4 } },
    says: '[0.4] error masking-shares: `masking.mask_share` 0.7 and `random_share` 0.4 are more than 1 together; use a `random_share` of at most 0.3.',
  },
  {
    of: 'masking-copies',
    changes: { ...masked, 'train.masking': { mask_share: 0, random_share: 0 } },
    says: '[0] warning masking-copies: With `masking.mask_share` and `random_share` 0 every token stays as it is, so the model only learns to copy what it sees; use a `mask_share` above 0.',
  },
  {
    of: 'masked-context-1',
    changes: { ...masked, 'model.context': 1 },
    says: '[1] warning masked-context-1: With `objective: masked` and `context: 1` there are no other tokens to predict a hidden one from; use a `context` of at least 2.',
  },
  {
    of: 'only-for-masked',
    changes: { 'train.masking': { probability: 0.3 } },
    says: '[probability] warning only-for-masked: `train.masking.probability: 0.3` has no effect, because `objective: causal` hides no tokens; use `objective: masked`, or remove it.',
  },
  {
    of: 'batch-tokens',
    changes: { 'train.batch_tokens': 60 },
    says: '[60] error batch-tokens: `train.batch_tokens` 60 is not divisible by `micro_batch * context` = 2 * 16 = 32; use 32 or 64.',
  },
  {
    of: 'warmup',
    changes: { 'train.warmup': 10 },
    says: '[10] warning warmup: `train.warmup` 10 covers all 10 steps, so the learning rate never reaches its peak and its schedule; use less than 10.',
  },
  {
    of: 'min-learning-rate',
    changes: { 'train.learning_rate': 0.00001 },
    says: '[0.00001] error min-learning-rate: `train.min_learning_rate` 0.0001 is above `learning_rate` 0.00001; use at most 0.00001.',
  },
  {
    of: 'min-learning-rate-constant',
    changes: { 'train.schedule': 'constant', 'train.min_learning_rate': 0.0002 },
    says: '[min_learning_rate] warning min-learning-rate-constant: `train.min_learning_rate: 0.0002` has no effect, because `schedule: constant` never falls; use `schedule: cosine` or `linear`, or remove it.',
  },
];

describe('values together', () => {
  it('are fine in the base', () => {
    expect(findings({})).toEqual([]);
  });

  it.each(cases)('$of: $changes', ({ changes, says }) => {
    expect(findings(changes)).toEqual([says]);
  });

  it('each rule has a case', () => {
    const told = new Set([...cases.map(({ of }) => of), 'frozen-temperature']);
    expect(rules.map(({ code }) => code).filter((code) => !told.has(code))).toEqual([]);
  });

  it('a frozen temperature is told beside the frozen router', () => {
    expect(findings(router({ type: 'cosine', frozen: true, learn_temperature: true, balance: 'none' }))).toEqual([
      expect.stringContaining('[frozen] warning frozen-router: '),
      expect.stringContaining('[learn_temperature] warning frozen-temperature: '),
    ]);
  });
});

describe('what is right', () => {
  it.each<[string, Changes]>([
    ['a head width of its own', { 'model.attention': { heads: 5, head_width: 32, kv_heads: 1 } }],
    ['a list of layers', { 'model.moe.layers': [0, 3] }],
    [
      'expert choice of an encoder',
      { ...router({ select: 'expert_choice', balance: 'none' }), 'model.objective': 'masked', 'model.vocabulary': 257 },
    ],
    [
      'a loss beside the bias (DeepSeek-V3)',
      router({ select: 'top_k_biased', balance: 'top_k', balance_weight: 0.0001, score: 'sigmoid' }),
    ],
    ['loss-free balancing', router({ select: 'top_k_biased', balance: 'loss_free', bias_rate: 0.01, bias_update: 'error' })],
    ['capacity in training', router({ capacity_factor: 1.25 })],
    [
      'capacity by position in evaluation too',
      router({ capacity_factor: 1.25, capacity_in_evaluation: true, capacity_priority: 'position' }),
    ],
    [
      'capacity of single choices in evaluation too',
      { ...router({ capacity_factor: 1.25, capacity_in_evaluation: true }), 'model.moe.top_k': 1 },
    ],
    ['a cosine router', router({ type: 'cosine', dimension: 8, temperature: 0.07, learn_temperature: false })],
    ['the global balance of several microbatches', router({ balance: 'top_k', balance_scope: 'global' })],
    ['no balance by a weight of 0', router({ balance_weight: 0 })],
    ['a model that is only counted, of any size', { 'model.moe.experts': 1_048_576, 'model.moe.expert_width': 1_048_576, data: undefined }],
    ['a mixture of all experts', { 'model.moe.top_k': 8 }],
    ['sigmoids of all experts, scaled', { ...router({ score: 'sigmoid', renormalize: true }), 'model.moe.top_k': 8 }],
    [
      'a capacity that only the fewer experts of iso-MAC could fill',
      { ...router({ capacity_factor: 3.9 }), ...withoutHead, 'model.moe.heads': 4 },
    ],
    ['a window of one token, causal', { 'model.context': 1 }],
    ['a masked model that sees random tokens', { ...masked, 'train.masking': { mask_share: 0, random_share: 0.5 } }],
    ['iso-MAC', { ...multiHead, 'model.moe.head_layer': false, 'model.moe.merge_layer': false, 'model.moe.ablation': 'iso_mac' }],
    ['BitNet with its projections', { ...multiHead, 'model.bitnet': { weights: 'binary', quantize_head_merge: true } }],
    [
      'shares that are 1 together',
      { 'model.objective': 'masked', 'model.vocabulary': 257, 'train.masking': { mask_share: 0.9, random_share: 0.1 } },
    ],
    ['a constant rate below the default minimum', { 'train.schedule': 'constant', 'train.learning_rate': 0.00001 }],
    [
      'keys with their neutral values',
      router({ balance: 'none', balance_scope: 'micro', capacity_in_evaluation: false, renormalize: false }),
    ],
  ])('%s', (_, changes) => {
    expect(findings(changes)).toEqual([]);
  });
});

it('a variant that takes an effect away is told where it does so', () => {
  const texts = {
    'base.moe.yaml': changed(router({ type: 'cosine', dimension: 8 })),
    'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { moe: { router: { type: linear } } }\n',
  };
  expect(load(texts).findings.map((finding) => shown(finding, texts))).toEqual([
    'a.moe.yaml 2:33 [linear] warning only-for-cosine: `moe.router.dimension: 8` has no effect, because a linear router has neither a reduced input nor a temperature; use `type: cosine`, or remove it.',
  ]);
});
