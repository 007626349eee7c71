import type { ModelConfig, MoeConfig } from './schema';

/** Routed units that a token becomes: `heads` sub-tokens with mh-moe, itself with smoe. */
export function unitsPerToken({ kind, heads }: Pick<MoeConfig, 'kind' | 'heads'>): number {
  return kind === 'mh-moe' ? heads : 1;
}

/** Matrices of one feed-forward network or expert. */
export function matricesPerExpert({ ffn }: Pick<ModelConfig, 'ffn'>): number {
  return ffn.activation === 'swiglu' ? 3 : 2;
}

/** How many of the head and the merge layer are left out. */
export function projectionsLeftOut(moe: Pick<MoeConfig, 'head_layer' | 'merge_layer'>): number {
  return (moe.head_layer ? 0 : 1) + (moe.merge_layer ? 0 : 1);
}

/**
 * By how much `ablation: iso_mac` widens each expert (2411.16205 Table 4): freed / shared = left d / (n k), n matrices per expert. Whole in a
 * config without errors.
 */
export function isoMacWidening(model: ModelConfig, moe: MoeConfig): { readonly freed: number; readonly shared: number } {
  return { freed: projectionsLeftOut(moe) * model.d_model, shared: matricesPerExpert(model) * moe.top_k };
}
