import * as z from 'zod';

/**
 * The experiment config `*.moe.yaml`: one schema gives the TypeScript types, the validation, the defaults and the descriptions
 * that hovers, the JSON Schema and docs/config.md show. Keys are snake_case as in YAML.
 */

/**
 * Upper bounds, far beyond any real use: a value above them is a slip, and would else fail deep in the engine, as an array that no machine holds
 * or a number that float32 does not. Lower bounds of factors are there for the same reason.
 */
const most = {
  width: 1_048_576,
  heads: 65_536,
  layers: 256,
  experts: 1_048_576,
  vocabulary: 16_777_216,
  context: 16_777_216,
  windows: 1_048_576,
  steps: 1_000_000_000,
  tokens: 17_592_186_044_416,
  threads: 1024,
  lossWeight: 1000,
  rate: 1e6,
} as const;

const count = (bound: number) => z.int().positive().max(bound);
const decay = z.number().min(0).max(0.999999);

const share = z.number().min(0).max(1);
const layerList = z
  .array(
    z
      .int()
      .nonnegative()
      .max(most.layers - 1),
  )
  .min(1)
  .max(most.layers);

export const attentionMoeSchema = z
  .strictObject({
    experts: count(most.experts).describe(
      'Experts of each head, for each projection that has experts: n heads have n times as many. 1 is a dense head with a learned sigmoid gate.',
    ),
    top_k: count(most.experts).describe('Experts that a token uses in each head, each weighing with its sigmoid score.'),
    projections: z
      .array(z.enum(['query', 'key', 'value', 'output']))
      .min(1)
      .max(4)
      .default(['value', 'output'])
      .describe(
        'Which projections have experts; the others are dense. Value and key use what the token that is seen selects (the source side), output and query what the token that sees selects (the destination side). The paper finds value and output best.',
      ),
    shared_selection: z
      .boolean()
      .default(false)
      .describe(
        'A token selects once for both sides (2312.07987 section 3.6): value and key use the experts that it selects for output and query.',
      ),
    expert_dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'In training each expert is passed over for a token with this probability, while enough are left. The paper uses 0 in attention.',
      ),
  })
  .describe(
    'SwitchHead (2312.07987): few heads, each with experts for its projections, chosen by sigmoid scores that are also their weights. Leave it out for dense attention.',
  );

export const attentionSchema = z
  .strictObject({
    heads: count(most.heads).describe(
      'Attention heads. d_model must be divisible by it, unless `head_width` is stated. Independent of the heads of an MH-MoE layer.',
    ),
    kv_heads: count(most.heads)
      .optional()
      .describe('Key and value heads (grouped-query attention, 2305.13245). heads must be divisible by it; as many as heads where absent.'),
    head_width: count(most.width).optional().describe('Width of one attention head; d_model / heads where absent.'),
    qk_norm: z
      .enum(['none', 'head', 'full'])
      .default('none')
      .describe('RMSNorm of queries and keys before the rotation: over each head (Qwen3), over the whole projection (OLMoE), or none.'),
    position: z
      .enum(['rope', 'xl', 'none'])
      .default('rope')
      .describe(
        'Position encoding: rotary (RoPE, 2104.09864); xl: relative positions and a cached chunk (Transformer-XL, 1901.02860); or none. With xl the windows of a step are lanes, each of which goes on in the text where it ended in the step before and sees that window too, without training through it; validation goes through a text in one lane.',
      ),
    rope_base: z.number().min(1).max(1_000_000_000_000).default(10000).describe('rope: base of the rotary angles.'),
    rope_share: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe(
        'rope: share of the channels of a head that are rotated, the first ones, rounded down to an even number. 2312.07987 rotates half.',
      ),
    moe: attentionMoeSchema.optional(),
  })
  .describe('Self-attention of every layer, without biases; causal unless `objective: masked`.');

export const activationSchema = z.enum(['swiglu', 'relu', 'gelu']);

export const ffnSchema = z
  .strictObject({
    width: count(most.width).describe('Hidden width of the feed-forward layers that are not routed.'),
    activation: activationSchema
      .default('swiglu')
      .describe('swiglu has three matrices, W2(silu(W3 x) * W1 x); relu and gelu have two. Experts use the same one.'),
  })
  .describe('The feed-forward layers that are not routed.');

export const routerSchema = z
  .strictObject({
    type: z
      .enum(['linear', 'cosine'])
      .default('linear')
      .describe(
        'linear: logits are W x. cosine: logits are the cosine of a reduced input W x and the expert vectors, over a temperature (X-MoE, 2204.09179; used by 2404.15045).',
      ),
    dimension: count(most.width)
      .default(16)
      .describe('cosine: width of the reduced input and of the expert vectors. 2404.15045 uses 16, and 16 / heads for MH-MoE.'),
    temperature: z
      .number()
      .min(0.001)
      .max(1000)
      .default(0.3)
      .describe('cosine: the temperature at the start. 2404.15045 uses 0.3 for softmax, 0.07 for sigmoid.'),
    learn_temperature: z.boolean().default(true).describe('cosine: train the temperature (its logarithm).'),
    score: z
      .enum(['softmax', 'sigmoid'])
      .default('softmax')
      .describe('How logits become scores, over all experts. A chosen expert weighs with its score.'),
    select: z
      .enum(['top_k', 'top_k_biased', 'expert_choice', 'dynamic', 'top_p'])
      .default('top_k')
      .describe(
        'top_k: each unit takes its k best experts. top_k_biased: the k best of score + bias, the bias learnt without a loss (2408.15664); weights stay unbiased. expert_choice: each expert takes its best units, k per unit on average (2202.09368); not causal. dynamic: a token takes more experts the more `importance` attention gives it; aims at top_k on average, exactly with `budget`, and a run says how many (own definition, in the style of 2409.06669). top_p: a unit takes its best experts until their scores add up to `top_p` (2403.07652), and counts assume that it takes top_k.',
      ),
    importance: z
      .enum(['received', 'cls_row', 'row_max', 'entropy'])
      .default('entropy')
      .describe(
        'dynamic: what of the attention in the same layer makes a token important, mean over the heads and relative to the mean of the window, or of the tokens so far where causal. Aims at top_k experts on average; exactly with `budget`, and a run says how many. received: attention that it gets; cls_row: attention that the first token pays it; both only with `objective: masked`. row_max: how far the largest weight of its own attention is above even attention; entropy: how concentrated its own attention is, 1 - entropy / log(tokens it sees). While attention is even, every token takes top_k.',
      ),
    k_min: count(most.experts).default(1).describe('dynamic: the fewest experts that a unit takes, at most top_k.'),
    k_max: count(most.experts)
      .optional()
      .describe(
        'dynamic, top_p: the most experts that a unit takes, at least top_k. Where absent, with dynamic 2 top_k or as many as there are, with top_p as many as there are.',
      ),
    budget: z
      .boolean()
      .default(false)
      .describe(
        'dynamic: scale the importance in each window so that its units take top_k on average exactly; not causal, since later tokens decide what is left for earlier ones.',
      ),
    top_p: z.number().positive().max(1).default(0.4).describe('top_p: the sum of scores that the chosen experts must reach.'),
    entropy_weight: z
      .number()
      .nonnegative()
      .max(most.lossWeight)
      .default(0)
      .describe(
        "top_p: weight of the mean entropy of a unit's scores in the loss, summed over layers; without it the router can spread its scores to get more experts. 2403.07652 uses 0.0001.",
      ),
    expert_dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'In training each expert is passed over for a unit with this probability, while enough are left, without rescaling (2310.10837).',
      ),
    renormalize: z.boolean().default(false).describe('Scale the chosen weights to sum 1. Off is what the released MH-MoE code does.'),
    balance: z
      .enum(['none', 'switch', 'gshard_first', 'top_k', 'entropy', 'loss_free'])
      .default('gshard_first')
      .describe(
        'Load balancing. switch: E sum(F P), F from the one choice (2101.03961, k = 1). gshard_first: F from first choices (2006.16668). top_k: F from all k choices, over k. entropy: sum(p log p) of the mean softmax (2310.10837). loss_free: only the bias of `select: top_k_biased`. P is the mean score, normalised over the experts.',
      ),
    balance_weight: z
      .number()
      .nonnegative()
      .max(most.lossWeight)
      .default(0.01)
      .describe('Weight of the balance loss of each routed layer; summed over layers.'),
    balance_scope: z
      .enum(['micro', 'global'])
      .default('micro')
      .describe(
        'Over what F and P are averaged: each microbatch, or the whole optimiser step (2501.11873), which then equals one big batch exactly and costs another forward pass.',
      ),
    bias_rate: z.number().positive().max(1).default(0.001).describe('top_k_biased: how far a step moves the bias of an expert.'),
    bias_update: z
      .enum(['sign', 'error'])
      .default('sign')
      .describe(
        'top_k_biased: the bias moves by rate * sign(mean load - load), or by rate * (mean load - load) / mean load, which suits softmax.',
      ),
    z_loss_weight: z
      .number()
      .nonnegative()
      .max(most.lossWeight)
      .default(0)
      .describe('Weight of the router z-loss mean(logsumexp(logits)^2) of each routed layer (2202.08906); summed over layers.'),
    jitter: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('In training the router input is multiplied by uniform noise in [1 - jitter, 1 + jitter) (2101.03961).'),
    capacity_factor: z
      .number()
      .min(0.001)
      .max(most.experts)
      .optional()
      .describe(
        'An expert takes at most ceil(factor * top_k * units / experts) units of a microbatch; the rest is dropped. Dropless where absent.',
      ),
    capacity_priority: z
      .enum(['first_choice', 'position'])
      .default('first_choice')
      .describe(
        'Who is kept: all first choices in order of position, then all second choices (GShard); or position by position, each with all its choices.',
      ),
    capacity_in_evaluation: z
      .boolean()
      .default(false)
      .describe(
        'Drop in evaluation too. Perplexity then depends on what else is in the batch, and with first_choice and k > 1 on later tokens.',
      ),
    frozen: z.boolean().default(false).describe('Keep the router as it was initialised: the control experiment for what routing learns.'),
  })
  .describe('How routed units find their experts.');

export const moeSchema = z
  .strictObject({
    kind: z
      .enum(['smoe', 'mh-moe'])
      .describe('smoe routes tokens (2101.03961); mh-moe splits each token into sub-tokens and routes those (2411.16205, 2404.15045).'),
    every: count(most.layers)
      .optional()
      .describe('Every how many layers the feed-forward is routed: 2 means layers 1, 3, 5, ... counted from 0. 2 where absent.'),
    layers: layerList.optional().describe('The routed layers, counted from 0, in place of `every`.'),
    heads: count(most.heads).default(1).describe('mh-moe: sub-tokens per token. d_model must be divisible by it.'),
    head_layer: z.boolean().default(true).describe('mh-moe: the d x d projection before the split into sub-tokens.'),
    merge_layer: z.boolean().default(true).describe('mh-moe: the d x d projection after the sub-tokens are joined again.'),
    projection_bias: z
      .boolean()
      .default(false)
      .describe('mh-moe: biases of the head and merge layers, as in the released code; the papers have none.'),
    inner_residual: z
      .boolean()
      .default(false)
      .describe('mh-moe: add each sub-token to what its experts give, before the merge (2404.15045 Eq. 6).'),
    ablation: z
      .enum(['remove_only', 'iso_mac'])
      .default('remove_only')
      .describe(
        'mh-moe: what leaving out the head or merge layer does to the experts. remove_only: nothing, the layer gets cheaper (2411.16205 Table 5). iso_mac: `experts` and `expert_width` describe the layer with both; experts widen by d_model / (n top_k) for each projection left out (n matrices per expert) and their number falls, so that MACs stay equal and parameters nearest to equal (Table 4).',
      ),
    experts: count(most.experts).describe('Routed experts in each routed layer.'),
    top_k: count(most.experts).describe(
      'Experts that each routed unit (token or sub-token) uses; with `select: dynamic` the mean that is aimed at, with `top_p` what counts assume.',
    ),
    expert_width: count(most.width).describe('Hidden width of one expert.'),
    shared_width: z
      .int()
      .nonnegative()
      .max(most.width)
      .default(0)
      .describe(
        'Hidden width of an always-on expert that sees the whole token; n shared experts of width w are one of width n * w; 0 for none.',
      ),
    router: routerSchema.prefault({}),
  })
  .describe('Routed feed-forward layers. Leave it out for a dense model.');

export const productKeysSchema = z
  .strictObject({
    kind: z
      .enum(['peer', 'pkm'])
      .default('peer')
      .describe(
        'peer: experts of one neuron (PEER, 2407.04153). pkm: values that are summed as they are (product-key memory, 1907.05242).',
      ),
    layers: layerList
      .optional()
      .describe(
        'The layers, counted from 0, whose feed-forward network is replaced. Where absent the middle one, as in the paper: layer 5 of 12.',
      ),
    experts: count(most.experts).describe(
      'Experts, or values: a square number, up to 1048576 = 1024 * 1024. There is one for each pair of a first and a second sub-key.',
    ),
    heads: count(most.heads).describe('Query heads, each with queries of its own; they share experts and sub-keys.'),
    top_k: count(most.experts).describe(
      'Experts that each head retrieves: heads * top_k of them serve a token. At most the square root of `experts`.',
    ),
    key_width: count(most.width).default(128).describe('Width of a query, even: half of it for each of the two sub-keys.'),
    query_norm: z
      .enum(['batch', 'none'])
      .default('batch')
      .describe('Batch normalisation of the queries, per feature and without gain; running statistics in evaluation.'),
    score: z
      .enum(['softmax', 'sigmoid'])
      .default('softmax')
      .describe('How the scores of what a head retrieves become weights: softmax over them, or sigmoid of each.'),
    activation: z
      .enum(['gelu', 'relu', 'glu'])
      .default('gelu')
      .describe('peer: activation of the neuron. glu has a third vector per expert: gelu(gate . x) * (u . x).'),
    optimizer: z
      .enum(['lazy', 'dense'])
      .default('lazy')
      .describe(
        'lazy: AdamW updates only the rows that a step uses; its moments are those of dense AdamW, but a row stands still while it is not used. dense: AdamW over the whole tables, which costs as much as they are large.',
      ),
    learning_rate_scale: z
      .number()
      .positive()
      .max(1000)
      .default(1)
      .describe('The learning rate of the tables of experts is this many times that of the rest.'),
  })
  .describe('Layers that retrieve from very many tiny experts by product keys, in place of feed-forward networks.');

export const bitnetSchema = z
  .strictObject({
    weights: z
      .enum(['ternary', 'binary'])
      .default('ternary')
      .describe('ternary: -1, 0, 1 times the mean magnitude (b1.58, 2402.17764). binary: -1, 1 (2310.11453). Per matrix, per expert.'),
    activation_bits: z
      .union([z.literal(8), z.literal('none')])
      .default(8)
      .describe('8: inputs are rounded to 8 bits by the largest magnitude of each token. none: inputs stay as they are.'),
    norm: z.enum(['rms', 'none']).default('rms').describe('rms: RMSNorm without gain before the inputs of a quantised layer are rounded.'),
    quantize_head_merge: z
      .boolean()
      .default(false)
      .describe('Quantise the head and merge layers of mh-moe too; the released code does not.'),
  })
  .describe(
    'BitLinear: quantised weights and inputs in attention, feed-forward and experts, with straight-through gradients. Router, embeddings and logits stay full precision.',
  );

export const modelSchema = z
  .strictObject({
    vocabulary: count(most.vocabulary).default(256).describe('Tokens in the vocabulary; 256 for bytes.'),
    d_model: count(most.width).describe('Width of the residual stream.'),
    layers: count(most.layers).describe('Transformer layers.'),
    context: count(most.context).describe('Tokens in a training window.'),
    objective: z
      .enum(['causal', 'masked'])
      .default('causal')
      .describe(
        'causal: every token is predicted from those before it. masked: a bidirectional encoder predicts hidden tokens from both sides (BERT, 1810.04805); the mask token is number 256 for bytes.',
      ),
    initial_std: z
      .number()
      .positive()
      .max(10)
      .default(0.02)
      .describe(
        'Standard deviation of new weights; those that write into the residual stream get 1 / sqrt(2 layers) of it. 0.02 suits widths near 768; narrow models learn faster with more, such as 0.02 * sqrt(768 / d_model).',
      ),
    initialization: z
      .enum(['gpt2', 'fan_in'])
      .default('gpt2')
      .describe(
        'How new weights are drawn. gpt2: as `initial_std` says. fan_in: matrices of layers with a standard deviation of sqrt(2 / (layers * inputs)), the vectors that select experts besides with equal lengths, embeddings with 1 / sqrt(d_model), as in the code of 2310.10837 and 2312.07987; `initial_std` is then without effect.',
      ),
    norm: z
      .enum(['rms', 'layer'])
      .default('rms')
      .describe(
        'Norm of the residual stream before every layer and the output. rms: RMSNorm (1910.07467). layer: LayerNorm with gain and bias (1607.06450).',
      ),
    scale_embeddings: z.boolean().default(false).describe('Multiply token embeddings by sqrt(d_model) (1706.03762).'),
    tie_embeddings: z.boolean().default(true).describe('Whether the output layer shares the weights of the token embedding.'),
    attention: attentionSchema,
    ffn: ffnSchema,
    moe: moeSchema.optional(),
    product_keys: productKeysSchema.optional(),
    bitnet: bitnetSchema.optional(),
  })
  .describe('The model: pre-norm layers.');

export const maskingSchema = z
  .strictObject({
    probability: z.number().positive().max(1).default(0.15).describe('Share of tokens that are hidden and scored.'),
    mask_share: share.default(0.8).describe('Share of the hidden tokens that become the mask token.'),
    random_share: share.default(0.1).describe('Share of the hidden tokens that become a random token; the rest stays as it is.'),
  })
  .describe('`objective: masked`: which tokens are hidden. In training by seed and position, the same at each validation.');

export const trainSchema = z
  .strictObject({
    steps: count(most.steps).describe('Optimiser steps.'),
    batch_tokens: count(most.tokens).describe('Tokens in an optimiser step; divisible by micro_batch * context.'),
    micro_batch: count(most.windows)
      .default(8)
      .describe('Windows computed at once; gradients accumulate over batch_tokens / (micro_batch * context) of them.'),
    learning_rate: z.number().positive().max(most.rate).default(1e-3).describe('Peak learning rate.'),
    min_learning_rate: z.number().nonnegative().max(most.rate).default(1e-4).describe('Learning rate at the last step.'),
    warmup: z
      .int()
      .nonnegative()
      .max(most.steps)
      .default(100)
      .describe('Steps over which the learning rate rises linearly from 0 to its peak.'),
    schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine').describe('How the learning rate falls after the warm-up.'),
    betas: z.tuple([decay, decay]).default([0.9, 0.95]).describe('AdamW moment decay rates.'),
    epsilon: z.number().min(1e-20).max(1).default(1e-8).describe('AdamW epsilon, outside the square root.'),
    weight_decay: z.number().nonnegative().max(most.rate).default(0.1).describe('Decoupled weight decay of matrices; norms have none.'),
    clip: z.number().nonnegative().max(1_000_000_000).default(1).describe('Global gradient norm is clipped to this; 0 for never.'),
    masking: maskingSchema.prefault({}),
    seed: z.int().nonnegative().default(1).describe('Seeds initialisation and the order of the data.'),
  })
  .describe('How it is trained: AdamW.');

const files = z.array(z.string().min(1)).min(1);

export const dataSchema = z
  .strictObject({
    tokenizer: z.enum(['bytes']).default('bytes').describe('bytes: every byte of the UTF-8 text is a token, vocabulary 256.'),
    train: files.describe('Text files or globs, relative to this file.'),
    validation: z
      .record(z.string().min(1), files)
      .default({})
      .describe('Named validation sets, each a list of text files or globs, scored whole in non-overlapping windows.'),
  })
  .describe('Training and validation text.');

export const evaluateSchema = z
  .strictObject({
    every: count(most.steps).default(250).describe('Validate every this many steps, and at the end.'),
  })
  .describe('When validation happens.');

export const checkpointSchema = z
  .strictObject({
    every: count(most.steps).default(500).describe('Write a checkpoint every this many steps, and at the end.'),
    keep: count(most.steps).default(2).describe('Newest checkpoints kept.'),
  })
  .describe('Checkpoints: safetensors and the trainer state, enough to resume exactly.');

export const engineSchema = z
  .strictObject({
    device: z.enum(['cpu', 'webgpu']).default('cpu').describe('cpu, or webgpu for a GPU.'),
    threads: z
      .int()
      .nonnegative()
      .max(most.threads)
      .default(0)
      .describe('CPU threads; 0 for one per physical core. The same number gives the same losses again.'),
  })
  .describe('Where it runs.');

export const experimentSchema = z
  .strictObject({
    name: z.string().min(1).optional().describe('Shown in the run explorer and in charts; the file name where absent.'),
    extends: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Another config, relative to this file, whose values, but for its name, hold where this one says nothing. Mappings are merged, lists replaced; a key without a value takes away what the base says, and its default holds where it has one.',
      ),
    parity: z.string().min(1).optional().describe('The baseline that the hints compare with: a config relative to this file.'),
    model: modelSchema,
    train: trainSchema.optional(),
    data: dataSchema.optional(),
    evaluate: evaluateSchema.prefault({}),
    checkpoint: checkpointSchema.prefault({}),
    engine: engineSchema.prefault({}),
  })
  .describe('An experiment of MoE Lab.');

export type ActivationFunction = z.infer<typeof activationSchema>;
export type MoeConfig = z.infer<typeof moeSchema>;
export type AttentionConfig = z.infer<typeof attentionSchema>;
export type AttentionMoeConfig = z.infer<typeof attentionMoeSchema>;
export type ProductKeysConfig = z.infer<typeof productKeysSchema>;
export type RouterConfig = z.infer<typeof routerSchema>;
export type BitnetConfig = z.infer<typeof bitnetSchema>;
export type MaskingConfig = z.infer<typeof maskingSchema>;
export type ModelConfig = z.infer<typeof modelSchema>;
export type TrainConfig = z.infer<typeof trainSchema>;
export type DataConfig = z.infer<typeof dataSchema>;
/** A config with every default filled in. `train` and `data` may be absent: such a config can be counted but not run. */
export type Experiment = z.infer<typeof experimentSchema>;
/** A config as it is written, defaults left out. */
export type ExperimentInput = z.input<typeof experimentSchema>;
/** A config that can be trained. */
export type RunnableExperiment = Experiment & { readonly train: TrainConfig; readonly data: DataConfig };
