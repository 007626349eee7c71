import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { presets } from '../../src/config/presets/catalogue';
import { experimentSchema, type Experiment } from '../../src/config/schema';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { outlineLanguageModel } from '../../src/models/outline';
import { trainingNeeds } from '../../src/worker/runNeeds';
import { randomExperiment } from '../support/randomExperiments';

/** Random models have few layers, and outlines are about many that are alike. */
function deeper(experiment: Experiment, layers: number): Experiment {
  return { ...experiment, model: { ...experiment.model, layers: experiment.model.layers + layers } };
}

/** vitest compares slowly what is long; it says where they differ. */
function expectEqual(one: unknown, other: unknown): void {
  if (!isDeepStrictEqual(one, other)) expect(one).toEqual(other);
}

function expectSameFigures(experiment: Experiment): void {
  const [whole, outline] = [buildLanguageModel(experiment), outlineLanguageModel(experiment)];
  expectEqual(countModel(outline, experiment.model), countModel(whole, experiment.model));
  expectEqual(trainingNeeds(experiment, outline), trainingNeeds(experiment, whole));
}

describe('an outline', () => {
  it('has the figures of the whole program, whatever is in its layers', () => {
    fc.assert(
      fc.property(randomExperiment, fc.integer({ min: 0, max: 9 }), (experiment, more) => expectSameFigures(deeper(experiment, more))),
      { numRuns: 150, endOnFailure: true },
    );
  });

  it('has them for every published model, trained in microbatches', () => {
    for (const preset of presets) {
      const { model, ...rest } = experimentSchema.parse(preset.experiment);
      const training = { steps: 100, micro_batch: 2, batch_tokens: 8 * model.context };
      expectSameFigures(experimentSchema.parse({ ...rest, model, train: training }));
    }
  });

  it('has as many nodes for 48 layers as for 2 of the same kinds', () => {
    const model = {
      d_model: 8,
      context: 4,
      attention: { heads: 2 },
      ffn: { width: 8 },
      moe: { kind: 'smoe', experts: 2, top_k: 1, expert_width: 8 },
    };
    const nodes = (layers: number): number => outlineLanguageModel(experimentSchema.parse({ model: { ...model, layers } })).nodes.length;
    expect(nodes(48)).toBe(nodes(2));
    expect(nodes(2)).toBe(buildLanguageModel(experimentSchema.parse({ model: { ...model, layers: 2 } })).nodes.length);
  });
});
