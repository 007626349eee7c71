import { describe, expect, it } from 'vitest';
import { bindShape } from '../../src/graph/dimensions';
import type { Program } from '../../src/graph/program';
import { shapeRules } from '../../src/graph/shapes';
import { buildLanguageModel } from '../../src/models/languageModel';
import type { Batch, StateTensor } from '../../src/engine/engine';
import { evaluationGraph, trainingGraph } from '../../src/engine/onnx/trainingGraph';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { normals, uniformIntegers } from '../support/programs';
import { buildCase, primitiveCases, reference, routedCase } from './support/primitiveCases';
import type { DeviceRunner, TrainingTask } from './support/deviceTasks';
import { referenceStep, stateOf } from './support/referenceStep';
import { experts, stepProgram, type StepProgramOptions } from './support/stepProgram';

/** float32 against float64: error relative to the largest element of the tensor. */
const TOLERANCE = 2e-5;

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const largest = Array.from(expected).reduce((max, x) => Math.max(max, Math.abs(x)), 1e-3);
  const error = Array.from(actual).reduce((max, x, i) => Math.max(max, Math.abs(x - (expected[i] ?? Number.NaN))), 0);
  // A NaN anywhere fails: it is not less than anything.
  expect(error / largest, what).toBeLessThan(tolerance);
}

const batchSize = 2;
const time = 6;
const vocabulary = 11;

export function tinyBatch(seed: number): Batch {
  const targets = uniformIntegers(batchSize * time, vocabulary, seed * 2 + 1);
  targets[seed % targets.length] = -1;
  // Read by programs with lanes alone.
  const resets = Int32Array.from({ length: batchSize }, (_, window) => (window + seed) % 2);
  return { batch: batchSize, time, tokens: uniformIntegers(batchSize * time, vocabulary, seed * 2), targets, resets };
}

export function trainingTask(program: Program, steps: number, options: Partial<TrainingTask> = {}): TrainingTask {
  return {
    kind: 'training',
    program,
    options: { batch: batchSize, time, microbatches: 2, seed: 3, threads: 1 },
    state: [],
    steps: Array.from({ length: steps }, (_, index) => ({
      microbatches: [tinyBatch(index * 2), tinyBatch(index * 2 + 1)],
      scalars: { step: index + 1, learningRate: 0.01 },
    })),
    evaluate: [],
    ...options,
  };
}

const dataOf = stateOf;

/** What a step reads of the window before is not there at the first one: lane buffers as if there had been one, for two microbatches. */
function filledLanes({ buffers }: Program): StateTensor[] {
  return buffers.flatMap(({ name, shape, updated }, index) => {
    if (updated !== 'lane') return [];
    const whole = [2, ...bindShape(shape, { batch: batchSize, time })];
    return [{ kind: 'buffer' as const, name, shape: whole, offset: 0, data: Float32Array.from(normals(whole, 50 + index, 0.5)) }];
  });
}

/** One step of a session is the one that the reference interpreter computes, by figures, gradients, parameters and buffers. */
async function expectReferenceStep(runner: DeviceRunner, program: Program): Promise<void> {
  const task = trainingTask(program, 1, { state: filledLanes(program), evaluate: [tinyBatch(0)] });
  const { initial, final, metrics, evaluations } = await runner.train(task);
  const expected = referenceStep(program, initial, task.steps[0]?.microbatches ?? [], { seed: task.options.seed, step: 1 });
  const [step] = metrics;
  expectClose([step?.loss ?? 0, step?.crossEntropy ?? 0], [expected.loss, expected.crossEntropy], 1e-5, 'loss');
  expectClose([step?.gradientNorm ?? 0], [expected.norm], 1e-4, 'gradient norm');
  for (const figure of ['balance', 'zLoss', 'dropRate'] as const) {
    if (expected[figure] === null) expect(step?.[figure], figure).toBeNull();
    else expectClose([step?.[figure] ?? Number.NaN], [expected[figure]], 1e-5, figure);
  }
  expect(step?.expertCounts.map((counts) => [...counts])).toEqual(expected.counts);
  expect(evaluations[0]?.expertCounts).toHaveLength(program.routedLayers.length);
  program.buffers.forEach(({ name }, index) => expectClose(dataOf(final, 'buffer', name), expected.buffers[index] ?? [], 1e-5, name));

  const { beta1, beta2, epsilon, clip, groups } = program.optimiser;
  const scale = clip === null || expected.norm <= clip ? 1 : clip / expected.norm;
  program.parameters.forEach(({ name, group, shape, gradient: kind }, index) => {
    const gradient = Array.from(expected.gradients[index] ?? [], (g) => g * scale);
    const moment = dataOf(final, 'firstMoment', name);
    const variance = dataOf(final, 'secondMoment', name);
    expectClose(
      moment,
      gradient.map((g) => (1 - beta1) * g),
      1e-4,
      `gradient of ${name}`,
    );
    // The update divides by the gradient's own size, so it is checked from the moments as they came out.
    const before = dataOf(initial, 'parameter', name);
    const { weightDecay: decay = 0, rateScale = 1 } = groups[group] ?? {};
    // A row that the step did not use waits with its decay, at step 0 of its row state.
    const rows = kind === 'rows' ? dataOf(final, 'rowState', name) : null;
    const after = Array.from(before, (w, i) => {
      if (rows !== null && rows[3 * Math.floor(i / (shape[1] ?? 1))] === 0) return w;
      const m = (moment[i] ?? 0) / (1 - beta1);
      const v = (variance[i] ?? 0) / (1 - beta2);
      return w - 0.01 * rateScale * (m / (Math.sqrt(v) + epsilon) + decay * w);
    });
    expectClose(dataOf(final, 'parameter', name), after, 1e-4, name);
  });
}

/** What a step is more than its microbatches for. */
const mechanisms: readonly { readonly name: string; readonly options: StepProgramOptions }[] = [
  { name: 'means of the whole step, noise and a buffer replaced once', options: {} },
  { name: 'a buffer replaced once, from means that nothing else reads', options: { scope: 'micro' } },
  { name: 'a buffer replaced after each microbatch, which the means depend on', options: { running: true } },
  { name: 'both kinds of buffers and no means in the losses', options: { scope: 'micro', running: true, jitter: 0 } },
  { name: 'lanes, on which the means depend', options: { lanes: true } },
  { name: 'lanes and buffers of both other kinds', options: { lanes: true, running: true } },
  { name: 'a capacity in training alone', options: { capacity: 0.8, scope: 'micro' } },
];

/** One suite for every device, against the float64 reference interpreter. */
export function describeConformance(runner: () => DeviceRunner): void {
  describe('primitives and their gradients', () => {
    it.each(primitiveCases)('$name', async (primitiveCase) => {
      const built = buildCase(primitiveCase, { batch: 2, time: 3 });
      const expected = reference(built);
      const { values, copies } = await runner().values(built.task);
      expect(copies, 'copies to the host').toBe(0);
      values.forEach(({ shape, data }, index) => {
        expect(shape).toEqual(expected[index]?.shape);
        const wanted = expected[index]?.data ?? [];
        if (data instanceof Int32Array) expect([...data]).toEqual([...wanted]);
        else expectClose(data, wanted, TOLERANCE, `output ${index}`);
      });
    });

    it('cover every primitive', () => {
      const programs = primitiveCases.map((primitiveCase) => buildCase(primitiveCase, { batch: 2, time: 3 }).program);
      const covered = new Set<string>(programs.flatMap((program) => program.nodes.map(({ op }) => op)));
      expect(Object.keys(shapeRules).filter((op) => !covered.has(op))).toEqual([]);
    });
  });

  describe('routing', () => {
    it('gives an expert without rows gradients that are exactly zero', async () => {
      const built = buildCase(routedCase('empty', 5, 6, [[1], [4], [1], [1], [4]]));
      const { values } = await runner().values(built.task);
      const stacked = built.program.parameters.flatMap(({ shape }, index) => (shape.length === 3 ? [index] : []));
      expect(stacked).toHaveLength(3);
      for (const index of stacked) {
        const gradient = values[index + 4]?.data ?? new Float32Array();
        const size = gradient.length / 6;
        for (let expert = 0; expert < 6; expert++) {
          const part = [...gradient.slice(expert * size, (expert + 1) * size)];
          expect(part.every((x) => x === 0)).toBe(expert !== 1 && expert !== 4);
        }
      }
    });

    it('sorts rows by expert, stably, and says where each pair went', async () => {
      const chosen = [
        [2, 0],
        [1, 2],
        [2, 0],
        [0, 3],
      ];
      const { task } = buildCase({
        name: 'layout',
        build: ({ builder, int }) => {
          const routing = builder.route(int([4, 2], chosen.flat()), 5);
          return [routing.slots, routing.order, routing.counts];
        },
      });
      const { values } = await runner().values(task);
      const [slots, order, counts] = values.map(({ data }) => [...data]) as [number[], number[], number[]];
      expect(counts).toEqual([3, 1, 3, 1, 0]);
      expect(slots.map((row) => order[row])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(order.filter((pair) => pair >= 0)).toEqual([1, 5, 6, 2, 0, 3, 4, 7]);
    });
  });

  describe('a training step', () => {
    it.each(layerKinds)('$name', async ({ model }) => {
      await expectReferenceStep(runner(), buildLanguageModel(tinyExperiment(model)));
    });

    it.each(mechanisms)('with $name', async ({ options }) => {
      await expectReferenceStep(runner(), stepProgram(options));
    });
  });

  it('a step whose loss is not finite leaves the state as it was', async () => {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 6 } }));
    const { name, shape } = program.parameters[0] ?? { name: '', shape: [] };
    const broken: StateTensor = {
      kind: 'parameter',
      name,
      shape,
      offset: 0,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(Infinity),
    };
    const { initial, final, metrics } = await runner().train(trainingTask(program, 1, { state: [broken] }));
    expect(Number.isFinite(metrics[0]?.loss)).toBe(false);
    expect(final).toEqual(initial);
  });

  it('a step whose loss is not finite leaves buffers of both kinds as they were', async () => {
    const program = stepProgram({ running: true });
    const { name, shape } = program.parameters[0] ?? { name: '', shape: [] };
    const broken: StateTensor = {
      kind: 'parameter',
      name,
      shape,
      offset: 0,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1e30),
    };
    const { initial, final, metrics } = await runner().train(trainingTask(program, 1, { state: [broken] }));
    expect(Number.isFinite(metrics[0]?.loss) && Number.isFinite(metrics[0]?.gradientNorm)).toBe(false);
    expect(final).toEqual(initial);
  });

  it('evaluation has no noise, drops nothing that training alone drops, and reads buffers', async () => {
    const changed: StateTensor = { kind: 'buffer', name: 'moe.bias', shape: [experts], offset: 0, data: Float32Array.of(9, 0, 0, 0, 9) };
    const evaluated = async (options: StepProgramOptions, state: readonly StateTensor[] = []) => {
      const { evaluations } = await runner().train(trainingTask(stepProgram(options), 0, { state, evaluate: [tinyBatch(1)] }));
      return evaluations[0];
    };
    const plain = await evaluated({ jitter: 0 });
    expect(plain?.dropRate).toBeNull();
    expect((await evaluated({ jitter: 0.5 }))?.negativeLogLikelihood).toBe(plain?.negativeLogLikelihood);
    const bounded = await evaluated({ capacity: 0.1 });
    expect(bounded?.dropRate).toBe(0);
    expect(bounded?.negativeLogLikelihood).toBeCloseTo(plain?.negativeLogLikelihood ?? Number.NaN, 4);
    const biased = await evaluated({}, [changed]);
    expect([...(biased?.expertCounts[0] ?? [])]).toEqual([batchSize * time, 0, 0, 0, batchSize * time]);
  });

  it('evaluation sums the negative log likelihood and disturbs nothing', async () => {
    const program = buildLanguageModel(tinyExperiment());
    const smaller: Batch = { batch: 1, time, tokens: tinyBatch(1).tokens.slice(0, time), targets: tinyBatch(1).targets.slice(0, time) };
    const { initial, final, evaluations } = await runner().train(
      trainingTask(program, 0, { evaluate: [tinyBatch(1), smaller, tinyBatch(1)] }),
    );
    const scored = tinyBatch(1).targets.filter((target) => target >= 0).length;
    const { crossEntropy } = referenceStep(program, initial, [tinyBatch(1)], { seed: 3, step: 1 });
    expectClose([evaluations[0]?.negativeLogLikelihood ?? 0], [crossEntropy * scored], 1e-5, 'evaluation');
    expect(evaluations[2]).toEqual(evaluations[0]);
    expect(evaluations[1]?.negativeLogLikelihood).toBeGreaterThan(0);
    expect(final).toEqual(initial);
  });

  it('a program written as JSON and read back trains to the same losses', async () => {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7 } }));
    const read = JSON.parse(JSON.stringify(program)) as Program;
    expect(read).toEqual(program);
    const [first, second] = [await runner().train(trainingTask(program, 4)), await runner().train(trainingTask(read, 4))];
    expect(second.metrics).toEqual(first.metrics);
    expect(second.final).toEqual(first.final);
  });

  it('the same seed and thread count give the same numbers', async () => {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 7 } }));
    const task = trainingTask(program, 3);
    const twoThreads = { ...task, options: { ...task.options, threads: 2 } };
    const [first, second] = [await runner().train(twoThreads), await runner().train(twoThreads)];
    expect(second).toEqual(first);
  });

  it('the same program lowers to the same bytes, and evaluation needs no backward node', () => {
    const program = buildLanguageModel(tinyExperiment());
    const bindings = { batch: 2, time: 6 };
    const { device } = runner();
    expect(trainingGraph(program, device, bindings).model).toEqual(trainingGraph(program, device, bindings).model);
    expect(Buffer.from(evaluationGraph(program, device, bindings).model).toString('latin1')).not.toContain('backward/');
  });
}
