import type { RunDescription } from './format';

/** Whether a token may use fewer parameters than are counted as active. */
export function activeIsUpperBound({ parameters, routedLayers }: Pick<RunDescription, 'parameters' | 'routedLayers'>): boolean {
  // A run of before 0.2.0 routes tokens, or sub-tokens that share their experts.
  return parameters.activeIsUpperBound ?? routedLayers.some((layer) => layer.unitsPerToken > 1);
}
