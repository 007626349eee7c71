import type { ExperimentInput } from '../schema';
import type { Preset, PublishedCounts, PublishedPerplexity } from './preset';

/** Multi-Head Mixture-of-Experts, the original: 2404.15045v1, its language models (Tables 1, 5, 9 and 11). */

const paper = 'MH-MoE, original (2404.15045)';

const width = 768;
const layers = 12;
const routedLayers = 6;
const heads = 4;
/** The experts have two matrices: 6 * 8 experts * 2 * 768 * 3072 are the 227 M that Table 11 prints. */
const matrices = 2;
const ffnWidth = 4 * width;

interface Size {
  readonly experts: number;
  /** Table 11, in millions. */
  readonly xMoe: { readonly total: number; readonly experts: number };
  readonly multiHead: { readonly total: number; readonly experts: number };
}

export const sizes: readonly Size[] = [
  { experts: 8, xMoe: { total: 361, experts: 227 }, multiHead: { total: 354, experts: 213 } },
  { experts: 16, xMoe: { total: 588, experts: 454 }, multiHead: { total: 571, experts: 430 } },
  { experts: 32, xMoe: { total: 1042, experts: 908 }, multiHead: { total: 1039, experts: 898 } },
  { experts: 64, xMoe: { total: 1949, experts: 1815 }, multiHead: { total: 1938, experts: 1797 } },
  { experts: 128, xMoe: { total: 3765, experts: 3631 }, multiHead: { total: 3765, experts: 3624 } },
  { experts: 256, xMoe: { total: 7397, experts: 7263 }, multiHead: { total: 7371, experts: 7230 } },
];

/** Table 1: English (RedPajama) and multilingual (Wikipedia) perplexity. */
const table1: Readonly<Record<string, readonly [number, number]>> = {
  dense: [16.23, 8.56],
  'x-moe-8': [14.82, 7.19],
  'mh-moe-8': [12.72, 6.26],
  'x-moe-32': [11.96, 6.02],
  'mh-moe-32': [10.28, 5.09],
};

function experiment(name: string, moe?: ExperimentInput['model']['moe']): ExperimentInput {
  return {
    name,
    model: {
      vocabulary: 100_277,
      d_model: width,
      layers,
      context: 4096,
      attention: { heads: 12 },
      ffn: { width: ffnWidth, activation: 'gelu' },
      ...(moe ? { moe } : {}),
    },
    train: {
      steps: 250_000,
      batch_tokens: 1_048_576,
      learning_rate: 5e-4,
      min_learning_rate: 0,
      warmup: 10_000,
      schedule: 'linear',
      betas: [0.9, 0.98],
      epsilon: 1e-6,
      weight_decay: 0.01,
    },
  };
}

const commonGaps = [
  'Steps are not printed; its figures run to 250,000. Neither are the last learning rate (here 0) and gradient clipping (here the default).',
  'A batch of 256 sequences of 1 M tokens together gives 4096 tokens each; the sequence length itself is not printed.',
  'Activation, position encoding, norm and tied embeddings are not printed: GELU, since two matrices per expert reproduce Table 11; RoPE; RMSNorm; tied, which reproduces its totals.',
  'The dropout of 0.1 that Table 10 names "transformer dropout" is left out; there is none here.',
];

const routedGaps = [
  'How many experts a sub-token uses (top_k) is not printed: here 1, as the cost formulas of appendix D.1 count one expert.',
  'No temperature is named for training; here the 0.3 that Table 9 gives for softmax gating, learnt.',
];

const vocabularyFlag =
  'Appendix B names the vocabulary of XLM-R, of 250 k tokens, section 4.1 that of GPT-4; the totals of Table 11 fit only the latter, of 100,277.';
const frequencyFlag =
  'Table 9 explains "SMoE frequency 2" as the number of experts per token; figures 1 and 5 show 6 routed layers of 12, and the expert parameters fit those, so it is the layer period.';

const biasFlag =
  "Table 11's expert parameters are 0.2 % (X-MoE) and 0.8 % (MH-MoE) more than two matrices an expert: biases, and a LayerNorm before the second matrix, would complete them; that is inferred, and there are neither here.";

/** Table 5, English: perplexity of other numbers of heads, 8 experts; 4 heads are those of Table 1. */
const table5: readonly (readonly [number, number])[] = [
  [2, 12.87],
  [6, 12.41],
  [8, 12.95],
  [12, 13.28],
];

const where = 'Table 11';

function perplexityOf(id: string): PublishedPerplexity[] {
  const values = table1[id];
  if (!values) return [];
  return ['English (RedPajama)', 'Multilingual (Wikipedia)'].map((dataset, index) => ({
    dataset,
    step: null,
    value: values[index] ?? Number.NaN,
    where: 'Table 1',
  }));
}

function counts(total: number, experts: number): PublishedCounts {
  return {
    total: { printed: `${total} M`, where },
    expertParameters: { printed: `${experts} M`, where },
    otherParameters: { printed: `${total - experts} M`, where },
  };
}

const common = { paper, source: 'arXiv 2404.15045v1, section 4.1, Tables 8 to 11, appendices A to D' } as const;

/** Cosine routing of X-MoE, its input reduced to `dimension` (Table 9). */
const router = (dimension: number) => ({ type: 'cosine', dimension, temperature: 0.3, balance: 'switch', balance_weight: 0.01 }) as const;

function xMoe({ experts, xMoe: printed }: Size): Preset {
  const id = `x-moe-${experts}`;
  return {
    ...common,
    id: `mh-moe-original/${id}`,
    title: `X-MoE, ${experts} experts`,
    gaps: [...routedGaps, ...commonGaps],
    flags: [vocabularyFlag, frequencyFlag, biasFlag],
    published: counts(printed.total, printed.experts),
    perplexity: perplexityOf(id),
    claims: [],
    experiment: experiment(`X-MoE, ${experts} experts`, {
      kind: 'smoe',
      every: 2,
      experts,
      top_k: 1,
      expert_width: ffnWidth,
      router: router(16),
    }),
  };
}

/**
 * Parameters of one expert as Table 11 counts them: two matrices, their biases, and a LayerNorm with gain and bias before the second. That
 * it does is inferred: so X-MoE's six figures come out to 1 M, and without biases and norm 0.2 % too low. There are neither here.
 */
export function printedExpertParameters(inputs: number, hidden: number): number {
  return matrices * inputs * hidden + (hidden + inputs) + 2 * hidden;
}

/** The width 4 beta h d of an expert (2411.16205 section 2.2), from the expert parameters that Table 11 prints. */
function solvedExpertWidth({ experts, multiHead }: Size): number {
  const inputs = width / heads;
  const each = (multiHead.experts * 1e6) / (routedLayers * experts);
  const [atZero, slope] = [printedExpertParameters(inputs, 0), printedExpertParameters(inputs, 1) - printedExpertParameters(inputs, 0)];
  return Math.round((each - atZero) / slope);
}

/** Table 5 prints neither widths nor counts: the beta of 8 experts with 4 heads holds, so that experts have as many parameters. */
function otherHeads(size: Size, count: number, perplexity: number): Preset {
  const { experts } = size;
  const title = `Table 5: MH-MoE (head=${count}), ${experts} experts`;
  const expertWidth = (solvedExpertWidth(size) * count) / heads;
  const dimension = Math.ceil(16 / count);
  return {
    ...common,
    id: `mh-moe-original/table-5/heads-${count}`,
    title,
    source: 'arXiv 2404.15045v1, section 4.1, Tables 5 and 8 to 11, appendices A to D',
    gaps: [
      `Table 5 prints no width of an expert: ${expertWidth} is 4 beta h d with the beta of 4 heads, which gives an expert as many parameters.`,
      ...(16 % count === 0 ? [] : [`The dimension of the router is 16 / h, no whole number here; it is rounded up to ${dimension}.`]),
      ...routedGaps,
      ...commonGaps,
    ],
    flags: [vocabularyFlag, frequencyFlag],
    published: {},
    perplexity: [{ dataset: 'English (RedPajama)', step: null, value: perplexity, where: 'Table 5' }],
    claims: [],
    baseline: `mh-moe-original/x-moe-${experts}`,
    experiment: multiHeadExperiment(title, { heads: count, experts, expertWidth, dimension }),
  };
}

interface MultiHeadShape {
  readonly heads: number;
  readonly experts: number;
  readonly expertWidth: number;
  /** Of the reduced input of the router. */
  readonly dimension: number;
}

function multiHeadExperiment(title: string, { heads, experts, expertWidth, dimension }: MultiHeadShape): ExperimentInput {
  return experiment(title, {
    kind: 'mh-moe',
    every: 2,
    heads,
    inner_residual: true,
    experts,
    top_k: 1,
    expert_width: expertWidth,
    router: router(dimension),
  });
}

function multiHead(size: Size): Preset {
  const { experts, multiHead: printed } = size;
  const id = `mh-moe-${experts}`;
  const expertWidth = solvedExpertWidth(size);
  const beta = (expertWidth / (4 * heads * width)).toFixed(4);
  return {
    ...common,
    id: `mh-moe-original/${id}`,
    title: `MH-MoE (head=4), ${experts} experts`,
    gaps: [
      `The width of an expert is 4 beta h d with a beta that is not printed; ${expertWidth}, a beta of ${beta}, gives the expert parameters of Table 11, biases and norms included.`,
      ...routedGaps,
      ...commonGaps,
    ],
    flags: [
      vocabularyFlag,
      frequencyFlag,
      biasFlag,
      'Appendix D counts experts of hidden width 4 beta d without the head and merge layers; 2411.16205 section 2.2 gives the real width, 4 beta h d.',
    ],
    published: counts(printed.total, printed.experts),
    perplexity: perplexityOf(id),
    claims: [{ of: 'macs', relation: 'less', to: `mh-moe-original/x-moe-${experts}`, where: 'appendix D.1' }],
    baseline: `mh-moe-original/x-moe-${experts}`,
    experiment: multiHeadExperiment(`MH-MoE (head=4), ${experts} experts`, { heads, experts, expertWidth, dimension: 16 / heads }),
  };
}

const dense: Preset = {
  ...common,
  id: 'mh-moe-original/dense',
  title: 'Dense',
  gaps: commonGaps,
  flags: [vocabularyFlag],
  published: { total: { printed: '162 M', where } },
  perplexity: perplexityOf('dense'),
  claims: [],
  experiment: experiment('Dense'),
};

export const mhMoeOriginalPresets: readonly Preset[] = [
  dense,
  ...sizes.map(xMoe),
  ...sizes.map(multiHead),
  ...sizes.filter(({ experts }) => experts === 8).flatMap((size) => table5.map(([count, value]) => otherHeads(size, count, value))),
];
