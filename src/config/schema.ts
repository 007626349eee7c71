import * as z from 'zod';
import { attentionSchema, type attentionMoeSchema } from './attentionSchema';
import { bitnetSchema } from './bitnetSchema';
import { ffnSchema, type activationSchema } from './feedForwardSchema';
import { lintSchema } from './lintSchema';
import { moeSchema } from './moeSchema';
import { productKeysSchema } from './productKeysSchema';
import type { routerSchema } from './routerSchema';
import { checkpointSchema, dataSchema, engineSchema, evaluateSchema } from './runSchemas';
import { count, most } from './schemaBounds';

/**
 * The experiment config `*.moe.yaml`: one schema gives the TypeScript types, the validation, the defaults and the descriptions
 * that hovers, the JSON Schema and docs/config.md show. Keys are snake_case as in YAML.
 */

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

const decay = z.number().min(0).max(0.999999);
const share = z.number().min(0).max(1);

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

/** Only its form; `config/sweep.ts` reads it, member by member, and an experiment has none. */
const sweepSchema = z
  .union([z.record(z.string().min(1), z.array(z.unknown())), z.array(z.record(z.string().min(1), z.unknown()))])
  .describe(
    'A family of experiments, each a run: a mapping of dotted keys to lists of values (all combinations), as in `model.moe.top_k: [1, 2]`, or a list of mappings of dotted keys to values, for keys that must move together. At most 64 members. Not inherited through `extends`.',
  );

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
    sweep: sweepSchema.optional(),
    lint: lintSchema.optional(),
  })
  .describe('An experiment of MoE Lab.');

export type ActivationFunction = z.infer<typeof activationSchema>;
export type MoeConfig = z.infer<typeof moeSchema>;
export type AttentionMoeConfig = z.infer<typeof attentionMoeSchema>;
export type ProductKeysConfig = z.infer<typeof productKeysSchema>;
export type RouterConfig = z.infer<typeof routerSchema>;
export type BitnetConfig = z.infer<typeof bitnetSchema>;
export type MaskingConfig = z.infer<typeof maskingSchema>;
export type ModelConfig = z.infer<typeof modelSchema>;
export type TrainConfig = z.infer<typeof trainSchema>;
export type DataConfig = z.infer<typeof dataSchema>;
/** A config with every default filled in. `train` and `data` may be absent: such a config can be counted but not run. */
export type Experiment = Omit<z.infer<typeof experimentSchema>, 'lint'>;
/** A config as it is written, defaults left out. */
export type ExperimentInput = z.input<typeof experimentSchema>;
/** A config that can be trained. */
export type RunnableExperiment = Experiment & { readonly train: TrainConfig; readonly data: DataConfig };
