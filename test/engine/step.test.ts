import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/graph/gradients';
import type { Program } from '../../src/graph/program';
import { EngineError, type Batch, type StateTensor } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { stepGraphs } from '../../src/engine/onnx/trainingGraph';
import { planStep } from '../../src/engine/onnx/stepPlan';
import { collect } from './support/deviceTasks';
import { uniformIntegers } from '../support/programs';
import { referenceStep } from './support/referenceStep';
import { stepProgram } from './support/stepProgram';

const [windows, time, seed] = [8, 6, 3];

/** `count` batches of `size` windows: the same windows whatever the size. */
function batches(size: number, step = 1): Batch[] {
  const tokens = uniformIntegers(windows * time, 11, 10 * step);
  const targets = uniformIntegers(windows * time, 11, 10 * step + 1);
  return Array.from({ length: windows / size }, (_, index) => {
    const range = [index * size * time, (index + 1) * size * time] as const;
    return { batch: size, time, tokens: tokens.slice(...range), targets: targets.slice(...range) };
  });
}

async function trained(
  program: Program,
  size: number,
  steps = 1,
): Promise<{ metrics: readonly number[][]; final: readonly StateTensor[] }> {
  const session = await createEngine('cpu').compile(program, { batch: size, time, microbatches: windows / size, seed, threads: 1 });
  const metrics: number[][] = [];
  for (let step = 1; step <= steps; step++) {
    const { loss, crossEntropy, balance, zLoss, gradientNorm } = await session.step(batches(size, step), { step, learningRate: 0.01 });
    metrics.push([loss, crossEntropy, balance ?? NaN, zLoss ?? NaN, gradientNorm]);
  }
  const final = await collect(session.exportState());
  await session.dispose();
  return { metrics, final };
}

/** The largest difference between two lists of numbers. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(actual).reduce((most, x, i) => Math.max(most, Math.abs(x - (expected[i] ?? Number.NaN))), 0);
}

function stateDifference(actual: readonly StateTensor[], expected: readonly StateTensor[]): number {
  expect(actual.map(({ kind, name }) => [kind, name])).toEqual(expected.map(({ kind, name }) => [kind, name]));
  return Math.max(...actual.map(({ data }, index) => difference(data, expected[index]?.data ?? [])));
}

describe('a step over microbatches with means of the whole step', () => {
  it.each([1, 2, 4])('of %d windows each is the step of one batch: figures, parameters, moments and buffers', async (size) => {
    const program = stepProgram();
    const [split, whole] = [await trained(program, size, 3), await trained(program, windows, 3)];
    split.metrics.forEach((figures, step) => expect(difference(figures, whole.metrics[step] ?? [])).toBeLessThan(2e-6));
    expect(stateDifference(split.final, whole.final)).toBeLessThan(2e-6);
    const bias = whole.final.find(({ name }) => name === 'moe.bias');
    expect(bias?.data.some((x) => x !== 0)).toBe(true);
  });

  it('is so to rounding in float64', async () => {
    const program = stepProgram();
    const session = await createEngine('cpu').compile(program, { batch: 1, time, microbatches: windows, seed, threads: 1 });
    const state = await collect(session.exportState());
    await session.dispose();
    const [split, whole] = [1, windows].map((size) => referenceStep(program, state, batches(size), { seed, step: 1 }));
    const figures = (step: typeof split) => [step?.loss, step?.crossEntropy, step?.balance, step?.zLoss, step?.norm].map(Number);
    expect(difference(figures(split), figures(whole))).toBeLessThan(1e-12);
    split?.gradients.forEach((gradient, index) => expect(difference(gradient, whole?.gradients[index] ?? [])).toBeLessThan(1e-12));
    expect(split?.buffers).toEqual(whole?.buffers);
    expect(split?.counts).toEqual(whole?.counts);
  });

  it('is not so with means of each microbatch: the comparison can tell', async () => {
    const program = stepProgram({ scope: 'micro' });
    const [split, whole] = [await trained(program, 1), await trained(program, windows)];
    expect(difference(split.metrics[0] ?? [], whole.metrics[0] ?? [])).toBeGreaterThan(1e-3);
    expect(stateDifference(split.final, whole.final)).toBeGreaterThan(1e-4);
  });
});

describe('the graphs of a step', () => {
  const bindings = { batch: 1, time };
  const text = (model: Uint8Array | undefined) => Buffer.from(model ?? []).toString('latin1');

  it('are one where no mean is read', () => {
    const { statistics, bufferUpdate } = stepGraphs(stepProgram({ scope: 'micro', lossFree: false }), 'cpu', bindings);
    expect([statistics, bufferUpdate]).toEqual([null, null]);
  });

  it('have no forward pass of their own where only the buffers of the step read means', () => {
    const { statistics, training, bufferUpdate } = stepGraphs(stepProgram({ scope: 'micro' }), 'cpu', bindings);
    expect(statistics).toBeNull();
    expect(training.statistics).toHaveLength(1);
    expect(bufferUpdate?.feeds.map(({ kind }) => kind).sort()).toEqual(['buffer', 'mean']);
  });

  it('begin with a forward pass, without experts and gradients, where the losses read means', () => {
    const program = stepProgram();
    const { statistics, training } = stepGraphs(program, 'cpu', bindings);
    const names = (outputs: readonly { readonly index: number }[] | undefined) =>
      outputs?.map(({ index }) => program.statistics[index]?.name);
    expect(names(statistics?.statistics)).toEqual(['moe.load', 'moe.probability']);
    expect(names(training.statistics)).toEqual(['moe.counts']);
    expect(text(training.model)).toContain('backward/');
    expect(text(statistics?.model)).not.toContain('backward/');
    expect(statistics?.feeds.some(({ name }) => name.startsWith('moe.w'))).toBe(false);
    expect(statistics?.bufferUpdates).toEqual([]);
    const carrying = stepGraphs(stepProgram({ running: true }), 'cpu', bindings);
    expect(carrying.statistics?.bufferUpdates).toHaveLength(1);
  });

  it('refuse a buffer of the step that depends on a batch', () => {
    const program = stepProgram({ lossFree: true });
    const [statistic] = program.statistics;
    const buffers = program.buffers.map((buffer) => ({ ...buffer, update: statistic?.local ?? -1 }));
    expect(() => planStep(differentiate({ ...program, buffers }))).toThrow(EngineError);
    expect(() => planStep(differentiate({ ...program, buffers }))).toThrow(/depends on "tokens"/);
  });

  it('refuse a statistic that needs the mean of another', () => {
    const program = stepProgram();
    const mean = program.statistics.find(({ name }) => name === 'moe.load')?.mean ?? -1;
    const statistics = program.statistics.map((statistic) =>
      statistic.name === 'moe.probability' ? { ...statistic, local: mean } : statistic,
    );
    expect(() => planStep(differentiate({ ...program, statistics }))).toThrow(/"moe.load" is read before/);
  });
});

describe('noise and buffers', () => {
  const program = stepProgram({ running: true, capacity: 1 });

  it('differ from step to step, and from seed to seed', async () => {
    const session = await createEngine('cpu').compile(program, { batch: windows, time, microbatches: 1, seed, threads: 1 });
    const state = await collect(session.exportState());
    const lossOf = async (step: number, other = session): Promise<number> => {
      await other.importState(state);
      return (await other.step(batches(windows), { step, learningRate: 0 })).loss;
    };
    const first = await lossOf(1);
    expect(await lossOf(1)).toBe(first);
    expect(await lossOf(2)).not.toBe(first);
    const another = await createEngine('cpu').compile(program, { batch: windows, time, microbatches: 1, seed: seed + 1, threads: 1 });
    expect(await lossOf(1, another)).not.toBe(first);
    await session.dispose();
    await another.dispose();
  });

  it('go on exactly from an exported state', async () => {
    const unbroken = await trained(program, 2, 5);
    const options = { batch: 2, time, microbatches: windows / 2, seed, threads: 1 };
    const first = await createEngine('cpu').compile(program, options);
    for (const step of [1, 2]) await first.step(batches(2, step), { step, learningRate: 0.01 });
    const second = await createEngine('cpu').compile(program, options);
    await second.importState(first.exportState());
    await first.dispose();
    const losses: number[] = [];
    for (const step of [3, 4, 5]) losses.push((await second.step(batches(2, step), { step, learningRate: 0.01 })).loss);
    expect(losses).toEqual(unbroken.metrics.slice(2).map(([loss]) => loss));
    expect(await collect(second.exportState())).toEqual(unbroken.final);
    await second.dispose();
  });
});
