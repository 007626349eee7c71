import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { presets } from '../../../src/config/presets/catalogue';
import { experimentSchema, type Experiment } from '../../../src/config/schema';
import { countModel } from '../../../src/models/count';
import { buildLanguageModel } from '../../../src/models/languageModel';
import { modelCost } from '../../../src/parity/closedForm/modelCost';
import { layerKinds, tinyExperiment } from '../../support/experiments';
import { randomExperiment } from '../../support/randomExperiments';

function expectEqual(experiment: Experiment): void {
  expect(modelCost(experiment.model)).toEqual(countModel(buildLanguageModel(experiment), experiment.model));
}

describe('the cost of a model in closed form is what its program counts', () => {
  it.each(layerKinds)('$name', ({ model }) => {
    expectEqual(tinyExperiment(model));
  });

  it.each(presets.map((preset) => [preset.id, preset] as const))('preset %s', (_, preset) => {
    expectEqual(experimentSchema.parse(preset.experiment));
  });

  it('random experiments', () => {
    fc.assert(fc.property(randomExperiment, expectEqual), { numRuns: 500 });
  });
});
