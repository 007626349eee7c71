import type { ModelConfig } from '../config/schema';

/** Every second layer, as in 2411.16205 section 3, where the config does not say. */
const DEFAULT_EVERY = 2;

/** Whether layer `index` (from 0) is routed: as `moe.layers` lists them, or with every = 2 layers 1, 3, 5, ... */
export function isRoutedLayer(model: ModelConfig, index: number): boolean {
  const { moe } = model;
  if (moe === undefined) return false;
  return moe.layers === undefined ? (index + 1) % (moe.every ?? DEFAULT_EVERY) === 0 : moe.layers.includes(index);
}
