import { balanceOverLayers } from './balanceConventions';
import type { Preset } from './preset';

const layers = 16;

export const olmoe: Preset = {
  id: 'olmoe-1b-7b',
  title: 'OLMoE 1B-7B',
  paper: 'OLMoE (2409.02060)',
  source:
    'allenai/OLMoE at 525672c, configs/olmoe-8x1b-newhp-newds-cx5-fine1-normreorder.yml, and OlmoeConfig of huggingface/transformers (008e574); what only the release has, as commonly quoted',
  gaps: [
    'The training settings are those of the named config, an ablation over 130 B tokens; the release was trained on 5 T tokens.',
    'The norm of queries and keys over the whole projection is that of the release (commonly quoted); the ablation has none, and puts its norms after attention and feed-forward.',
    'The expert width of 1024 is commonly quoted, and reproduces the published totals.',
    "The coefficients of balance loss (0.01) and z-loss (0.001) are averaged over layers in the code's library (commonly quoted), so here a layer has a sixteenth of each.",
    'Norm gains and embeddings are decayed there; norm gains are not here.',
  ],
  flags: [],
  published: {
    total: { printed: '6.9 B', where: 'the abstract of the release' },
    active: { printed: '1.3 B', where: 'the abstract of the release' },
  },
  perplexity: [],
  claims: [],
  experiment: {
    name: 'OLMoE 1B-7B',
    model: {
      vocabulary: 50_304,
      d_model: 2048,
      layers,
      context: 4096,
      tie_embeddings: false,
      attention: { heads: 16, qk_norm: 'full' },
      ffn: { width: 1024, activation: 'swiglu' },
      moe: {
        kind: 'smoe',
        every: 1,
        experts: 64,
        top_k: 8,
        expert_width: 1024,
        router: {
          balance: 'top_k',
          balance_weight: balanceOverLayers(0.01, layers),
          z_loss_weight: balanceOverLayers(0.001, layers),
        },
      },
    },
    train: {
      steps: 30_993,
      batch_tokens: 1024 * 4096,
      micro_batch: 8,
      learning_rate: 4e-4,
      min_learning_rate: 4e-5,
      warmup: 2000,
      schedule: 'cosine',
      betas: [0.9, 0.95],
      epsilon: 1e-8,
      weight_decay: 0.1,
      clip: 1,
    },
  },
};
