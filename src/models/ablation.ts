import { isoMacWidening, matricesPerExpert, projectionsLeftOut } from '../config/moeShape';
import type { ModelConfig, MoeConfig } from '../config/schema';

export interface ExpertShape {
  readonly experts: number;
  /** Hidden width of one expert. */
  readonly width: number;
}

/** An ablation that no whole width of experts fits. */
export class AblationError extends RangeError {
  override readonly name = 'AblationError';
}

/**
 * Number and width of the experts that a routed layer has, n matrices each. `iso_mac` (2411.16205 Table 4): `experts` and `expert_width`
 * describe MH-MoE with head and merge layer; each of the two left out frees d^2 MACs per token, which the experts get,
 *
 *     f' = f + left d / (n k)                                          so that  n d f' k = left d^2 + n d f k,
 *     E' = round( (left d^2 + n (d/h) f E) / (n (d/h) f') )            nearest in parameters.
 *
 * E' is a mean of E and h k before it is rounded, so at least k. Else, and for smoe, it is what the config says.
 */
export function expertShape(model: ModelConfig, moe: MoeConfig): ExpertShape {
  const configured = { experts: moe.experts, width: moe.expert_width };
  const left = projectionsLeftOut(moe);
  if (moe.kind !== 'mh-moe' || moe.ablation !== 'iso_mac' || left === 0) return configured;

  const { d_model: d } = model;
  const n = matricesPerExpert(model);
  const { freed, shared } = isoMacWidening(model, moe);
  const width = moe.expert_width + freed / shared;
  if (!Number.isInteger(width)) {
    throw new AblationError(
      `ablation: iso_mac widens the experts by ${left} d_model / (${n} top_k) = ${freed} / ${shared}, which is not a whole number. Choose a d_model or top_k that divides, or ablation: remove_only.`,
    );
  }
  const inputs = d / moe.heads;
  const parameters = left * d * d + n * inputs * moe.expert_width * moe.experts;
  return { experts: Math.round(parameters / (n * inputs * width)), width };
}
