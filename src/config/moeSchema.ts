import * as z from 'zod';
import { routerSchema } from './routerSchema';
import { count, layerList, most } from './schemaBounds';

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
