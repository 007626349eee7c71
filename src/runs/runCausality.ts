import { causality, type Causality } from '../config/causality';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import type { RunDescription } from './format';

/** Whether a run's perplexity is that of a language model; undefined where this version does not understand its config. */
export function runCausality(description: Pick<RunDescription, 'experiment'>): Causality | undefined {
  const { experiment } = readResolvedExperiment(description.experiment);
  return experiment && causality(experiment);
}
