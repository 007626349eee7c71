import type { ModelConfig } from '../config/schema';
import { headWidth } from '../config/attentionShape';
import { isProductKeyLayer, isRoutedLayer } from '../config/placement';

/** What the code of 2312.07987 has beyond a model here (RobertCsordas/moe_attention at 7169ad3). */
export interface PublishedParameters {
  /** Biases of the two matrices of every dense feed-forward network; its experts have none. */
  readonly feedForward: number;
  /** Bias of the output layer. */
  readonly output: number;
  /** u and v of Transformer-XL, two vectors for each head of dense attention with relative positions; its SwitchHead has none. */
  readonly attention: number;
  /** All parameters of the code. */
  readonly total: number;
}

/** `parameters` are those of the model here. */
export function publishedParameters(model: ModelConfig, parameters: number): PublishedParameters {
  const { attention } = model;
  const denseLayers = Array.from({ length: model.layers }, (_, index) => index).filter(
    (index) => !isRoutedLayer(model, index) && !isProductKeyLayer(model, index),
  ).length;
  const feedForward = denseLayers * (model.ffn.width + model.d_model);
  const output = model.vocabulary;
  const vectors = attention.moe === undefined && attention.position === 'xl' ? model.layers * 2 * attention.heads * headWidth(model) : 0;
  return { feedForward, output, attention: vectors, total: parameters + feedForward + output + vectors };
}
