import { afterAll, describe, expect, it, vi } from 'vitest';
import type { StateTensor } from '../../src/engine/engine';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { tinyBatch, trainingTask } from './conformance';
import { runTraining, type TrainingResult } from './support/deviceTasks';
import { findGpu, gpuRunner } from './support/gpu';
import { stepProgram } from './support/stepProgram';

// Compiling shaders for a software GPU takes long, and longer on a busy machine.
vi.setConfig({ testTimeout: 900_000 });

const gpu = await findGpu();
if ('reason' in gpu) {
  process.stderr.write(`Lanes on WebGPU skipped: ${gpu.reason}\n`);
  describe.skip(`lanes on WebGPU (${gpu.reason})`, () => {
    it('needs an adapter');
  });
} else {
  const runner = await gpuRunner(gpu.environment);
  afterAll(() => runner.end());
  const program = stepProgram({ lanes: true, running: true, retrieval: true });
  const task = trainingTask(program, 6, { evaluate: [tinyBatch(1), tinyBatch(2), tinyBatch(4)] });
  const tensors = (state: readonly StateTensor[]) => state.map(({ kind, name, shape }) => ({ kind, name, shape }));

  /** Figures of every step and evaluation, and what the retrieval chose in them. */
  const figures = ({ metrics, evaluations }: TrainingResult) => [
    ...metrics.flatMap(({ loss, gradientNorm }) => [loss, gradientNorm]),
    ...evaluations.map(({ negativeLogLikelihood }) => negativeLogLikelihood),
    ...[...metrics, ...evaluations].flatMap(({ retrievals }) => retrievals.flatMap(({ counts, weights }) => [...counts, ...weights])),
  ];

  describe('lanes on WebGPU', () => {
    it('go through steps and evaluations as on the CPU', async () => {
      const [onGpu, onCpu] = [await runner.train(task), await runTraining('cpu', task)];
      const expected = figures(onCpu);
      figures(onGpu).forEach((figure, index) => expect(figure).toBeCloseTo(expected[index] ?? NaN, 3));
      expect(tensors(onGpu.final)).toEqual(tensors(onCpu.final));
      const lanes = ({ final }: TrainingResult) => final.find(({ name }) => name === 'before')?.data ?? [];
      lanes(onGpu).forEach((value, index) => expect(value).toBeCloseTo(lanes(onCpu)[index] ?? NaN, 3));
    });

    // The tables are updated on the host, and their copies on the device have to follow.
    const retrieving = tinyExperiment({
      attention: { heads: 2, position: 'xl', moe: { experts: 3, top_k: 2 } },
      product_keys: { experts: 16, heads: 2, top_k: 3, key_width: 6 },
    });
    it.each([
      ['a program with buffers of every kind', task],
      ['a model with lazy tables and running means', trainingTask(buildLanguageModel(retrieving), 6, { evaluate: [tinyBatch(1)] })],
    ])('go on from an exported state with the same bits: %s', async (_, given) => {
      const half = { ...given, steps: given.steps.slice(0, 3), evaluate: [] };
      const { final } = await runner.train(half);
      const rest = await runner.train({ ...given, state: final, steps: given.steps.slice(3) });
      const whole = await runner.train(given);
      expect(rest.initial).toEqual(final);
      expect(rest.metrics).toEqual(whole.metrics.slice(3));
      expect(rest.final).toEqual(whole.final);
    });

    it('leave nothing on the device but the state, also when a step is not finite, and no graph leaves it', async () => {
      const broken = {
        ...task,
        steps: task.steps.map((step, index) => (index === 1 ? { ...step, scalars: { step: 2, learningRate: 1e30 } } : step)),
      };
      const live = await runner.liveTensors({ kind: 'liveTensors', training: broken });
      // A lane buffer of each of the two microbatches.
      const state = 3 * program.parameters.length + program.buffers.length + 1;
      expect(live).toEqual([...task.steps.map(() => state), 0]);
      const copies = await runner.copies({ kind: 'copies', program, bindings: { batch: 2, time: 6 } });
      expect(Object.values(copies)).toEqual(Object.values(copies).map(() => 0));
    });
  });
}
