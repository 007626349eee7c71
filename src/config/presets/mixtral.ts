import { balanceOverLayers } from './balanceConventions';
import type { Preset } from './preset';

const [layers, topK] = [32, 2];

export const mixtral: Preset = {
  id: 'mixtral-8x7b',
  title: 'Mixtral 8x7B',
  paper: 'Mixtral (2401.04088)',
  source: 'the public config.json of mistralai/Mixtral-8x7B-v0.1, as MixtralConfig of huggingface/transformers (008e574) documents it',
  gaps: [
    'How it was trained is not published: there is no `train` section.',
    'The coefficient of 0.02 is that of the public code, for fine-tuning. Its load_balancing_loss_func puts the gates of all layers together and multiplies their common F, summed over the k choices, by their common P, so that imbalances of layers may cancel. Here each layer has a loss of its own with the weight 0.02 top_k / layers, which is the nearest form and not that loss.',
  ],
  flags: [],
  published: {
    total: { printed: '46.7 B', where: 'the announcement' },
    active: { printed: '12.9 B', where: 'the announcement' },
  },
  perplexity: [],
  claims: [],
  experiment: {
    name: 'Mixtral 8x7B',
    model: {
      vocabulary: 32_000,
      d_model: 4096,
      layers,
      context: 32_768,
      tie_embeddings: false,
      attention: { heads: 32, kv_heads: 8, rope_base: 1_000_000 },
      // No layer is dense; the experts' width.
      ffn: { width: 14_336, activation: 'swiglu' },
      moe: {
        kind: 'smoe',
        every: 1,
        experts: 8,
        top_k: topK,
        expert_width: 14_336,
        // Softmax over the two chosen logits is softmax over all of them, scaled to sum 1.
        router: { renormalize: true, balance: 'top_k', balance_weight: balanceOverLayers(0.02 * topK, layers) },
      },
    },
  },
};
