import type { KeyFacts } from './keyFact';

/** Keys of `model` itself, of its dense feed-forward layers and of BitLinear. */
export const modelFacts: KeyFacts = {
  'model.vocabulary': {
    formula: 'embedding = vocabulary * d parameters; logits = d * vocabulary MACs per token',
    effect: 'Costs the table once, or twice with `tie_embeddings: false`. Perplexities of different tokenizers do not compare.',
    source: '1706.03762 section 3.4',
  },
  'model.d_model': {
    formula: 'feed-forward = n d f; attention = 4 d^2 where heads * head_width = d; head and merge layer = d^2 each',
    effect: 'Every matrix of the model has it as a side, so parameters and MACs grow with its square where widths follow it.',
    source: '1706.03762 section 3',
  },
  'model.layers': {
    formula: 'total = embedding + sum over layers of (attention + feed-forward) + norms',
    effect: 'Parameters and MACs of the layers, and the memory of their activations, grow in proportion.',
    source: '1706.03762 section 3',
  },
  'model.context': {
    formula: 'attention core = 2 T heads head_width MACs per token, in each layer',
    effect: 'Scores and their products with the values grow with it, per token; nothing else does. It has no parameters.',
    source: '1706.03762 section 3.2',
  },
  'model.objective': {
    formula: 'causal: -log p(x_t | before t), every t; masked: -log p(x_t | what is not hidden), hidden t',
    effect: 'Costs the same either way. A masked model scores hidden tokens only: its perplexity is not that of a causal one.',
    source: '1810.04805 section 3.1',
  },
  'model.initial_std': {
    formula: 'std = initial_std; of matrices that write into the residual stream initial_std / sqrt(2 layers)',
    effect: 'No cost. Too much makes the first steps unstable, too little makes a narrow model slow to start.',
    source: '1909.08053 section 4.2',
  },
  'model.initialization': {
    formula: 'fan_in: std = sqrt(2 / (layers * inputs))',
    effect: 'No cost. Models that are compared should start in the same way, unless their papers do not.',
    source: '2310.10837 and 2312.07987, released code',
  },
  'model.norm': {
    formula: 'rms: d parameters each; layer: 2 d; there are 2 layers + 1 of them',
    effect: 'A few thousand parameters and no MACs by the convention here.',
    source: '1910.07467; 1607.06450',
  },
  'model.scale_embeddings': {
    formula: 'x = sqrt(d) * embedding',
    effect: 'No cost. Changes how much the first residual weighs against the layers.',
    source: '1706.03762 section 3.4',
  },
  'model.tie_embeddings': {
    formula: 'untied: vocabulary * d parameters more',
    effect: 'MACs stay as they are. With a small model and a large vocabulary most parameters may be here.',
    source: '1608.05859',
  },
  'model.ffn.width': {
    formula: 'n d f parameters and MACs per token, in each layer that is not routed (n = 3 for swiglu, else 2)',
    effect: 'The cost of the dense layers. It does not reach the experts: those have `expert_width`.',
    source: '2411.16205 section 3: 2048 at d = 768',
  },
  'model.ffn.activation': {
    formula: 'n = 3 for swiglu, 2 for relu and gelu',
    effect:
      'Feed-forward layers and experts cost half as much again with swiglu: equations of a paper for two matrices do not hold for three.',
    source: '2002.05202; 2411.16205 Eq. 6-9 count two matrices',
  },
  'model.bitnet.weights': {
    formula: 'ternary: s * round(clip(W / s, -1, 1)), s = mean |W|; binary: s * sign(W - mean W)',
    effect: 'Counts of parameters and MACs stay as they are: a MAC is one whatever the bits of its operands.',
    source: '2402.17764 Eq. 1-3; 2310.11453 Eq. 1-3',
  },
  'model.bitnet.activation_bits': {
    formula: 'round(x * 127 / max |x|), per token',
    effect: 'No cost here. `none` keeps what the weights lose apart from what the inputs lose.',
    source: '2402.17764 section 2',
  },
  'model.bitnet.norm': {
    effect: 'No parameters and no MACs. Without it quantised layers see inputs of any scale.',
    source: '2310.11453',
  },
  'model.bitnet.quantize_head_merge': {
    effect: 'No cost. The released MH-MoE code keeps both layers in full precision, and its Table 3 with them.',
    source: '2411.16205 Table 3, released code',
  },
};
