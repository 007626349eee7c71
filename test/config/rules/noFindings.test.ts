import { describe, expect, it } from 'vitest';
import type { Changes } from './changes';
import { attention, attentionExperts, dynamic, findings, masked, multiHead, productKeys, router, topP, withoutHead } from './changes';

describe('what is right', () => {
  it.each<[string, Changes]>([
    ['a head width of its own', { 'model.attention': { heads: 5, head_width: 32, kv_heads: 1 } }],
    ['a list of layers', { 'model.moe.layers': [0, 3] }],
    [
      'expert choice of an encoder',
      { ...router({ select: 'expert_choice', balance: 'none' }), 'model.objective': 'masked', 'model.vocabulary': 257 },
    ],
    ['a loss beside the bias of which only its measure is wanted', router({ select: 'top_k_biased', balance: 'loss_free' })],
    ['no balance of all experts', { ...router({ balance: 'none' }), 'model.moe.top_k': 8 }],
    ['no balance where no layer is routed by choice', { ...router({ select: 'expert_choice', balance: 'none' }), ...masked }],
    ['loss-free balancing', router({ select: 'top_k_biased', balance: 'loss_free', bias_rate: 0.01, bias_update: 'error' })],
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
    ['a model that is only counted, of any size', { 'model.moe.experts': 1_048_576, 'model.moe.expert_width': 1_048_576, data: undefined }],
    ['a mixture of all experts', { 'model.moe.top_k': 8 }],
    ['sigmoids of all experts, scaled', { ...router({ score: 'sigmoid', renormalize: true }), 'model.moe.top_k': 8 }],
    [
      'a capacity that only the fewer experts of iso-MAC could fill',
      {
        ...router({ capacity_factor: 3.9, capacity_in_evaluation: true, capacity_priority: 'position' }),
        ...withoutHead,
        'model.moe.heads': 4,
      },
    ],
    ['a window of one token, causal', { 'model.context': 1 }],
    ['a masked model that sees random tokens', { ...masked, 'train.masking': { mask_share: 0, random_share: 0.5 } }],
    ['iso-MAC', { ...multiHead, 'model.moe.head_layer': false, 'model.moe.merge_layer': false, 'model.moe.ablation': 'iso_mac' }],
    ['BitNet with its projections', { ...multiHead, 'model.bitnet': { weights: 'binary', quantize_head_merge: true } }],
    [
      'shares that are 1 together',
      { 'model.objective': 'masked', 'model.vocabulary': 257, 'train.masking': { mask_share: 0.9, random_share: 0.1 } },
    ],
    ['a constant rate below the default minimum', { 'model.d_model': 4096, 'train.schedule': 'constant', 'train.learning_rate': 0.00005 }],
    [
      'keys with their neutral values',
      router({ balance: 'gshard_first', balance_scope: 'micro', capacity_in_evaluation: false, renormalize: false }),
    ],
    ['an odd head of which half is rotated', attention({ head_width: 23, rope_share: 0.5 })],
    ['shared keys with experts for the output alone', attentionExperts({ projections: ['output'] }, { kv_heads: 2 })],
    [
      'SwitchHead over a cached chunk, every projection with experts, one selection',
      attentionExperts(
        { expert_dropout: 0.1, shared_selection: true, projections: ['query', 'key', 'value', 'output'] },
        { position: 'xl' },
      ),
    ],
    ['a single expert in each head, which is a gate', attentionExperts({ experts: 1, top_k: 1 })],
    ['sigma-MoE', router({ expert_dropout: 0.1, score: 'sigmoid', balance: 'entropy', balance_weight: 0.001 })],
    ['dynamic allocation', dynamic()],
    ['the importance of an encoder, with a budget', { ...dynamic({ importance: 'cls_row', budget: true }), ...masked }],
    [
      'one expert on average, more for some',
      {
        ...dynamic({ renormalize: true, capacity_factor: 1, capacity_priority: 'position', capacity_in_evaluation: true }),
        'model.moe.top_k': 1,
      },
    ],
    ['all experts at most', { ...dynamic({ k_min: 2, expert_dropout: 0.1 }), 'model.moe.top_k': 8 }],
    ['as many experts at most as iso-MAC leaves', { ...withoutHead, ...dynamic({ k_max: 7 }) }],
    ['top-p', topP({ k_max: 4 })],
    ['PEER', productKeys({})],
    ['rates that are used: 2.5e-4 of SwitchHead', { ...attentionExperts({}), 'model.d_model': 1024, 'train.learning_rate': 0.00025 }],
    ['BERT, 1e-4', { ...masked, 'model.d_model': 768, 'train.learning_rate': 0.0001 }],
    ['OLMoE, 4e-4', { 'model.d_model': 2048, 'train.learning_rate': 0.0004 }],
    ['as many retrievals as four times its experts', productKeys({ experts: 16, heads: 16 })],
    ['product-key memory in several layers', productKeys({ kind: 'pkm', layers: [0, 3] })],
    ['product keys beside routed layers', { 'model.product_keys': { experts: 64, heads: 2, top_k: 4, layers: [2] } }],
    ['the sigmoid of a single score', productKeys({ top_k: 1, score: 'sigmoid' })],
    ['any decay of a dense optimiser', { ...productKeys({ optimizer: 'dense' }), 'train.weight_decay': 2000 }],
    [
      'as the code of 2312.07987 begins',
      { 'model.initialization': 'fan_in', 'model.norm': 'layer', 'model.scale_embeddings': true, 'model.tie_embeddings': false },
    ],
  ])('%s', (_, changes) => {
    expect(findings(changes)).toEqual([]);
  });
});
