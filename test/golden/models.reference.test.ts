import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import { learningRateAt } from '../../src/training/schedule';
import { load } from '../config/memoryFiles';
import { expectClose, expectFigures, expectTensors, expectUse, FLOAT64 } from './closeness';
import { batchOf, bindings, evaluationsOf, microbatchesOf, modelCases, modelProgram } from './goldenFiles';
import { ReferenceTraining } from './referenceTraining';

describe('golden language models, reference interpreter', () => {
  it.each(modelCases)('$name', (golden) => {
    const training = new ReferenceTraining(
      modelProgram(golden),
      { ...bindings, microbatches: microbatchesOf(golden) },
      golden.weights,
      golden.buffers,
    );
    golden.steps.forEach((expected, index) => {
      const what = `step ${index + 1}`;
      const learningRate = learningRateAt(index + 1, golden.train);
      const found = training.step(expected.microbatches.map(batchOf), { step: index + 1, learningRate });
      if (index === 0) {
        expectClose(found.logits, golden.logits?.data, FLOAT64, 'logits');
        expectTensors(found.gradients, golden.gradients, FLOAT64, 'gradients');
      }
      const figures = { ...found.figures, learningRate, gradientNorm: found.gradientNorm };
      const names = ['learningRate', 'loss', 'crossEntropy', 'balance', 'zLoss', 'dropRate', 'gradientNorm'] as const;
      expectFigures(figures, expected, names, FLOAT64, what);
      expectUse(found, expected, FLOAT64, what);
    });
    expectTensors(training.parameters, golden.after, FLOAT64, 'after all steps');
    expectTensors(training.buffers, golden.buffersAfter, FLOAT64, 'after all steps');
    evaluationsOf(golden).forEach((expected, index) => {
      const [found, what] = [training.evaluate(batchOf(expected.batch)), `evaluation ${index + 1}`];
      expectFigures(found, expected, ['negativeLogLikelihood', 'dropRate'], FLOAT64, what);
      expectUse(found, expected, FLOAT64, what);
    });
    expectTensors(training.buffers, golden.buffersAfter, FLOAT64, 'after evaluation');
  });
});

it.each(modelCases)('$name is a model that a config can ask for', ({ model, train }) => {
  const experiment = experimentSchema.parse({ model, train, data: { train: ['a.txt'] } });
  // The vectors' vocabulary is that of no tokenizer.
  const { findings } = load(JSON.stringify({ ...experiment, model: { ...experiment.model, vocabulary: 257 } }));
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
});

it('no vectors are missing', () => {
  expect(modelCases).toHaveLength(180);
});
