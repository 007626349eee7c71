import type { ExperimentInput } from '../schema';
import type { Preset } from './preset';

/** Dynamic_MoE: Harder Tasks Need More Experts, 2403.07652, by the config of its released weights. */

const paper = 'Dynamic MoE (2403.07652)';

type Router = NonNullable<NonNullable<ExperimentInput['model']['moe']>['router']>;

function experiment(name: string, router: Router): ExperimentInput {
  return {
    name,
    model: {
      vocabulary: 32_000,
      d_model: 1024,
      layers: 24,
      context: 2048,
      tie_embeddings: false,
      attention: { heads: 16 },
      ffn: { width: 2816 },
      moe: { kind: 'smoe', every: 1, experts: 16, top_k: 2, expert_width: 2816, router },
    },
  };
}

const common = {
  paper,
  source: 'config.json of AnLan577/Dynamic_MoE; modeling/modeling_moe.py and README.md of ZhenweiAn/Dynamic_MoE at f56bc20',
  published: {},
  perplexity: [],
  claims: [],
} as const;

const gaps = [
  'The released code is for inference: how it was trained is not in it, and the paper was not at hand.',
  'The weight of the balance loss, 0.01, and which of its forms it has, could not be checked.',
];

const topTwo: Preset = {
  ...common,
  id: 'dynamic-moe/top-2',
  title: 'Top-2',
  gaps,
  flags: [],
  experiment: experiment('Top-2', { balance: 'top_k', balance_weight: 0.01 }),
};

const topP: Preset = {
  ...common,
  id: 'dynamic-moe/top-p',
  title: 'Top-p, 0.4',
  gaps: [
    'The weight of the entropy, 0.0001, could not be checked either.',
    'Counts are at `top_k: 2` experts a token; the README gives 1.76 on average over five tasks, and fewer than 2 in training after 60 B tokens.',
    ...gaps,
  ],
  flags: [],
  baseline: topTwo.id,
  experiment: experiment('Top-p, 0.4', {
    select: 'top_p',
    top_p: 0.4,
    entropy_weight: 0.0001,
    balance: 'top_k',
    balance_weight: 0.01,
  }),
};

export const dynamicMoePresets: readonly Preset[] = [topTwo, topP];
