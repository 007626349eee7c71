import { afterAll, describe, expect, it, vi } from 'vitest';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
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

  it('fifty steps agree with the CPU to 1e-3 in loss', async () => {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7 } }));
    const task = trainingTask(program, 50);
    const [onGpu, onCpu] = [await runner.train(task), await runTraining('cpu', task)];
    const differences = onGpu.metrics.map(({ loss }, index) => Math.abs(loss - (onCpu.metrics[index]?.loss ?? Number.NaN)));
    expect(Math.max(...differences)).toBeLessThan(1e-3);
    expect(onGpu.metrics).toHaveLength(50);
  });
}
