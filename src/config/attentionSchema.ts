import * as z from 'zod';
import { count, most } from './schemaBounds';

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
