import type { ModelConfig } from './schema';

/** Every second layer, as in 2411.16205 section 3, where the config does not say. */
export const DEFAULT_EVERY = 2;

/** Whether layer `index` (from 0) is routed: as `moe.layers` lists them, or with every = 2 layers 1, 3, 5, ... */
export function isRoutedLayer({ moe }: Pick<ModelConfig, 'moe'>, index: number): boolean {
  if (moe === undefined) return false;
  return moe.layers === undefined ? (index + 1) % (moe.every ?? DEFAULT_EVERY) === 0 : moe.layers.includes(index);
}

/** Whether any layer is routed: `every` may be more than there are layers. */
export function hasRoutedLayer(model: Pick<ModelConfig, 'moe' | 'layers'>): boolean {
  return Array.from({ length: model.layers }, (_, index) => index).some((index) => isRoutedLayer(model, index));
}

/**
 * The layers, from 0, whose feed-forward network retrieves by product keys: as `product_keys.layers` lists them, else the middle one, which
 * is layer 5 of 12 (2407.04153 section 3). None without product keys. A config without errors routes none of them by `moe`.
 */
export function productKeyLayers({ product_keys: keys, layers }: Pick<ModelConfig, 'product_keys' | 'layers'>): readonly number[] {
  if (keys === undefined) return [];
  return keys.layers ?? [Math.ceil(layers / 2) - 1];
}

export function isProductKeyLayer(model: Pick<ModelConfig, 'product_keys' | 'layers'>, index: number): boolean {
  return productKeyLayers(model).includes(index);
}
