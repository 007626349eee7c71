import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { Retrieval, RoutedLayer } from '../graph/program';
import { isProductKeyLayer, isRoutedLayer } from '../config/placement';
import type { ModelConfig, MoeConfig, ProductKeysConfig } from '../config/schema';
import type { Attended, AttentionOutput } from './attention';
import { attention } from './attention';
import type { BalanceScope } from './balance';
import { feedForward } from './feedForward';
import { initialisation } from './initialisation';
import type { RoutedOutput } from './mixtureOfExperts';
import { mixtureOfExperts } from './mixtureOfExperts';
import { residualNorm } from './norm';
import type { Retrieved } from './productKeys';
import { productKeys } from './productKeys';
import { cachedStates } from './relativePositions';

/** What the layers make of the residual stream, and what they leave for the loss and for the views. */
export interface LayersOutput {
  /** The residual stream after the last layer, [tokens, d_model]. */
  readonly x: Tensor;
  /** Routed feed-forward layers, with their parts of the loss. */
  readonly routed: readonly RoutedOutput[];
  /** Everything that routes, attention and feed-forward, in order. */
  readonly routedLayers: readonly RoutedLayer[];
  readonly retrievals: readonly Retrieval[];
}

/** What every layer needs. */
interface Stack {
  readonly builder: ProgramBuilder;
  readonly model: ModelConfig;
  /** Over what routed layers balance. */
  readonly scope: BalanceScope;
  /** With `position: xl`: which windows see the cache of their lane, 1 or 0 [batch]. */
  readonly seen: Tensor | undefined;
}

/** The layers: h = x + attention(norm(x)); x = h + ffn(norm(h)). Residual stream x [tokens, d_model]. */
export function layers(stack: Stack, embedded: Tensor): LayersOutput {
  const { builder, model } = stack;
  const routed: RoutedOutput[] = [];
  const routedLayers: RoutedLayer[] = [];
  const retrievals: Retrieval[] = [];
  const layer = (x: Tensor, index: number): Tensor => {
    const attended = attentionPart(stack, x);
    routedLayers.push(...attended.routedLayers);
    const h = builder.add(x, attended.output);
    if (model.product_keys !== undefined && isProductKeyLayer(model, index)) {
      const retrieved = productKeysPart(stack, h, model.product_keys);
      retrievals.push(retrieved.retrieval);
      return builder.add(h, retrieved.output);
    }
    if (model.moe === undefined || !isRoutedLayer(model, index)) return densePart(stack, h);
    const output = routedPart(stack, h, model.moe, attended.attended);
    routed.push(output);
    routedLayers.push(output.layer);
    return builder.add(h, output.output);
  };
  let x = embedded;
  for (let index = 0; index < model.layers; index++) x = builder.inScope(`layers.${index}`, () => layer(x, index));
  return { x, routed, routedLayers, retrievals };
}

function attentionPart({ builder, model, seen }: Stack, x: Tensor): AttentionOutput {
  return builder.inScope('attention', () => {
    const norm = residualNorm(builder, 'norm', model);
    if (seen === undefined) return attention(builder, norm(x), model);
    const states = norm(cachedStates(builder, x, model.d_model));
    return attention(builder, norm(x), model, { states, seen });
  });
}

function routedPart({ builder, model, scope }: Stack, h: Tensor, moe: MoeConfig, attended: Attended): RoutedOutput {
  return builder.inScope('moe', () => mixtureOfExperts(builder, residualNorm(builder, 'norm', model)(h), model, moe, { scope, attended }));
}

function productKeysPart({ builder, model }: Stack, h: Tensor, keys: ProductKeysConfig): Retrieved {
  return builder.inScope('product_keys', () => productKeys(builder, residualNorm(builder, 'norm', model)(h), model, keys));
}

function densePart({ builder, model }: Stack, h: Tensor): Tensor {
  const { d_model: inputs, bitnet } = model;
  const options = { ...model.ffn, inputs, bitnet, role: 'ffn', initialisation: initialisation(model) } as const;
  return builder.inScope('ffn', () => builder.add(h, feedForward(builder, residualNorm(builder, 'norm', model)(h), options)));
}
