import type { KeyPath } from '../config/yamlTree';

/** A key that decides what a model costs. */
export interface SizeKey {
  readonly path: KeyPath;
  /** A whole number that every cost is a straight line of, all else equal, so that its best value can be computed. */
  readonly linear: boolean;
}

const linear = (...path: KeyPath): SizeKey => ({ path, linear: true });
const other = (...path: KeyPath): SizeKey => ({ path, linear: false });

/** Of `model:`, all that counts of parameters and MACs depend on. */
export const sizeKeys: readonly SizeKey[] = [
  linear('model', 'moe', 'expert_width'),
  linear('model', 'moe', 'experts'),
  linear('model', 'moe', 'top_k'),
  linear('model', 'moe', 'shared_width'),
  other('model', 'moe', 'heads'),
  other('model', 'moe', 'head_layer'),
  other('model', 'moe', 'merge_layer'),
  other('model', 'moe', 'ablation'),
  other('model', 'moe', 'every'),
  other('model', 'moe', 'layers'),
  other('model', 'moe', 'kind'),
  linear('model', 'ffn', 'width'),
  other('model', 'ffn', 'activation'),
  linear('model', 'attention', 'head_width'),
  linear('model', 'attention', 'moe', 'experts'),
  linear('model', 'attention', 'moe', 'top_k'),
  other('model', 'attention', 'moe', 'projections'),
  other('model', 'attention', 'moe', 'shared_selection'),
  other('model', 'attention', 'heads'),
  other('model', 'attention', 'kv_heads'),
  other('model', 'attention', 'position'),
  linear('model', 'product_keys', 'top_k'),
  linear('model', 'product_keys', 'key_width'),
  linear('model', 'product_keys', 'heads'),
  other('model', 'product_keys', 'experts'),
  other('model', 'product_keys', 'layers'),
  other('model', 'product_keys', 'kind'),
  other('model', 'product_keys', 'activation'),
  other('model', 'd_model'),
  other('model', 'layers'),
  other('model', 'context'),
  other('model', 'vocabulary'),
  other('model', 'tie_embeddings'),
];
