import type { ExperimentInput } from '../schema';
import type { Preset, PublishedCounts } from './preset';
import { switchAllRows } from './switchAllRows';
import { switchHeadProjectionRows } from './switchHeadProjectionRows';
import { switchHeadRopeRows } from './switchHeadRopeRows';
import { switchHeadSizes, type SwitchHeadRow, type SwitchHeadSize } from './switchHeadRow';
import { switchHeadXlRows } from './switchHeadXlRows';

/** SwitchHead and SwitchAll: 2312.07987v3, the rows of its Tables 1 to 4 and 6 to 8. */

export const switchHeadPaper = 'SwitchHead (2312.07987)';

const steps = 100_000;

function modelOf(row: SwitchHeadRow, size: SwitchHeadSize): ExperimentInput['model'] {
  const { moe, sigma } = row;
  return {
    vocabulary: size.vocabulary,
    d_model: size.width,
    layers: size.layers,
    context: size.context,
    initialization: 'fan_in',
    norm: 'layer',
    tie_embeddings: false,
    attention: {
      heads: row.heads,
      head_width: row.headWidth,
      ...(size.position === 'xl' ? { position: 'xl' } : { position: 'rope', rope_base: 10_000, rope_share: 0.5 }),
      ...(moe
        ? {
            moe: {
              experts: moe.experts,
              top_k: moe.k,
              projections: [...(moe.projections ?? (['value', 'output'] as const))],
              ...(moe.shared ? { shared_selection: true } : {}),
            },
          }
        : {}),
    },
    ffn: { width: row.ffn, activation: 'relu' },
    ...(sigma
      ? {
          moe: {
            kind: 'smoe',
            every: 1,
            experts: sigma.experts,
            top_k: 4,
            expert_width: 128,
            router: {
              score: 'sigmoid',
              balance: 'entropy',
              balance_weight: sigma.balanceWeight,
              balance_scope: 'global',
              ...(sigma.expertDropout > 0 ? { expert_dropout: sigma.expertDropout } : {}),
            },
          },
        }
      : {}),
  };
}

function experimentOf(row: SwitchHeadRow, size: SwitchHeadSize, title: string): ExperimentInput {
  return {
    name: title,
    model: modelOf(row, size),
    train: {
      steps,
      batch_tokens: size.batch * size.context,
      learning_rate: 2.5e-4,
      min_learning_rate: 0,
      warmup: size.warmup,
      schedule: 'cosine',
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weight_decay: 0,
      clip: row.clip ?? size.clip,
    },
  };
}

function gapsOf(row: SwitchHeadRow, size: SwitchHeadSize): string[] {
  return [
    ...(row.gaps ?? []),
    'The paper names Adam and the learning rate; cosine schedule, warm-up, clipping, betas, epsilon and a weight decay of 0 are those of the released code (RobertCsordas/moe_attention at 7169ad3, sweeps/ and main.py), whose cosine runs over all steps whatever the warm-up.',
    size.vocabulary === 256
      ? 'Enwik8 is bytes, of which it uses 205: the vocabulary is that of all bytes here.'
      : 'The tokenizer is SentencePiece with 8,000 pieces, of its own for each text.',
    `The dropout of ${size.dropout} in the feed-forward networks and on what they and attention give cannot be configured here, and neither can mixed precision.`,
    `${row.sigma ? 'The output layer of the code has biases' : 'The feed-forward networks and the output layer of the code have biases'}; here only LayerNorm has.`,
    ...(size.position === 'xl' && !row.moe
      ? [
          "The dense attention of the code has Transformer-XL's two bias vectors for each head, which its SwitchHead leaves out; here neither has them.",
        ]
      : []),
    'Matrices of layers are drawn as in the research code, by sqrt(2 / (layers * inputs)); the README of the later library says 1 / sqrt(layers) for sqrt(2 / layers). Its output layer is drawn uniformly, by 1 / sqrt(3 d_model); here by 1 / sqrt(d_model), like the embeddings. Embeddings are not scaled: the code does that in models without pre-norm only.',
    ...(row.moe
      ? [
          'The code means to give all selections of attention one length, but multiplies each by its own deviation again, which leaves them nearly as they were drawn; here they have one length.',
        ]
      : []),
    ...(row.sigma ? ['The entropy of the regulariser is over the whole batch, as in the code: `balance_scope: global` here.'] : []),
  ];
}

const batchOfEnwik8 = 'Section A.5 says a batch of 64 everywhere; the sweeps for Enwik8 say 32, which is taken here.';

function publishedOf({ published }: SwitchHeadRow): PublishedCounts {
  if (!published) return {};
  const { where } = published;
  return {
    ...(published.total === undefined ? {} : { total: { printed: published.total, where } }),
    ...(published.macs === undefined ? {} : { attentionMacs: { printed: published.macs, where } }),
    ...(published.memory === undefined ? {} : { attentionMemory: { printed: published.memory, where } }),
  };
}

/** The dense model with as many heads as the paper matches the others to: of the same text, and with RoPE of both. */
function baselineOf({ id, size }: SwitchHeadRow): string {
  const group = id.startsWith('table-6/') ? 'wikitext-103-47m' : id.slice(0, id.indexOf('/'));
  return `switchhead/${group}/dense-${switchHeadSizes[size].denseHeads}`;
}

function preset(row: SwitchHeadRow): Preset {
  const size = switchHeadSizes[row.size];
  const title = `${row.title}, ${size.name}`;
  const tables = [...new Set([...row.figures, ...(row.accuracies ?? [])].map(({ table }) => table))].toSorted((a, b) => a - b);
  const results = [
    ...row.figures.flatMap(({ metric, dataset, value, table }) =>
      metric === undefined ? [] : [{ metric, dataset, step: steps, value, where: `Table ${table}` }],
    ),
    ...(row.accuracies ?? []).map(
      ({ dataset, value, table }) => ({ metric: 'accuracy %', dataset, step: steps, value, where: `Table ${table}` }) as const,
    ),
  ];
  return {
    id: `switchhead/${row.id}`,
    title,
    paper: switchHeadPaper,
    source: `arXiv 2312.07987v3, ${tables.map((table) => `Table ${table}`).join(', ')} and Table 9, section A.5`,
    gaps: gapsOf(row, size),
    flags: [...(row.flags ?? []), ...(row.size === '41m' ? [batchOfEnwik8] : [])],
    published: publishedOf(row),
    perplexity: row.figures.flatMap(({ metric, dataset, value, table }) =>
      metric === undefined ? [{ dataset, step: steps, value, where: `Table ${table}` }] : [],
    ),
    ...(results.length === 0 ? {} : { results }),
    claims: [],
    baseline: baselineOf(row),
    experiment: experimentOf(row, size, title),
  };
}

export const switchHeadPresets: readonly Preset[] = [
  ...switchHeadXlRows,
  ...switchHeadRopeRows,
  ...switchAllRows,
  ...switchHeadProjectionRows,
].map(preset);
