import { valuesOfGradient } from '../../src/graph/gradients';
import { describe, it } from 'vitest';
import type { ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { runTraining, runValues } from '../engine/support/deviceTasks';
import { expectClose, expectTensors, FLOAT32 } from './closeness';
import { expectTraining } from './deviceExpectations';
import { batchOf, bindings, microbatchesOf, modelCases, modelProgram } from './goldenFiles';
import { averagedGradients, logitsOf, ReferenceTraining } from './referenceTraining';

describe('golden language models, ONNX on the CPU: optimiser steps and evaluation', () => {
  it.each(modelCases)('$name', (golden) => expectTraining({ train: (task) => runTraining('cpu', task) }, golden));
});

describe('golden language models, ONNX on the CPU: logits and gradients', () => {
  it.each(modelCases.filter(({ steps }) => steps.length > 0))('$name', async (golden) => {
    const sizes = { ...bindings, microbatches: microbatchesOf(golden) };
    const training = new ReferenceTraining(modelProgram(golden), sizes, golden.weights, golden.buffers);
    const { program, gradients } = training.differentiated;
    const wanted = [...new Set([logitsOf(program), ...gradients.flatMap(valuesOfGradient)])];
    const runs: Map<ValueId, NdArray>[] = [];
    for (const fed of training.feeds((golden.steps[0]?.microbatches ?? []).map(batchOf))) {
      const feeds = [...fed].map(([value, { data }]) => [value, data instanceof Int32Array ? data : Float32Array.from(data)] as const);
      const { values } = await runValues('cpu', { kind: 'values', mode: 'training', program, bindings, feeds, wanted });
      runs.push(
        new Map(
          values.map(({ shape, data }, index): [ValueId, NdArray] => [
            wanted[index] ?? -1,
            { shape, data: data instanceof Int32Array ? data : Float64Array.from(data) },
          ]),
        ),
      );
    }
    expectClose(runs[0]?.get(logitsOf(program))?.data, golden.logits?.data, FLOAT32, 'logits');
    const found = averagedGradients(training.differentiated, runs);
    expectTensors(found, golden.gradients, FLOAT32, 'gradients');
  });
});
