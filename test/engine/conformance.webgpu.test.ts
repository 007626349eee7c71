import { afterAll, describe, expect, it, vi } from 'vitest';
import { buildLanguageModel } from '../../src/models/languageModel';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { describeConformance, trainingTask } from './conformance';
import { runTraining } from './support/deviceTasks';
import { findGpu, gpuRunner } from './support/gpu';

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
    expect(copies).toEqual({ training: 0, accumulate: 0, sumOfSquares: 0, adamw: 0 });
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
