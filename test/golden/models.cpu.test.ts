import { describe, it } from 'vitest';
import { denseGradients } from '../support/programs';
import { runTraining, runValues, type ValuesResult } from '../engine/support/deviceTasks';
import { expectClose, expectTensors, FLOAT32 } from './closeness';
import { expectTraining } from './deviceExpectations';
import { batchOf, bindings, modelCases, modelProgram } from './goldenFiles';
import { logitsOf, meanOf, ReferenceTraining } from './referenceTraining';

describe('golden language models, ONNX on the CPU: three steps and an evaluation', () => {
  it.each(modelCases)('$name', (golden) => expectTraining({ train: (task) => runTraining('cpu', task) }, golden));
});

describe('golden language models, ONNX on the CPU: logits and gradients', () => {
  it.each(modelCases.filter(({ steps }) => steps.length > 0))('$name', async (golden) => {
    const training = new ReferenceTraining(modelProgram(golden), bindings, golden.weights, golden.buffers);
    const { program } = training.differentiated;
    const wanted = [logitsOf(program), ...denseGradients(training.differentiated)];
    const runs: Map<number, ValuesResult['values'][number]>[] = [];
    for (const fed of training.feeds((golden.steps[0]?.microbatches ?? []).map(batchOf))) {
      const feeds = [...fed].map(([value, { data }]) => [value, data instanceof Int32Array ? data : Float32Array.from(data)] as const);
      const { values } = await runValues('cpu', { kind: 'values', mode: 'training', program, bindings, feeds, wanted });
      runs.push(new Map(values.map((value, index) => [index, value])));
    }
    expectClose(runs[0]?.get(0)?.data, golden.logits?.data, FLOAT32, 'logits');
    const found = program.parameters.map(({ name }, index) => ({ name, data: meanOf(runs, index + 1) }));
    expectTensors(found, golden.gradients, FLOAT32, 'gradients');
  });
});
