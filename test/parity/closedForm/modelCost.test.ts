import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { presets } from '../../../src/config/presets/catalogue';
import { experimentSchema, type Experiment } from '../../../src/config/schema';
import { countModel } from '../../../src/models/count';
import { buildLanguageModel } from '../../../src/models/languageModel';
import { modelCost } from '../../../src/parity/closedForm/modelCost';
import { modelTotals, placementOf } from '../../../src/parity/closedForm/modelTotals';
import { layerKinds, tinyExperiment } from '../../support/experiments';
import { randomExperiment } from '../../support/randomExperiments';

function expectEqual(experiment: Experiment): void {
  expect(modelCost(experiment.model)).toEqual(countModel(buildLanguageModel(experiment), experiment.model));
}

describe('the totals that the solver goes by', () => {
  it('are those of the whole model', () => {
    fc.assert(
      fc.property(randomExperiment, ({ model }) => {
        const { parameters, macsPerToken } = modelCost(model);
        expect(modelTotals(model, placementOf(model))).toEqual({
          parameters: parameters.total - parameters.router,
          routerParameters: parameters.router,
          macs: macsPerToken.total - macsPerToken.router,
          routerMacs: macsPerToken.router,
        });
      }),
      { seed: 2411, endOnFailure: true, numRuns: 300 },
    );
  });
});

describe('the cost of a model in closed form is what its program counts', () => {
  it.each(layerKinds)('$name', ({ model }) => {
    expectEqual(tinyExperiment(model));
  });

  it.each(presets.map((preset) => [preset.id, preset] as const))('preset %s', (_, preset) => {
    expectEqual(experimentSchema.parse(preset.experiment));
  });

  it('random experiments', () => {
    fc.assert(fc.property(randomExperiment, expectEqual), {
      seed: 2411,
      endOnFailure: true,
      numRuns: Number(process.env.RANDOM_EXPERIMENTS ?? 500),
    });
  });
});
