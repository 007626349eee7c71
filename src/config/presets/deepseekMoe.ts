import type { Preset } from './preset';

const layers = 28;
const expertWidth = 1408;

export const deepseekMoe: Preset = {
  id: 'deepseek-moe-16b',
  title: 'DeepSeekMoE 16B',
  paper: 'DeepSeekMoE (2401.06066)',
  source:
    'the public config.json of deepseek-ai/deepseek-moe-16b-base as repeated in public code; training settings as commonly quoted from the paper',
  gaps: [
    'The two shared experts of width 1408 are one of width 2816 here, which is the same function.',
    'The learning rate falls in two steps there, to 0.316 of it after 80 % and again after 90 % of the tokens; here by a cosine to a tenth.',
    'The batch of 4.5 k sequences is taken as 4608. The balance loss between devices has no place here; that between experts has the weight 0.001.',
    "Released configs of the family have seq_aux: true, a balance over each sequence; here it is over each microbatch, which `micro_batch: 1` makes the same. The 16B's own config was not read for it.",
  ],
  flags: [],
  published: {
    total: { printed: '16.4 B', where: 'the paper' },
    active: { printed: '2.8 B', where: 'the paper' },
  },
  perplexity: [],
  claims: [],
  experiment: {
    name: 'DeepSeekMoE 16B',
    model: {
      vocabulary: 102_400,
      d_model: 2048,
      layers,
      context: 4096,
      tie_embeddings: false,
      attention: { heads: 16 },
      ffn: { width: 10_944, activation: 'swiglu' },
      moe: {
        kind: 'smoe',
        // All but the first.
        layers: Array.from({ length: layers - 1 }, (_, index) => index + 1),
        experts: 64,
        top_k: 6,
        expert_width: expertWidth,
        shared_width: 2 * expertWidth,
        router: { balance: 'top_k', balance_weight: 0.001 },
      },
    },
    train: {
      steps: 106_449,
      batch_tokens: 4608 * 4096,
      learning_rate: 4.2e-4,
      min_learning_rate: 4.2e-5,
      warmup: 2000,
      schedule: 'cosine',
      betas: [0.9, 0.95],
      weight_decay: 0.1,
      clip: 1,
    },
  },
};
