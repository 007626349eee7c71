import { causality } from '../../config/causality';
import { experimentSchema } from '../../config/schema';

/**
 * Why the outputs of a run's model depend on later tokens, so that its perplexity is not comparable to a causal model's; each a sentence.
 * Empty for a causal model, and for an experiment (of run.json) that this version does not understand.
 */
export function notCausalReasons(experiment: unknown): readonly string[] {
  const parsed = experimentSchema.safeParse(experiment);
  return parsed.success ? causality(parsed.data).reasons.map(({ reason }) => reason) : [];
}
