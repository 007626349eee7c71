import { describe, expect, it } from 'vitest';
import { ProgramBuilder } from '../../src/graph/builder';
import type { ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { batchNorm } from '../../src/models/batchNorm';
import { gradientErrors } from '../support/gradientCheck';
import { interpret, normals, programOf } from '../support/programs';

const features = 3;

/** batchNorm of `rows` rows, which are the rows 0, 1, ... of the parameter `x`, with a loss that weighs every element differently. */
function normProgram(rows: number) {
  const builder = new ProgramBuilder();
  const order = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), ['batch*time']);
  const x = builder.parameter('x', [rows, features], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'embedding' });
  const normed = batchNorm(builder, 'query', builder.gatherRows(x, order), features);
  const weights = builder.parameter('weights', [rows, features], {
    initialiser: { kind: 'normal', standardDeviation: 1 },
    role: 'embedding',
  });
  const loss = builder.sum(builder.multiply(normed, builder.gatherRows(weights, order)), [0, 1]);
  const program = programOf(builder, loss);
  return { program, x: x.id, weights: weights.id, normed: normed.id };
}

interface Running {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

function feedsOf({ program, x, weights }: ReturnType<typeof normProgram>, data: Float64Array, running: Running): Map<ValueId, NdArray> {
  const rows = data.length / features;
  const [mean, variance] = program.buffers;
  const vector = (values: readonly number[]): NdArray => ({ shape: [features], data: Float64Array.from(values) });
  return new Map<ValueId, NdArray>([
    [program.inputs[0]?.value ?? -1, { shape: [1, rows], data: Int32Array.from({ length: rows }, (_, i) => i) }],
    [x, { shape: [rows, features], data }],
    [weights, { shape: [rows, features], data: normals([rows, features], 5) }],
    [mean?.value ?? -1, vector(running.mean)],
    [variance?.value ?? -1, vector(running.variance)],
  ]);
}

function run(data: Float64Array, running: Running, mode: 'training' | 'evaluation') {
  const built = normProgram(data.length / features);
  const updates = built.program.buffers.map(({ update }) => update);
  const values = interpret(built.program, {
    bindings: { batch: 1, time: data.length / features },
    mode,
    feeds: feedsOf(built, data, running),
    wanted: [built.normed, ...updates],
  });
  const [mean = [], variance = []] = updates.map((id) => Array.from(values.get(id)?.data ?? []));
  return { normed: Array.from(values.get(built.normed)?.data ?? []), next: { mean, variance } };
}

const column = (data: Float64Array, feature: number): number[] => Array.from(data).filter((_, i) => i % features === feature);
const meanOf = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;
const squares = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + (x - meanOf(xs)) ** 2, 0);

const start: Running = { mean: [0.5, -1, 2], variance: [1.5, 0.3, 4] };
const data = Float64Array.from(normals([7, features], 3, 2), (x, i) => x + (i % features));

describe('batch normalisation', () => {
  it('normalises every feature by the batch in training, with the biased variance', () => {
    const { normed } = run(data, start, 'training');
    for (let feature = 0; feature < features; feature++) {
      const xs = column(data, feature);
      const expected = xs.map((x) => (x - meanOf(xs)) / Math.sqrt(squares(xs) / 7 + 1e-5));
      expected.forEach((e, row) => expect(normed[row * features + feature]).toBeCloseTo(e, 12));
    }
  });

  it('moves the running statistics as PyTorch does, with the unbiased variance', () => {
    const { next } = run(data, start, 'training');
    for (let feature = 0; feature < features; feature++) {
      const xs = column(data, feature);
      expect(next.mean[feature]).toBeCloseTo(0.9 * (start.mean[feature] ?? NaN) + 0.1 * meanOf(xs), 12);
      expect(next.variance[feature]).toBeCloseTo(0.9 * (start.variance[feature] ?? NaN) + (0.1 * squares(xs)) / 6, 12);
    }
  });

  it('normalises by the running statistics in evaluation, row by row', () => {
    const { normed } = run(data, start, 'evaluation');
    normed.forEach((value, i) => {
      const feature = i % features;
      const expected = ((data[i] ?? NaN) - (start.mean[feature] ?? NaN)) / Math.sqrt((start.variance[feature] ?? NaN) + 1e-5);
      expect(value).toBeCloseTo(expected, 12);
    });
    // The first row alone is what it was among others.
    expect(run(data.slice(0, features), start, 'evaluation').normed).toEqual(normed.slice(0, features));
  });

  it('gives, after many microbatches, in evaluation what training gives', () => {
    let running: Running = { mean: [0, 0, 0], variance: [1, 1, 1] };
    for (let step = 0; step < 200; step++) running = run(data, running, 'training').next;
    const [training, evaluation] = [run(data, running, 'training').normed, run(data, running, 'evaluation').normed];
    // The running variance is unbiased and that of training is not.
    training.forEach((value, i) => expect(evaluation[i]).toBeCloseTo(value * Math.sqrt(6 / 7), 4));
  });

  it('has a defined answer for a single row, whose variance is 0', () => {
    const { normed, next } = run(data.slice(0, features), start, 'training');
    expect(normed.map(Math.abs)).toEqual([0, 0, 0]);
    next.variance.forEach((v, feature) => expect(v).toBeCloseTo(0.9 * (start.variance[feature] ?? NaN), 12));
  });

  it('lets gradients through the mean and the variance of the batch', () => {
    const built = normProgram(7);
    const errors = gradientErrors(built.program, { batch: 1, time: 7 }, feedsOf(built, data, start));
    for (const { parameter, error } of errors) expect(error, parameter).toBeLessThan(1e-7);
  });

  it('keeps its statistics in buffers that every microbatch replaces, from mean 0 and variance 1', () => {
    expect(normProgram(7).program.buffers.map(({ name, initial, updated, shape }) => ({ name, initial, updated, shape }))).toEqual([
      { name: 'query_mean', initial: 0, updated: 'microbatch', shape: [features] },
      { name: 'query_variance', initial: 1, updated: 'microbatch', shape: [features] },
    ]);
  });
});
