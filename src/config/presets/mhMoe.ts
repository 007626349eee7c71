import type { ExperimentInput } from '../schema';
import type { CostClaim, Preset, PublishedPerplexity } from './preset';

/** MH-MoE: Multi-Head Mixture-of-Experts, 2411.16205v3, every row of Tables 1 to 5. */

type Moe = NonNullable<ExperimentInput['model']['moe']>;

const paper = 'MH-MoE (2411.16205)';
const baseline = 'mh-moe/table-1/smoe';

/** Section 3: layers 1, 3, ..., 11; balance and capacity as the released code. */
const every = 2;
const router = { balance: 'gshard_first', balance_weight: 0.01, capacity_factor: 1 } as const;

const models = {
  dense: undefined,
  smoe: { kind: 'smoe', every, experts: 8, top_k: 1, expert_width: 2048, router },
  'fine-grained': { kind: 'smoe', every, experts: 16, top_k: 2, expert_width: 1024, router },
  'mh-moe-2': { kind: 'mh-moe', every, heads: 2, experts: 40, top_k: 2, expert_width: 768, router },
  'mh-moe-3': { kind: 'mh-moe', every, heads: 3, experts: 96, top_k: 3, expert_width: 512, router },
} satisfies Readonly<Record<string, Moe | undefined>>;

const titles: Readonly<Record<keyof typeof models, string>> = {
  dense: 'Dense',
  smoe: 'SMoE',
  'fine-grained': 'Fine-grained SMoE',
  'mh-moe-2': 'MH-MoE (head=2)',
  'mh-moe-3': 'MH-MoE (head=3)',
};

function experiment(name: string, moe: Moe | undefined, bitnet?: ExperimentInput['model']['bitnet']): ExperimentInput {
  return {
    name,
    model: {
      vocabulary: 32_000,
      d_model: 768,
      layers: 12,
      context: 2048,
      attention: { heads: 12, position: 'rope', rope_base: 10_000 },
      ffn: { width: 2048, activation: 'swiglu' },
      ...(moe ? { moe } : {}),
      ...(bitnet ? { bitnet } : {}),
    },
    train: {
      steps: 100_000,
      batch_tokens: 524_288,
      learning_rate: 6e-4,
      min_learning_rate: 3e-5,
      warmup: 375,
      schedule: 'linear',
      betas: [0.9, 0.95],
      epsilon: 1e-6,
      weight_decay: 0.1,
      clip: 2,
    },
  };
}

const commonGaps = [
  'The paper prints neither optimiser, learning rate, attention heads, tokenizer, sequence length nor balance weight: these are those of the released code (yushuiwx/MH-MoE at c96915e, gpt_small_v2 and scripts/run.sh).',
  'The tokenizer there is that of LLaMA, of 32,000 pieces, and one added symbol for the end of a line, which is left out here.',
  'The batch of 0.5 M tokens is taken as 524,288.',
];

const routedGaps = [
  'The code drops beyond k * ceil(units / experts) units an expert, on each device, in training and evaluation: here beyond a capacity factor of 1, in each microbatch, in training only; `capacity_in_evaluation: true` does it in evaluation too.',
];

const projectionGaps = [
  "The released code has biases in the head and the merge layer and draws them Xavier-uniform; the paper's equations have none, and so has this (`projection_bias`).",
];

const modelGaps: Readonly<Record<keyof typeof models, readonly string[]>> = {
  dense: ["Dense's feed-forward width is not printed: 2048 in every layer equals one SMoE expert, and is what gpt_small_v2 has."],
  smoe: [],
  'fine-grained': ['How many experts a token uses (top_k) is not printed; equal MACs need 2.'],
  'mh-moe-2': projectionGaps,
  'mh-moe-3': projectionGaps,
};

function gapsOf(model: keyof typeof models, ...more: readonly string[]): readonly string[] {
  return [...modelGaps[model], ...(model === 'dense' ? [] : routedGaps), ...more, ...commonGaps];
}

/** Rules that say what these models do on purpose. */
function suppressedOf(moe: Moe | undefined): Readonly<Record<string, string>> {
  if (moe === undefined) return {};
  return {
    'evaluation-capacity': 'without drops a perplexity does not depend on the rest of its batch',
    ...(moe.kind === 'mh-moe' && moe.heads === 1
      ? { 'mh-moe-one-head': 'SMoE between two projections is what Table 4 compares with' }
      : {}),
  };
}

/** RedPajama, Wiki and C4, as every table prints them. */
function perplexities(where: string, step: number | null, values: readonly [number, number, number]): PublishedPerplexity[] {
  return ['RedPajama', 'Wiki', 'C4'].map((dataset, index) => ({ dataset, step, value: values[index] ?? Number.NaN, where }));
}

const equalTo = (to: string, where: string, ...of: readonly CostClaim['of'][]): CostClaim[] =>
  of.map((what) => ({ of: what, relation: 'equal', to, where }));

type Row = readonly [model: keyof typeof models, at50k: readonly [number, number, number], at100k: readonly [number, number, number]];

const table1: readonly Row[] = [
  ['dense', [13.01, 12.95, 17.41], [12.13, 11.58, 16.21]],
  ['smoe', [11.87, 10.51, 15.63], [10.9, 9.68, 14.35]],
  ['fine-grained', [11.68, 10.18, 15.21], [10.74, 9.38, 13.97]],
  ['mh-moe-2', [11.6, 10.11, 15.11], [10.7, 9.26, 13.8]],
  ['mh-moe-3', [11.45, 10.0, 14.9], [10.51, 9.18, 13.63]],
];

const table2: readonly Row[] = [
  ['smoe', [11.76, 10.33, 15.19], [10.66, 9.44, 14.3]],
  ['fine-grained', [11.51, 10.06, 15.01], [10.41, 9.15, 13.78]],
  ['mh-moe-2', [11.48, 9.91, 14.87], [10.36, 8.79, 13.66]],
  ['mh-moe-3', [11.26, 9.74, 14.82], [10.28, 8.72, 13.49]],
];

const table3: readonly Row[] = [
  ['dense', [32.17, 27.56, 35.85], [30.04, 24.75, 33.55]],
  ['smoe', [29.18, 24.7, 32.34], [26.78, 21.54, 29.73]],
  ['fine-grained', [29.04, 24.51, 32.03], [26.68, 21.42, 29.5]],
  ['mh-moe-2', [28.84, 24.27, 31.86], [26.59, 21.11, 29.27]],
  ['mh-moe-3', [28.77, 24.13, 31.81], [26.47, 21.06, 29.14]],
];

const sharedWidth = 2048;

const swapped =
  'Summaries of the paper print the RedPajama cells of SMoE and fine-grained SMoE at 100,000 steps the other way round, 10.41 and 10.66; v3 prints 10.66 and 10.41.';

const gap =
  'The step from Table 1 to Table 3 (SMoE on RedPajama at 100,000 steps: 10.90 to 26.78) is far larger than that of b1.58 itself at 700 M parameters (12.33 to 12.87, 2402.17764 Table 1): take the order as the target, not the values.';

function row(
  table: 1 | 2 | 3,
  [model, at50k, at100k]: Row,
  parts: Pick<Preset, 'gaps' | 'flags' | 'claims'>,
  {
    moe = models[model],
    suffix = '',
    bitnet,
  }: { moe?: Moe | undefined; suffix?: string; bitnet?: ExperimentInput['model']['bitnet'] } = {},
): Preset {
  const where = `Table ${table}`;
  const title = `${titles[model]}${suffix}`;
  return {
    id: `mh-moe/table-${table}/${model}`,
    title: `${where}: ${title}`,
    paper,
    source: `arXiv 2411.16205v3, section 3 and ${where}`,
    published: {},
    perplexity: [...perplexities(where, 50_000, at50k), ...perplexities(where, 100_000, at100k)],
    baseline,
    suppressed: suppressedOf(moe),
    ...parts,
    experiment: experiment(title, moe, bitnet),
  };
}

function mainTable(entry: Row): Preset {
  const [model] = entry;
  return row(1, entry, {
    gaps: gapsOf(model),
    flags: [],
    claims: model === 'smoe' ? [] : equalTo(baseline, "Table 1's caption", 'parameters', 'macs'),
  });
}

function sharedTable(entry: Row): Preset {
  const [model] = entry;
  const moe = models[model];
  return row(
    2,
    entry,
    {
      gaps: gapsOf(
        model,
        'Whether the shared expert sees tokens or sub-tokens, and whether it is gated, is not printed: here it sees the whole token, ungated, and is added after the merge layer, which adds equal cost to every model.',
      ),
      flags: model === 'smoe' || model === 'fine-grained' ? [swapped] : [],
      claims: model === 'smoe' ? [] : equalTo('mh-moe/table-2/smoe', 'section 3.1', 'parameters', 'macs'),
    },
    { moe: moe && { ...moe, shared_width: sharedWidth }, suffix: ' + shared expert' },
  );
}

function bitnetTable(entry: Row): Preset {
  const [model] = entry;
  const projections = model.startsWith('mh-moe')
    ? ['Whether head and merge layer were quantised is not printed: the released code does not (`quantize_head_merge`).']
    : [];
  return row(
    3,
    entry,
    {
      gaps: gapsOf(
        model,
        'Which BitNet is meant is said only by the citation, b1.58 (2402.17764): ternary weights and 8-bit inputs, with an RMSNorm without gain before each; the released script carries absmean weights and absmax_per_token inputs, switched off.',
        ...projections,
      ),
      flags: [gap],
      claims: model === 'smoe' ? [] : equalTo('mh-moe/table-3/smoe', 'Table 3 shows the models of Table 1', 'parameters', 'macs'),
    },
    { suffix: ', BitNet', bitnet: { weights: 'ternary', activation_bits: 8, norm: 'rms' } },
  );
}

const inferredStep = 'The step is not printed; the rows that are also in Table 1 agree with it at 50,000.';

interface Ablation {
  readonly id: string;
  readonly title: string;
  readonly table: 4 | 5;
  readonly moe: Moe;
  readonly values: readonly [number, number, number];
  readonly gaps: readonly string[];
  readonly claims: readonly CostClaim[];
}

function ablation({ id, title, table, moe, values, gaps, claims }: Ablation): Preset {
  const where = `Table ${table}`;
  return {
    id: `mh-moe/table-${table}/${id}`,
    title: `${where}: ${title}`,
    paper,
    source: `arXiv 2411.16205v3, section 3.3 and ${where}`,
    gaps: [...gaps, inferredStep, ...routedGaps, ...commonGaps],
    flags: [],
    published: {},
    perplexity: perplexities(where, null, values),
    claims,
    baseline,
    suppressed: suppressedOf(moe),
    experiment: experiment(title, moe),
  };
}

/** SMoE between two projections is MH-MoE of one head. */
const betweenProjections = (moe: Moe): Moe => ({ ...moe, kind: 'mh-moe', heads: 1 });

const without = { head_layer: false, merge_layer: false } as const;
const wide = { ...models['mh-moe-2'], experts: 32, expert_width: 1024 } satisfies Moe;
const wideGap =
  "MH-MoE's experts in Table 4 are not printed; that all rows without the two layers cost the same, and all rows with them, gives a width of 1024 by MACs and 32 experts by parameters.";

const table4: readonly Ablation[] = (
  [
    { id: 'smoe-without', title: 'SMoE without head and merge layer', moe: models.smoe, values: [11.87, 10.51, 15.63] },
    { id: 'smoe-with', title: 'SMoE with head and merge layer', moe: betweenProjections(models.smoe), values: [11.84, 10.48, 15.61] },
    {
      id: 'fine-grained-without',
      title: 'Fine-grained SMoE without head and merge layer',
      moe: models['fine-grained'],
      values: [11.68, 10.18, 15.21],
    },
    {
      id: 'fine-grained-with',
      title: 'Fine-grained SMoE with head and merge layer',
      moe: betweenProjections(models['fine-grained']),
      values: [11.67, 10.18, 15.19],
    },
    {
      id: 'mh-moe-2-without',
      title: 'MH-MoE (head=2) without head and merge layer',
      moe: { ...wide, ...without },
      values: [11.71, 10.16, 15.23],
    },
    { id: 'mh-moe-2-with', title: 'MH-MoE (head=2) with head and merge layer', moe: wide, values: [11.46, 9.98, 14.89] },
  ] as const
).map((entry) => {
  const first = entry.id.endsWith('without') ? 'mh-moe/table-4/smoe-without' : 'mh-moe/table-4/smoe-with';
  const gaps = [
    ...(entry.id.startsWith('mh-moe') ? [wideGap] : []),
    ...(entry.id.startsWith('fine') ? modelGaps['fine-grained'] : []),
    ...(entry.id.endsWith('without') ? [] : projectionGaps),
  ];
  const claims = first.endsWith(entry.id) ? [] : equalTo(first, 'section 3.3', 'macs');
  return { ...entry, table: 4, gaps, claims } as const;
});

const table5: readonly Ablation[] = (
  [
    { head: false, merge: false, values: [11.97, 10.4, 15.52] },
    { head: true, merge: false, values: [11.74, 10.18, 15.17] },
    { head: false, merge: true, values: [11.84, 10.27, 15.36] },
    { head: true, merge: true, values: [11.6, 10.11, 15.11] },
  ] as const
).map(({ head, merge, values }) => {
  const kept = [...(head ? ['head'] : []), ...(merge ? ['merge'] : [])];
  return {
    id: kept.length === 0 ? 'neither' : kept.join('-and-'),
    title: `MH-MoE (head=2) with ${kept.length === 0 ? 'neither head nor merge' : kept.join(' and ')} layer`,
    table: 5,
    moe: { ...models['mh-moe-2'], head_layer: head, merge_layer: merge, ablation: 'remove_only' },
    values,
    gaps: [
      'That layers are left out of the model of Table 1 without anything in their place is inferred: the losses then stand in the order of the MACs.',
      ...(kept.length === 0 ? [] : projectionGaps),
    ],
    claims: [],
  } as const;
});

export const mhMoePresets: readonly Preset[] = [
  ...table1.map(mainTable),
  ...table2.map(sharedTable),
  ...table3.map(bitnetTable),
  ...table4.map(ablation),
  ...table5.map(ablation),
];
