import { balanceOverLayers } from './balanceConventions';
import type { Preset } from './preset';

const [layers, topK] = [48, 8];

export const qwen3: Preset = {
  id: 'qwen3-30b-a3b',
  title: 'Qwen3 30B-A3B',
  paper: 'Qwen3 (2505.09388)',
  source:
    'the technical report (128 experts, 8 chosen, no shared expert, global-batch balance), Qwen3MoeConfig of huggingface/transformers (008e574), and a public training script of the model (slime, scripts/models/qwen3-30B-A3B.sh)',
  gaps: [
    'How it was pre-trained is not published in numbers: there is no `train` section.',
    "The balance coefficient of 0.001 is that of the public config. The public code's load_balancing_loss_func puts the gates of all layers together and multiplies their common F, summed over the k choices, by their common P, so that imbalances of layers may cancel. Here each layer has a loss of its own with the weight 0.001 top_k / layers, which is the nearest form and not that loss. The global scope is the report's.",
    'That chosen weights are scaled to sum 1 (norm_topk_prob) is commonly quoted of the released config.',
  ],
  flags: ['The active parameters in print are rounded down.'],
  published: {
    total: { printed: '30.5 B', where: 'the model card' },
    active: { printed: '3.3 B', where: 'the model card' },
  },
  perplexity: [],
  claims: [],
  experiment: {
    name: 'Qwen3 30B-A3B',
    model: {
      vocabulary: 151_936,
      d_model: 2048,
      layers,
      context: 32_768,
      tie_embeddings: false,
      attention: { heads: 32, kv_heads: 4, head_width: 128, qk_norm: 'head', rope_base: 1_000_000 },
      ffn: { width: 6144, activation: 'swiglu' },
      moe: {
        kind: 'smoe',
        every: 1,
        experts: 128,
        top_k: topK,
        expert_width: 768,
        router: {
          renormalize: true,
          balance: 'top_k',
          balance_scope: 'global',
          balance_weight: balanceOverLayers(0.001 * topK, layers),
        },
      },
    },
  },
};
