import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import type { Batch, StateTensor } from '../../src/engine/engine';
import { adamwUpdate, clipScale } from '../../src/engine/onnx/adamw';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { differentiate } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { interpret } from '../../src/graph/reference/interpreter';
import { buildLanguageModel } from '../../src/models/languageModel';
import { learningRateAt } from '../../src/training/schedule';
import { runValues } from '../engine/support/deviceTasks';
import { scalar } from '../support/programs';
import { type GoldenTensors, mechanismCases, type ModelCase, modelCases, scheduleCases } from './goldenFiles';
import { cotangentName, mechanismProgram } from './mechanismProgram';

const bindings = { batch: 2, time: 5 };
const FLOAT64 = 1e-9;
const FLOAT32 = 1e-5;

/** The largest error relative to the tensor's largest element. */
function expectClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number> | undefined,
  tolerance: number,
  what: string,
): void {
  expect(actual?.length, what).toBe(expected?.length ?? 'a golden tensor');
  const wanted = Array.from(expected ?? []);
  const largest = wanted.reduce((max, x) => Math.max(max, Math.abs(x)), 1e-3);
  // Math.max keeps a NaN, which is not less than anything.
  const error = wanted.reduce((max, x, i) => Math.max(max, Math.abs(x - (actual?.[i] ?? Number.NaN))), 0);
  expect(error / largest, what).toBeLessThan(tolerance);
}

/** Parameters by name; a parameter that the vectors lack, or the other way round, is a fault. */
function parameterFeeds(program: Program, tensors: GoldenTensors): [ValueId, NdArray & { readonly data: Float64Array }][] {
  expect(program.parameters.map(({ name, shape }) => `${name} [${shape}]`).sort()).toEqual(
    Object.entries(tensors)
      .map(([name, { shape }]) => `${name} [${shape}]`)
      .sort(),
  );
  return program.parameters.map(({ name, shape, value }) => [value, { shape, data: Float64Array.from(tensors[name]?.data ?? []) }]);
}

interface Expectation {
  readonly value: ValueId;
  readonly what: string;
  readonly data: ArrayLike<number>;
}

/** Expects the wanted values of the interpreter within 1e-9 and of the CPU provider within float32's tolerance. */
async function expectValues(program: Program, feeds: ReadonlyMap<ValueId, NdArray>, expectations: readonly Expectation[]): Promise<void> {
  const wanted = expectations.map(({ value }) => value);
  const reference = interpret(program, { bindings, feeds, wanted });
  for (const { value, what, data } of expectations) expectClose(reference.get(value)?.data, data, FLOAT64, `${what}, reference`);
  const float32 = [...feeds].map(([value, { data }]) => [value, data instanceof Int32Array ? data : Float32Array.from(data)] as const);
  const { values } = await runValues('cpu', { kind: 'values', program, bindings, feeds: float32, wanted });
  expectations.forEach(({ what, data }, index) => expectClose(values[index]?.data, data, FLOAT32, `${what}, CPU`));
}

/** What the vectors say about `gradients`, which belong to the program's parameters in order. */
function gradientExpectations(program: Program, gradients: readonly ValueId[], golden: GoldenTensors): Expectation[] {
  return program.parameters.flatMap(({ name }, index) => {
    const [value, tensor] = [gradients[index], golden[name]];
    return value === undefined || tensor === undefined ? [] : [{ value, what: `gradient of ${name}`, data: tensor.data }];
  });
}

describe('mechanisms', () => {
  it.each(mechanismCases)('$name', async (golden) => {
    const { program, outputs } = mechanismProgram(golden);
    const { program: differentiated, gradients } = differentiate(program);
    const cotangents = Object.entries(golden.cotangents).map(([name, tensor]) => [cotangentName(name), tensor] as const);
    const tokens = program.inputs.map(({ value }): [ValueId, NdArray] => [
      value,
      { shape: [2, 5], data: Int32Array.from(Array(10).keys()) },
    ]);
    const feeds = new Map([...parameterFeeds(program, { ...golden.inputs, ...Object.fromEntries(cotangents) }), ...tokens]);
    const forward = Object.entries(outputs).map(([name, value]) => ({ value, what: name, data: golden.outputs[name]?.data ?? [] }));
    const backward = gradientExpectations(program, gradients, golden.gradients);
    expect(backward).toHaveLength(Object.keys(golden.inputs).length);
    await expectValues(differentiated, feeds, [...forward, ...backward]);
  });
});

function modelProgram({ model, train }: ModelCase): Program {
  return buildLanguageModel(experimentSchema.parse({ model, train }));
}

function batchesOf(golden: ModelCase): Batch[] {
  return golden.batches.map(({ tokens, targets }) => ({
    ...bindings,
    tokens: Int32Array.from(tokens.data),
    targets: Int32Array.from(targets.data),
  }));
}

function inputFeeds(program: Program, { tokens, targets }: Batch): [ValueId, NdArray][] {
  return program.inputs.map(({ name, value }) => [value, { shape: [2, 5], data: name === 'tokens' ? tokens : targets }]);
}

/** `adamwUpdate` is plain arithmetic on its arrays: given float64 ones it is the same update without float32's rounding. */
const inFloat64 = (array: Float64Array): Float32Array => array as unknown as Float32Array;

describe.each(modelCases)('language model, $name', (golden) => {
  const program = modelProgram(golden);
  const differentiated = differentiate(program);
  const batches = batchesOf(golden);

  it('has the logits, losses and gradients', async () => {
    const { loss, crossEntropy, balance } = program.outputs;
    const logits = program.nodes.find(({ op }) => op === 'crossEntropy')?.inputs[0];
    const named = Object.entries({ logits, loss, crossEntropy, ...(balance === null ? {} : { balance }) });
    expect(named.map(([name]) => name).sort()).toEqual(Object.keys(golden.outputs).sort());
    const forward = named.map(([what, value]) => ({ value: value ?? -1, what, data: golden.outputs[what]?.data ?? [] }));
    const backward = gradientExpectations(program, differentiated.gradients, golden.gradients);
    expect(backward).toHaveLength(program.parameters.length);
    const feeds = new Map([
      ...parameterFeeds(program, golden.weights),
      ...batches.slice(0, 1).flatMap((batch) => inputFeeds(program, batch)),
    ]);
    await expectValues(differentiated.program, feeds, [...forward, ...backward]);
  });

  it('takes three optimiser steps in float64', () => {
    const parameters = parameterFeeds(program, golden.weights);
    const firstMoments = parameters.map(([, { data }]) => new Float64Array(data.length));
    const secondMoments = parameters.map(([, { data }]) => new Float64Array(data.length));
    const { beta1, beta2, epsilon, clip, groups } = program.optimiser;
    expect(golden.steps).toHaveLength(3);
    golden.steps.forEach((expected, index) => {
      const values = interpret(differentiated.program, {
        bindings,
        feeds: new Map([...parameters, ...batches.slice(index, index + 1).flatMap((batch) => inputFeeds(program, batch))]),
        wanted: [program.outputs.loss, ...differentiated.gradients],
      });
      const gradients = differentiated.gradients.map((id) => Float64Array.from(values.get(id)?.data ?? []));
      const norm = Math.sqrt(gradients.reduce((total, gradient) => gradient.reduce((sum, x) => sum + x * x, total), 0));
      const learningRate = learningRateAt(index + 1, golden.train);
      const numbers = [learningRate, scalar(values, program.outputs.loss), norm];
      expectClose(numbers, [expected.learningRate, expected.loss, expected.gradientNorm], FLOAT64, `step ${index + 1}`);
      program.parameters.forEach(({ name, group }, i) => {
        const arrays = [parameters[i]?.[1].data, gradients[i], firstMoments[i], secondMoments[i]].map((array) =>
          inFloat64(array ?? new Float64Array()),
        ) as [Float32Array, Float32Array, Float32Array, Float32Array];
        const weightDecay = groups[group]?.weightDecay ?? Number.NaN;
        const gradientScale = clipScale(norm, clip);
        adamwUpdate(...arrays, { step: index + 1, learningRate, beta1, beta2, epsilon, weightDecay, gradientScale });
        expectClose(arrays[0], expected.after[name]?.data, FLOAT64, `${name} after step ${index + 1}`);
      });
    });
  });

  it('takes three optimiser steps on the CPU', async () => {
    const session = await createEngine('cpu').compile(program, { batch: 2, time: 5, seed: 1, threads: 1 });
    await session.importState(
      Object.entries(golden.weights).map(([name, { shape, data }]): StateTensor => {
        return { kind: 'parameter', name, shape, data: Float32Array.from(data) };
      }),
    );
    for (const [index, expected] of golden.steps.entries()) {
      const metrics = await session.step(batches.slice(index, index + 1), {
        step: index + 1,
        learningRate: learningRateAt(index + 1, golden.train),
      });
      expectClose([metrics.loss, metrics.gradientNorm], [expected.loss, expected.gradientNorm], FLOAT32, `step ${index + 1}`);
      let compared = 0;
      for await (const { kind, name, data } of session.exportState()) {
        if (kind !== 'parameter') continue;
        expectClose(data, expected.after[name]?.data, FLOAT32, `${name} after step ${index + 1}`);
        compared++;
      }
      expect(compared).toBe(program.parameters.length);
    }
    await session.dispose();
  });
});

describe('the learning rate', () => {
  it.each(scheduleCases)('$schedule, warm-up $warmup', (golden) => {
    expect(golden.rates).toHaveLength(golden.steps);
    golden.rates.forEach((rate, index) => expect(learningRateAt(index + 1, golden) / rate).toBeCloseTo(1, 12));
  });
});

it('no vectors are missing', () => {
  expect([mechanismCases.length, modelCases.length, scheduleCases.length]).toEqual([16, 10, 5]);
});
