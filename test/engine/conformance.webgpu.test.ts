import { afterAll, describe, expect, it, vi } from 'vitest';
import { buildLanguageModel } from '../../src/models/languageModel';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { describeConformance, trainingTask } from './conformance';
import { runTraining } from './support/deviceTasks';
import { findGpu, gpuRunner } from './support/gpu';
import { stepProgram } from './support/stepProgram';

// Compiling shaders for a software GPU takes long, and longer on a busy machine.
vi.setConfig({ testTimeout: 900_000 });

const gpu = await findGpu();
if ('reason' in gpu) {
  process.stderr.write(`WebGPU conformance skipped: ${gpu.reason}\n`);
  describe.skip(`WebGPU (${gpu.reason})`, () => {
    it('needs an adapter');
  });
} else {
  const runner = await gpuRunner(gpu.environment);
  afterAll(() => runner.end());
  describeConformance(() => runner);

  it.each(layerKinds)('no graph of a training step leaves the device: $name', async ({ model }) => {
    const program = buildLanguageModel(tinyExperiment(model));
    const copies = await runner.copies({ kind: 'copies', program, bindings: { batch: 2, time: 6 } });
    expect(copies).toMatchObject({ training: 0, accumulate: 0, sumOfSquares: 0, adamw: 0 });
    expect(new Set(Object.values(copies))).toEqual(new Set([0]));
  });

  it('no graph of a step with statistics, noise and buffers leaves the device', async () => {
    const program = stepProgram({ running: true, capacity: 1 });
    const copies = await runner.copies({ kind: 'copies', program, bindings: { batch: 2, time: 6 } });
    expect(copies).toEqual({ statistics: 0, bufferUpdate: 0, training: 0, accumulate: 0, sumOfSquares: 0, adamw: 0 });
  });

  it('a step leaves nothing on the device but the state, with statistics and buffers too, also when it is not finite', async () => {
    const program = stepProgram({ running: true, capacity: 1 });
    const task = trainingTask(program, 4);
    const training = {
      ...task,
      steps: task.steps.map((step, index) => (index === 1 ? { ...step, scalars: { step: 2, learningRate: 1e30 } } : step)),
    };
    const live = await runner.liveTensors({ kind: 'liveTensors', training });
    const state = 3 * program.parameters.length + program.buffers.length;
    expect(live).toEqual([state, state, state, state, 0]);
  });

  it('ten steps with statistics, noise, capacity and buffers agree with the CPU', async () => {
    const task = trainingTask(stepProgram({ running: true, capacity: 1.5 }), 10);
    const [onGpu, onCpu] = [await runner.train(task), await runTraining('cpu', task)];
    const figures = ({ metrics }: typeof onGpu) =>
      metrics.flatMap(({ loss, balance, zLoss, dropRate }) => [loss, balance, zLoss, dropRate]);
    figures(onGpu).forEach((figure, index) => expect(figure).toBeCloseTo(figures(onCpu)[index] ?? Number.NaN, 4));
    const buffers = ({ final }: typeof onGpu) => final.filter(({ kind }) => kind === 'buffer').flatMap(({ data }) => [...data]);
    buffers(onGpu).forEach((value, index) => expect(value).toBeCloseTo(buffers(onCpu)[index] ?? Number.NaN, 4));
  });

  it('fifty steps agree with the CPU to 1e-3 in loss', async () => {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7 } }));
    const task = trainingTask(program, 50);
    const [onGpu, onCpu] = [await runner.train(task), await runTraining('cpu', task)];
    const differences = onGpu.metrics.map(({ loss }, index) => Math.abs(loss - (onCpu.metrics[index]?.loss ?? Number.NaN)));
    expect(Math.max(...differences)).toBeLessThan(1e-3);
    expect(onGpu.metrics).toHaveLength(50);
  });
}
