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

export interface ExpertShape {
  readonly experts: number;
  /** Hidden width of one expert. */
  readonly width: number;
}

/** Whether `ablation: iso_mac` changes the experts. */
export function isIsoMac(moe: MoeConfig): boolean {
  return moe.kind === 'mh-moe' && moe.ablation === 'iso_mac' && projectionsLeftOut(moe) > 0;
}

/**
 * Number and width of the experts that a routed layer gets, n matrices each. `iso_mac` (2411.16205 Table 4): `experts` and `expert_width`
 * describe MH-MoE with head and merge layer; each of the two left out frees d^2 MACs per token, which the experts get,
 *
 *     f' = f + left d / (n k)                                          so that  n d f' k = left d^2 + n d f k,
 *     E' = round( (left d^2 + n (d/h) f E) / (n (d/h) f') )            nearest in parameters.
 *
 * E' is a mean of E and h k before it is rounded, so at least k. Else, and for smoe, it is what the config says. f' is whole in a config
 * without errors.
 */
export function resultingExperts(model: ModelConfig, moe: MoeConfig): ExpertShape {
  if (!isIsoMac(moe)) return { experts: moe.experts, width: moe.expert_width };
  const { d_model: d } = model;
  const n = matricesPerExpert(model);
  const { freed, shared } = isoMacWidening(model, moe);
  const width = moe.expert_width + freed / shared;
  const inputs = d / moe.heads;
  const parameters = projectionsLeftOut(moe) * d * d + n * inputs * moe.expert_width * moe.experts;
  return { experts: Math.round(parameters / (n * inputs * width)), width };
}

/**
 * Whether an expert can have more units than it may take. None has more than one choice of each unit, so ceil(factor k units / experts) of
 * at least `units` never drops.
 */
export function canDrop(model: ModelConfig, moe: MoeConfig): boolean {
  const { capacity_factor: factor, select } = moe.router;
  return factor !== undefined && select !== 'expert_choice' && factor * moe.top_k < resultingExperts(model, moe).experts;
}

/** Whether every unit uses each of the experts, so that none is chosen. */
export function usesAllExperts(model: ModelConfig, moe: MoeConfig): boolean {
  return leastChoices(moe) === resultingExperts(model, moe).experts;
}

/**
 * By how much `ablation: iso_mac` widens each expert (2411.16205 Table 4): freed / shared = left d / (n k), n matrices per expert. Whole in
 * a config without errors.
 */
export function isoMacWidening(model: ModelConfig, moe: MoeConfig): { readonly freed: number; readonly shared: number } {
  return { freed: projectionsLeftOut(moe) * model.d_model, shared: matricesPerExpert(model) * moe.top_k };
}

/**
 * Whether units take different numbers of experts. `top_k` is the mean that `dynamic` aims at, and has exactly with `budget`; with `top_p`
 * counts assume it.
 */
export function choicesVary({ router }: Pick<MoeConfig, 'router'>): boolean {
  return router.select === 'dynamic' || router.select === 'top_p';
}

/** The most experts that a unit takes: `top_k`, but where units take different numbers `k_max`, or what holds in its absence. */
export function mostChoices(model: ModelConfig, moe: MoeConfig): number {
  const { experts } = resultingExperts(model, moe);
  const { select, k_max: most } = moe.router;
  if (select === 'dynamic') return most ?? Math.min(2 * moe.top_k, experts);
  return select === 'top_p' ? (most ?? experts) : moe.top_k;
}

/** The fewest experts that a unit takes. */
export function leastChoices({ top_k: k, router }: MoeConfig): number {
  if (router.select === 'dynamic') return router.k_min;
  return router.select === 'top_p' ? 1 : k;
}

/**
 * How many experts every unit takes where `select` leaves it no choice: as many as it may with `top_p: 1`, which a softmax reaches with all
 * of them only. Undefined where numbers vary by what the router says; counts assume `top_k` all the same.
 */
export function choicesOfWholeSum(model: ModelConfig, moe: MoeConfig): number | undefined {
  const { select, top_p: share, score } = moe.router;
  return select === 'top_p' && share >= 1 && score === 'softmax' ? mostChoices(model, moe) : undefined;
}

/** The mean number of experts that a config by itself says: `top_k`, where it leaves units a choice. */
export function meantChoices(model: ModelConfig): number {
  const { moe } = model;
  return moe === undefined ? 1 : (choicesOfWholeSum(model, moe) ?? moe.top_k);
}
