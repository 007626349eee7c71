import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Experiment } from '../../src/config/schema';
import { semanticFindings } from '../../src/config/semanticRules';
import type { Batch, StepMetrics } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { elementCount } from '../../src/graph/dimensions';
import type { Program } from '../../src/graph/program';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { latestCheckpoint, writeCheckpoint } from '../../src/training/checkpoint/checkpoint';
import { type DeviceRunner, runTraining, type TrainingTask } from '../engine/support/deviceTasks';
import { findGpu, gpuRunner } from '../engine/support/gpu';
import { uniformIntegers } from '../support/programs';
import { randomExperiment } from '../support/randomExperiments';

vi.setConfig({ testTimeout: 900_000 });

// A fixed seed: a failure names the experiment and happens again. The full form draws more: RANDOM_EXPERIMENTS=1000.
// Not shrunk: an experiment that fails is small already.
const runs = { seed: 2411, endOnFailure: true, numRuns: Number(process.env.RANDOM_EXPERIMENTS ?? 100) };

/** Random tokens with a few targets that are not scored, as many microbatches as the experiment's step has. */
function microbatches({ model, train }: Experiment, seed: number): Batch[] {
  const [batch, time] = [train?.micro_batch ?? 1, model.context];
  const count = (train?.batch_tokens ?? 0) / (batch * time);
  return Array.from({ length: count }, (_, index) => {
    const targets = uniformIntegers(batch * time, model.vocabulary, seed * 100 + 2 * index);
    targets[1] = -1;
    const tokens = uniformIntegers(batch * time, model.vocabulary, seed * 100 + 2 * index + 1);
    // Of the windows after the first step some go on.
    const resets = seed === 1 ? new Int32Array(batch).fill(1) : uniformIntegers(batch, 2, seed * 100 + index);
    return { batch, time, tokens, targets, resets };
  });
}

const options = ({ model, train }: Experiment, seed: number) => ({
  batch: train?.micro_batch ?? 1,
  time: model.context,
  microbatches: (train?.batch_tokens ?? 1) / ((train?.micro_batch ?? 1) * model.context),
  seed,
  threads: 1,
});

function expectFinite(metrics: StepMetrics): void {
  for (const figure of [metrics.loss, metrics.crossEntropy, metrics.gradientNorm, metrics.balance, metrics.zLoss, metrics.dropRate]) {
    if (figure !== null) expect(Number.isFinite(figure)).toBe(true);
  }
  for (const counts of metrics.expertCounts) for (const count of counts) expect(Number.isInteger(count)).toBe(true);
}

function expectCounted(program: Program, experiment: Experiment): void {
  const { parameters, macsPerToken, layers } = countModel(program, experiment.model);
  expect(parameters.total).toBe(program.parameters.reduce((total, { shape }) => total + elementCount(shape), 0));
  expect(parameters.active).toBeGreaterThan(0);
  expect(parameters.active).toBeLessThanOrEqual(parameters.total);
  expect(macsPerToken.total).toBeGreaterThan(0);
  expect(layers).toHaveLength(experiment.model.layers);
}

const directories: string[] = [];
afterAll(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));

describe('random valid experiments', () => {
  it('are accepted, build to a plain value and count', () => {
    fc.assert(
      fc.property(randomExperiment, (experiment) => {
        expect(semanticFindings(experiment, experiment).filter(({ severity }) => severity === 'error')).toEqual([]);
        const program = buildLanguageModel(experiment);
        expect(JSON.parse(JSON.stringify(program))).toEqual(program);
        expectCounted(program, experiment);
      }),
      { ...runs, numRuns: 4 * runs.numRuns },
    );
  });

  it('train a step, save, load and reproduce the loss bit for bit', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'moe-random-'));
    directories.push(directory);
    await fc.assert(
      fc.asyncProperty(randomExperiment, async (experiment) => {
        const program = buildLanguageModel(experiment);
        const [first, second, third] = [1, 2, 3].map((seed) => microbatches(experiment, seed)) as [Batch[], Batch[], Batch[]];
        const trained = await createEngine('cpu').compile(program, options(experiment, 1));
        // Another seed than the first session's noise would change the steps after loading, so only noise-free programs get one.
        const restored = await createEngine('cpu').compile(program, options(experiment, program.noises.length === 0 ? 2 : 1));
        try {
          expectFinite(await trained.step(first, { step: 1, learningRate: 1e-2 }));
          const state = { schemaVersion: 1, step: 1, seconds: 1, tokens: 1, dataPosition: 1 } as const;
          await writeCheckpoint({ directory, program, sizes: options(experiment, 1), state, tensors: trained.exportState(), keep: 1 });
          const { checkpoint } = await latestCheckpoint(directory);
          if (checkpoint === undefined) throw new Error('No checkpoint was found.');
          await restored.importState(checkpoint.tensors());

          const [batch] = third as [Batch];
          expect(await restored.evaluate(batch)).toEqual(await trained.evaluate(batch));
          const [again, once] = [
            await restored.step(second, { step: 2, learningRate: 1e-2 }),
            await trained.step(second, { step: 2, learningRate: 1e-2 }),
          ];
          expectFinite(once);
          expect(again).toEqual(once);
        } finally {
          await trained.dispose();
          await restored.dispose();
        }
      }),
      runs,
    );
  });
});

const gpu = await findGpu();
if ('reason' in gpu) {
  process.stderr.write(`Random experiments on WebGPU skipped: ${gpu.reason}\n`);
  describe.skip(`random experiments on WebGPU (${gpu.reason})`, () => {
    it('needs an adapter');
  });
} else {
  describe('random valid experiments on WebGPU', () => {
    it('train like on the CPU', async () => {
      const runner = await gpuRunner(gpu.environment);
      try {
        await fc.assert(
          fc.asyncProperty(randomExperiment, (experiment) => compareDevices(runner, experiment)),
          { ...runs, numRuns: Math.ceil(runs.numRuns / 16) },
        );
      } finally {
        runner.end();
      }
    });
  });
}

/** One step: what is computed before any choice can differ by rounding agrees closely. */
async function compareDevices(runner: DeviceRunner, experiment: Experiment): Promise<void> {
  const program = buildLanguageModel(experiment);
  const task: TrainingTask = {
    kind: 'training',
    program,
    options: options(experiment, 1),
    state: [],
    steps: [{ microbatches: microbatches(experiment, 1), scalars: { step: 1, learningRate: 1e-3 } }],
    evaluate: [],
  };
  const [onGpu, onCpu] = [await runner.train(task), await runTraining('cpu', task)];
  const [gpuStep, cpuStep] = [onGpu.metrics[0], onCpu.metrics[0]];
  if (gpuStep === undefined || cpuStep === undefined) throw new Error('A device took no step.');
  expectFinite(gpuStep);
  expect(gpuStep.loss).toBeCloseTo(cpuStep.loss, 3);
  // How many experts a unit takes, where that varies, may turn on a rounding.
  const pairs = ({ expertCounts, taken }: StepMetrics) =>
    expertCounts.map((counts, layer) => (taken[layer] === null ? counts.reduce((sum, count) => sum + count, 0) : null));
  expect(pairs(gpuStep)).toEqual(pairs(cpuStep));
}
