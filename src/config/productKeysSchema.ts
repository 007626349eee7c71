import * as z from 'zod';
import { count, layerList, most } from './schemaBounds';

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
