import type { ExperimentInput } from '../schema';
import type { Preset, PublishedPerplexity, PublishedResult } from './preset';

/** PEER: Mixture of A Million Experts, 2407.04153, every row of its Tables 1 and 2. */

const peerPaper = 'PEER (2407.04153)';

type Model = ExperimentInput['model'];

const width = 768;
const layers = 12;
const context = 2048;
const ffnWidth = 4 * width;
/** Block 6 of 12. */
const middle = 5;
const batch = 128;
/** Of the smaller budget, 6e18 FLOPs, 6 FLOPs for each MAC of a token: test/parity checks it against the dense model's count. */
export const peerSteps = 27_000;

function experiment(title: string, replaced: Pick<Model, 'moe' | 'product_keys'>): ExperimentInput {
  return {
    name: title,
    model: {
      vocabulary: 32_000,
      d_model: width,
      layers,
      context,
      attention: { heads: 12 },
      ffn: { width: ffnWidth, activation: 'gelu' },
      ...replaced,
    },
    train: {
      steps: peerSteps,
      batch_tokens: batch * context,
      learning_rate: 1e-3,
      min_learning_rate: 1e-4,
      warmup: 1000,
      schedule: 'cosine',
    },
  };
}

const commonGaps = [
  'Widths, depth, attention, activation, position encoding, norm, tokenizer, optimiser and learning rate are not printed: the backbone of 12 layers of width 768 is of own choice, with an FFN of 3072 and GELU, RoPE, RMSNorm and AdamW at 1e-3. So neither its parameters nor its perplexities can be held against the paper.',
  'Models are trained to a budget of 6e18 or 2e19 FLOPs, with as many steps as that gives: 27,000 steps are about 6e18 with this backbone.',
];

const retrievalGaps = [
  'The width of a query is not printed (128 here), nor whether ReLU or GELU is the activation of an expert (GELU here).',
  'How tables are initialised and trained is not printed: `optimizer: lazy` updates the rows that a step uses.',
];

const datasets = ['Curation Corpus', 'Lambada', 'Pile', 'Wikitext', 'C4'] as const;

/** Table 1, by budget: corpus perplexities, Lambada's too. */
function table1(
  small: readonly [number, number, number, number, number],
  large: readonly [number, number, number, number, number],
): PublishedPerplexity[] {
  const at = (budget: string, values: readonly number[]): PublishedPerplexity[] =>
    values.map((value, index) => ({ dataset: datasets[index] ?? '', step: null, value, where: `Table 1, ${budget} FLOPs` }));
  return [...at('6e18', small), ...at('2e19', large)];
}

/** Table 2, C4 validation: perplexity, expert usage in percent, unevenness in nats. */
interface Ablation {
  readonly root: 128 | 256 | 512 | 1024;
  readonly withNorm: readonly [number, number, number];
  readonly without: readonly [number, number, number];
}

const table2: readonly Ablation[] = [
  { root: 128, withNorm: [23.47, 100, 0.3], without: [23.47, 100, 0.45] },
  { root: 256, withNorm: [22.55, 100, 0.44], without: [22.61, 100, 0.63] },
  { root: 512, withNorm: [21.47, 100, 0.66], without: [21.54, 100, 0.97] },
  { root: 1024, withNorm: [20.64, 100, 1.06], without: [20.73, 99.8, 1.52] },
];

const common = { paper: peerPaper, published: {}, claims: [], baseline: 'peer/dense' } as const;

function peer({ root, withNorm, without }: Ablation, normed: boolean): Preset {
  const experts = root ** 2;
  const title = `PEER, N = ${root}²${normed ? '' : ', without query norm'}`;
  const [perplexity, usage, unevenness] = normed ? withNorm : without;
  const where = 'Table 2';
  const results: PublishedResult[] = [
    { metric: 'expert usage %', dataset: 'C4 validation', step: null, value: usage, where },
    { metric: 'unevenness, nats', dataset: 'C4 validation', step: null, value: unevenness, where },
  ];
  const inTable1 = normed && root === 1024;
  return {
    ...common,
    id: `peer/n-${root}${normed ? '' : '-without-norm'}`,
    title,
    source: `arXiv 2407.04153, section 2, Algorithm 1, ${inTable1 ? 'Tables 1 and 2' : 'Table 2'}`,
    gaps: [
      ...retrievalGaps,
      ...(inTable1 ? [] : ['The budget of Table 2 is not printed; its perplexities are near those of 6e18 FLOPs in Table 1.']),
      ...commonGaps,
    ],
    flags: [],
    perplexity: [
      ...(inTable1 ? table1([20.68, 17.65, 19.01, 25.48, 20.63], [16.34, 10.33, 14.99, 19.09, 16.45]) : []),
      { dataset: 'C4 validation', step: null, value: perplexity, where },
    ],
    results,
    experiment: experiment(title, {
      product_keys: { kind: 'peer', experts, heads: 8, top_k: 16, query_norm: normed ? 'batch' : 'none', score: 'softmax' },
    }),
  };
}

const dense: Preset = {
  ...common,
  id: 'peer/dense',
  title: 'Dense',
  source: 'arXiv 2407.04153, section 3.1, Table 1',
  gaps: commonGaps,
  flags: [],
  perplexity: table1([23.26, 21.95, 24.55, 29.14, 23.84], [17.7, 12.28, 18.19, 21.21, 18.31]),
  experiment: experiment('Dense', {}),
};

const mixture: Preset = {
  ...common,
  id: 'peer/moe',
  title: 'MoE, 128 experts, expert choice',
  source: 'arXiv 2407.04153, section 3.1, Table 1',
  gaps: ['How many experts a token has on average (top_k) is not printed: here 1, which costs what the dense layer costs.', ...commonGaps],
  flags: [
    'With expert choice whether a token has an expert depends on later tokens, so the perplexities of this baseline are not those of a causal model (2408.15664 section 5.2).',
    'At 2e19 FLOPs its perplexity on Lambada, 12.97, is worse than that of Dense, 12.28.',
  ],
  perplexity: table1([20.98, 19.09, 23.26, 26.1, 21.41], [16.88, 12.97, 17.41, 20.28, 17.12]),
  experiment: experiment('MoE, 128 experts, expert choice', {
    moe: {
      kind: 'smoe',
      layers: [middle],
      experts: 128,
      top_k: 1,
      expert_width: ffnWidth,
      router: { select: 'expert_choice', balance: 'none' },
    },
  }),
};

const memory: Preset = {
  ...common,
  id: 'peer/pkm',
  title: 'PKM, N = 1024²',
  source: 'arXiv 2407.04153, section 3.1, Table 1',
  gaps: [...retrievalGaps, ...commonGaps],
  flags: [],
  perplexity: table1([21.8, 19.39, 20.49, 27.09, 21.92], [17.03, 11.18, 16.34, 20.26, 17.36]),
  experiment: experiment('PKM, N = 1024²', {
    product_keys: { kind: 'pkm', experts: 1024 ** 2, heads: 8, top_k: 32, query_norm: 'batch' },
  }),
};

export const peerPresets: readonly Preset[] = [
  dense,
  mixture,
  memory,
  ...table2.map((row) => peer(row, true)),
  ...table2.map((row) => peer(row, false)),
];
