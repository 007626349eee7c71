import type { KeyFacts } from './keyFact';

export const attentionFacts: KeyFacts = {
  'model.attention.heads': {
    formula: 'head_width = d / heads where it is not stated; projections = (2 heads + 2 kv_heads) head_width d',
    effect: 'With head_width = d / heads the count stays as it is; with a stated head_width all of attention grows with it.',
    source: '1706.03762 section 3.2.2',
  },
  'model.attention.kv_heads': {
    formula: 'keys and values = 2 kv_heads head_width d parameters and MACs per token',
    effect: 'Fewer save their projections; the core keeps its MACs, since every query head still scores every token.',
    source: '2305.13245',
  },
  'model.attention.head_width': {
    formula: 'projections = (2 heads + 2 kv_heads) head_width d; core = 2 T heads head_width',
    effect: 'Projections and core grow in proportion. SwitchHead has few wide heads.',
    source: '1706.03762 section 3.2.2',
  },
  'model.attention.qk_norm': {
    formula: 'head: 2 head_width parameters; full: (heads + kv_heads) head_width',
    effect: 'Hardly any parameters, no MACs. Keeps logits of attention in range at high learning rates.',
    source: '2409.02060 (full), 2505.09388 (head)',
  },
  'model.attention.position': {
    formula: 'xl: d * heads * head_width parameters for relative positions in each layer, and a cached chunk: T more keys for each query',
    effect: 'rope and none cost nothing. xl doubles the core and adds a projection.',
    source: '2104.09864; 1901.02860 section 3.3',
  },
  'model.attention.rope_base': {
    formula: 'angle i of a token = position * rope_base^(-2 i / rotated channels)',
    effect: 'No cost. Larger bases turn more slowly, which suits longer contexts.',
    source: '2104.09864',
  },
  'model.attention.rope_share': {
    formula: 'rotated channels = 2 floor(rope_share * head_width / 2)',
    effect: 'No cost.',
    source: '2312.07987, released code: half',
  },
  'model.attention.moe.experts': {
    formula:
      'each projection with experts = heads E head_width d parameters; MACs do not depend on E, but for the selections: heads E d per side',
    effect: 'Parameters of attention grow, its MACs hardly.',
    source: '2312.07987 section 2.2',
  },
  'model.attention.moe.top_k': {
    formula: 'each projection with experts = heads k head_width d MACs per token',
    effect: 'MACs of these projections grow in proportion, parameters stay.',
    source: '2312.07987 section 2.2',
  },
  'model.attention.moe.projections': {
    formula: 'dense: heads head_width d; with experts: E times the parameters, k times the MACs',
    effect: 'The paper finds value and output best; queries and keys with experts cost more and gain nothing.',
    source: '2312.07987 Table 6',
  },
  'model.attention.moe.shared_selection': {
    formula: 'selections = heads E d per side, once in place of twice',
    effect: 'Halves what chooses experts, in parameters and MACs.',
    source: '2312.07987 section 3.6',
  },
  'model.attention.moe.expert_dropout': {
    formula: 'score = -inf with this probability, before the choice',
    effect: 'No cost. In training only.',
    source: '2310.10837 section 5',
  },
};
