import { z } from 'zod';

/**
 * The experiment config `*.moe.yaml`: one schema gives the TypeScript types, the validation, the defaults and the descriptions
 * that hovers, the JSON Schema and docs/config.md show. Keys are snake_case as in YAML.
 */

const count = z.int().positive();
const fraction = z.number().min(0).lt(1);

export const attentionSchema = z
  .strictObject({
    heads: count.describe('Attention heads. d_model must be divisible by it. Independent of the heads of an MH-MoE layer.'),
    position: z.enum(['rope', 'none']).default('rope').describe('Position encoding: rotary (RoPE, 2104.09864), or none.'),
    rope_base: z.number().positive().default(10000).describe('Base of the rotary angles.'),
  })
  .describe('Self-attention of every layer: full multi-head, causal, no biases.');

export const activationSchema = z.enum(['swiglu', 'relu', 'gelu']);

export const ffnSchema = z
  .strictObject({
    width: count.describe('Hidden width of the feed-forward layers that are not routed.'),
    activation: activationSchema
      .default('swiglu')
      .describe('swiglu has three matrices, W2(silu(W3 x) * W1 x); relu and gelu have two. Experts use the same one.'),
  })
  .describe('The feed-forward layers that are not routed.');

export const moeSchema = z
  .strictObject({
    kind: z
      .enum(['smoe', 'mh-moe'])
      .describe('smoe routes tokens (2101.03961); mh-moe splits each token into sub-tokens and routes those (2411.16205).'),
    every: count.default(2).describe('Every how many layers the feed-forward is routed: 2 means layers 1, 3, 5, ... counted from 0.'),
    heads: count.default(1).describe('Sub-tokens per token (mh-moe). d_model must be divisible by it.'),
    head_layer: z.boolean().default(true).describe('mh-moe: the d x d projection before the split into sub-tokens.'),
    merge_layer: z.boolean().default(true).describe('mh-moe: the d x d projection after the sub-tokens are joined again.'),
    experts: count.describe('Routed experts in each routed layer.'),
    top_k: count.describe('Experts that each routed unit (token or sub-token) uses.'),
    expert_width: count.describe('Hidden width of one expert.'),
    shared_width: z.int().nonnegative().default(0).describe('Hidden width of an always-on expert that sees the whole token; 0 for none.'),
    renormalize: z.boolean().default(false).describe('Scale the chosen gate weights to sum 1. Off is what the released MH-MoE code does.'),
    balance_weight: z
      .number()
      .nonnegative()
      .default(0.01)
      .describe(
        'Weight of the load-balancing loss E * sum(F_e P_e) of each routed layer, F_e from first choices (GShard); summed over layers.',
      ),
  })
  .describe('Routed feed-forward layers. Leave it out for a dense model.');

export const modelSchema = z
  .strictObject({
    vocabulary: count.default(256).describe('Tokens in the vocabulary; 256 for bytes.'),
    d_model: count.describe('Width of the residual stream.'),
    layers: count.max(256).describe('Transformer layers.'),
    context: count.describe('Tokens in a training window.'),
    attention: attentionSchema,
    ffn: ffnSchema,
    moe: moeSchema.optional(),
  })
  .describe('The model: a pre-norm decoder with RMSNorm and tied embeddings.');

export const trainSchema = z
  .strictObject({
    steps: count.describe('Optimiser steps.'),
    batch_tokens: count.describe('Tokens in an optimiser step; divisible by micro_batch * context.'),
    micro_batch: count
      .default(8)
      .describe('Windows computed at once; gradients accumulate over batch_tokens / (micro_batch * context) of them.'),
    learning_rate: z.number().positive().default(1e-3).describe('Peak learning rate.'),
    min_learning_rate: z.number().nonnegative().default(1e-4).describe('Learning rate at the last step.'),
    warmup: z.int().nonnegative().default(100).describe('Steps over which the learning rate rises linearly from 0 to its peak.'),
    schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine').describe('How the learning rate falls after the warm-up.'),
    betas: z.tuple([fraction, fraction]).default([0.9, 0.95]).describe('AdamW moment decay rates.'),
    epsilon: z.number().positive().default(1e-8).describe('AdamW epsilon, outside the square root.'),
    weight_decay: z.number().nonnegative().default(0.1).describe('Decoupled weight decay of matrices; norms have none.'),
    clip: z.number().nonnegative().default(1).describe('Global gradient norm is clipped to this; 0 for never.'),
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
    every: count.default(250).describe('Validate every this many steps, and at the end.'),
  })
  .describe('When validation happens.');

export const checkpointSchema = z
  .strictObject({
    every: count.default(500).describe('Write a checkpoint every this many steps, and at the end.'),
    keep: count.default(2).describe('Newest checkpoints kept.'),
  })
  .describe('Checkpoints: safetensors and the trainer state, enough to resume exactly.');

export const engineSchema = z
  .strictObject({
    device: z.enum(['cpu', 'webgpu']).default('cpu').describe('cpu, or webgpu for a GPU.'),
    threads: z
      .int()
      .nonnegative()
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
        'Another config, relative to this file, whose values, but for its name, hold where this one says nothing. Mappings are merged, lists replaced; an optional key without a value takes away what the base says.',
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
export type ModelConfig = z.infer<typeof modelSchema>;
export type TrainConfig = z.infer<typeof trainSchema>;
export type DataConfig = z.infer<typeof dataSchema>;
/** A config with every default filled in. `train` and `data` may be absent: such a config can be counted but not run. */
export type Experiment = z.infer<typeof experimentSchema>;
/** A config that can be trained. */
export type RunnableExperiment = Experiment & { readonly train: TrainConfig; readonly data: DataConfig };
