import { hasRoutedLayer, productKeyLayers } from '../config/placement';
import type { ModelConfig } from '../config/schema';

/** Whether each token uses a part of the parameters only: then at equal MACs there can be many times as many as in a dense model. */
export function isSparse(model: ModelConfig): boolean {
  return hasRoutedLayer(model) || productKeyLayers(model).length > 0 || model.attention.moe !== undefined;
}
