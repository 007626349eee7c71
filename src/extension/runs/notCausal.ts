import type { RunDescription } from '../../runs/format';
import { runCausality } from '../../runs/runCausality';

/**
 * Why the outputs of a run's model depend on later tokens, so that its perplexity is not comparable to a causal model's; each a sentence.
 * Empty for a causal model, and where this version does not understand its config.
 */
export function notCausalReasons(description: Pick<RunDescription, 'experiment'> | undefined): readonly string[] {
  return (description && runCausality(description))?.reasons.map(({ reason }) => reason) ?? [];
}
