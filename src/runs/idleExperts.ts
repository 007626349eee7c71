import type { ExpertFrame, IdleExperts, RunDescription } from './format';

/** An expert is idle that gets less than this of an even share. */
const idleShare = 0.1;
/** Choices that there must be for each expert, on average: of ten an expert that is used like the others gets none once in 20,000 times. */
const choicesPerExpert = 10;

/** Steps that idle experts are counted over, at least: one batch says little. */
const leastSteps = 20;

/** Steps that idle experts are counted over: a hundredth of the training. */
export function idleExpertsSteps(totalSteps: number): number {
  return Math.max(leastSteps, Math.ceil(totalSteps / 100));
}

/**
 * The routed layer whose experts are idle to the largest share, by the counts of frames that cover `steps` steps; of equals the first.
 * Undefined where no layer has counts enough to say.
 */
export function idleExperts(
  routedLayers: readonly Pick<RunDescription['routedLayers'][number], 'name' | 'experts'>[],
  frames: readonly Pick<ExpertFrame, 'layer' | 'counts'>[],
  steps: number,
): IdleExperts | undefined {
  const layers = routedLayers.flatMap(({ name, experts }, layer) => {
    const counts = new Float64Array(experts);
    for (const frame of frames)
      if (frame.layer === layer) frame.counts.forEach((count, expert) => (counts[expert] = (counts[expert] ?? 0) + count));
    const even = counts.reduce((sum, count) => sum + count, 0) / experts;
    if (even < choicesPerExpert) return [];
    return [{ layer: name, experts, idle: counts.filter((count) => count < idleShare * even).length, steps }];
  });
  return layers.toSorted((one, other) => other.idle / other.experts - one.idle / one.experts)[0];
}
