import { learningRateAt } from '../../src/training/schedule';
import type { StateTensor } from '../../src/engine/engine';
import type { DeviceRunner, TrainingTask, ValuesTask } from '../engine/support/deviceTasks';
import { expectClose, expectFigures, expectTensors, expectUse, FLOAT32 } from './closeness';
import {
  batchOf,
  bindings,
  evaluationsOf,
  type GoldenTensors,
  type MechanismCase,
  type ModelCase,
  modelProgram,
  sessionOptions,
} from './goldenFiles';
import { mechanismProgram } from './mechanismProgram';

/** Outputs and gradients of a mechanism on a device. */
export async function expectMechanism(runner: Pick<DeviceRunner, 'values'>, golden: MechanismCase): Promise<void> {
  const { program, feeds, expectations } = mechanismProgram(golden);
  const task: ValuesTask = {
    kind: 'values',
    mode: 'training',
    program,
    bindings,
    feeds: [...feeds].map(([value, { data }]) => [value, data instanceof Int32Array ? data : Float32Array.from(data)] as const),
    wanted: expectations.map(({ value }) => value),
  };
  const { values } = await runner.values(task);
  expectations.forEach(({ what, data }, index) => expectClose(values[index]?.data, data, FLOAT32, what));
}

function stateOf(kind: StateTensor['kind'], tensors: GoldenTensors): StateTensor[] {
  return Object.entries(tensors).map(([name, { shape, data }]) => ({ kind, name, shape, offset: 0, data: Float32Array.from(data) }));
}

/** The optimiser steps of a case and its evaluation in a session of the engine. */
export async function expectTraining(runner: Pick<DeviceRunner, 'train'>, golden: ModelCase): Promise<void> {
  const task: TrainingTask = {
    kind: 'training',
    program: modelProgram(golden),
    options: sessionOptions(golden),
    state: [...stateOf('parameter', golden.weights), ...stateOf('buffer', golden.buffers)],
    steps: golden.steps.map(({ microbatches }, index) => ({
      microbatches: microbatches.map(batchOf),
      scalars: { step: index + 1, learningRate: learningRateAt(index + 1, golden.train) },
    })),
    evaluate: evaluationsOf(golden).map(({ batch }) => batchOf(batch)),
  };
  const { metrics, evaluations, final } = await runner.train(task);
  golden.steps.forEach((expected, index) => {
    const [found, what] = [metrics[index], `step ${index + 1}`];
    if (found === undefined) throw new RangeError(`There is no ${what}.`);
    const names = ['loss', 'crossEntropy', 'balance', 'zLoss', 'dropRate', 'gradientNorm'] as const;
    expectFigures(found, expected, names, FLOAT32, what);
    expectUse(found, expected, FLOAT32, what);
  });
  const of = (kind: StateTensor['kind']): StateTensor[] => final.filter((tensor) => tensor.kind === kind);
  expectTensors(of('parameter'), golden.after, FLOAT32, 'after all steps');
  expectTensors(of('buffer'), golden.buffersAfter, FLOAT32, 'after all steps');
  evaluationsOf(golden).forEach((expected, index) => {
    const [found, what] = [evaluations[index], `evaluation ${index + 1}`];
    if (found === undefined) throw new RangeError(`There is no ${what}.`);
    expectFigures(found, expected, ['negativeLogLikelihood', 'dropRate'], FLOAT32, what);
    expectUse(found, expected, FLOAT32, what);
  });
}
