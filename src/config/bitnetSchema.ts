import * as z from 'zod';

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
