import { isoMacWidening, matricesPerExpert, projectionsLeftOut, resultingExperts } from '../config/moeShape';
import type { ExpertShape } from '../config/moeShape';
import type { ModelConfig, MoeConfig } from '../config/schema';

/** An ablation that no whole width of experts fits. */
export class AblationError extends RangeError {
  override readonly name = 'AblationError';
}

/**
 * Number and width of the experts that a routed layer has, as `resultingExperts` defines them. Throws AblationError for a width that is not
 * whole.
 */
export function expertShape(model: ModelConfig, moe: MoeConfig): ExpertShape {
  const shape = resultingExperts(model, moe);
  if (!Number.isInteger(shape.width)) {
    const { freed, shared } = isoMacWidening(model, moe);
    throw new AblationError(
      `ablation: iso_mac widens the experts by ${projectionsLeftOut(moe)} d_model / (${matricesPerExpert(model)} top_k) = ${freed} / ${shared}, which is not a whole number. Choose a d_model or top_k that divides, or ablation: remove_only.`,
    );
  }
  return shape;
}
