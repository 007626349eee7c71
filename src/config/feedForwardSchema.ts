import * as z from 'zod';
import { count, most } from './schemaBounds';

export const activationSchema = z.enum(['swiglu', 'relu', 'gelu']);

export const ffnSchema = z
  .strictObject({
    width: count(most.width).describe('Hidden width of the feed-forward layers that are not routed.'),
    activation: activationSchema
      .default('swiglu')
      .describe('swiglu has three matrices, W2(silu(W3 x) * W1 x); relu and gelu have two. Experts use the same one.'),
  })
  .describe('The feed-forward layers that are not routed.');
