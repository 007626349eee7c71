import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adamwUpdate } from '../../src/engine/onnx/adamw';
import { lazyAdamwUpdate, rowStateOf, type LazyTable } from '../../src/engine/onnx/lazyAdamw';
import { RowGradients } from '../../src/engine/onnx/rowGradients';
import { normals } from '../support/programs';

const [rows, width] = [6, 3];
const fixed = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, gradientScale: 1 };

/** What happens in one step: its learning rate and the gradient of each row that it reads. */
interface Step {
  readonly learningRate: number;
  readonly touched: ReadonlyMap<number, readonly number[]>;
}

interface Settings {
  readonly weightDecay: number;
  readonly rateScale: number;
}

const settingsArbitrary: fc.Arbitrary<Settings> = fc.record({
  weightDecay: fc.constantFrom(0, 0.1, 3),
  rateScale: fc.constantFrom(0.5, 1, 4),
});

const gradientArbitrary = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: width, maxLength: width });

const stepsArbitrary: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    learningRate: fc.double({ min: 0, max: 0.05, noNaN: true }),
    touched: fc
      .uniqueArray(fc.tuple(fc.nat(rows - 1), gradientArbitrary), { selector: ([row]) => row, maxLength: rows })
      .map((entries) => new Map(entries)),
  }),
  { minLength: 1, maxLength: 30 },
);

function newTable(): LazyTable {
  return {
    width,
    parameter: Float32Array.from(normals([rows, width], 5)),
    firstMoment: new Float32Array(rows * width),
    secondMoment: new Float32Array(rows * width),
    rowState: rowStateOf(rows),
  };
}

/** The gradients as one part: a unit per row, each with one choice. */
function gradientsOf(touched: Step['touched']): RowGradients {
  return new RowGradients(
    [
      {
        indices: Int32Array.from(touched.keys()),
        coefficients: new Float32Array(touched.size).fill(1),
        vectors: Float32Array.from([...touched.values()].flat()),
      },
    ],
    width,
  );
}

function train(table: LazyTable, steps: readonly Step[], settings: Settings, first = 1): void {
  steps.forEach(({ learningRate, touched }, index) =>
    lazyAdamwUpdate(table, gradientsOf(touched), { ...fixed, ...settings, learningRate, step: first + index }),
  );
}

/**
 * The same without a row state, in float64 and by its definition: moments as dense AdamW has them, which passes over every row in every
 * step with gradients of zero; weights of a row change in its own steps only, and then get all the decay that they are owed.
 */
function oracle(start: Float32Array, steps: readonly Step[], { weightDecay, rateScale }: Settings) {
  const [w, m, v] = [Float64Array.from(start), new Float64Array(rows * width), new Float64Array(rows * width)];
  const owed = new Float64Array(rows).fill(1);
  steps.forEach(({ learningRate, touched }, index) => {
    const eta = learningRate * rateScale;
    const [bias1, bias2] = [1 - fixed.beta1 ** (index + 1), 1 - fixed.beta2 ** (index + 1)];
    for (let row = 0; row < rows; row++) {
      owed[row] = (owed[row] ?? 0) * (1 - eta * weightDecay);
      const gradient = touched.get(row);
      for (let column = 0; column < width; column++) {
        const i = row * width + column;
        const g = Math.fround(gradient?.[column] ?? 0);
        m[i] = fixed.beta1 * (m[i] ?? 0) + (1 - fixed.beta1) * g;
        v[i] = fixed.beta2 * (v[i] ?? 0) + (1 - fixed.beta2) * g ** 2;
        if (gradient === undefined) continue;
        w[i] = (w[i] ?? 0) * (owed[row] ?? 0) - (eta * (m[i] / bias1)) / (Math.sqrt(v[i] / bias2) + fixed.epsilon);
      }
      if (gradient !== undefined) owed[row] = 1;
    }
  });
  return { w, m, v };
}

/** Float32 keeps what it is given to 6e-8 of its size, anew in each update. */
function expectClose(actual: Float32Array, expected: Float64Array, tolerance = 3e-6): void {
  expected.forEach((value, i) =>
    expect(Math.abs((actual[i] ?? Number.NaN) - value)).toBeLessThan(tolerance * Math.max(1, Math.abs(value))),
  );
}

describe('lazy AdamW', () => {
  it('agrees with its definition for any rows, learning rates and decay', () => {
    fc.assert(
      fc.property(stepsArbitrary, settingsArbitrary, (steps, settings) => {
        const table = newTable();
        train(table, steps, settings);
        const { w } = oracle(newTable().parameter, steps, settings);
        expectClose(table.parameter, w);
      }),
      { numRuns: 200 },
    );
  });

  it('has the moments and the decay of dense AdamW in every row that it has just updated', () => {
    fc.assert(
      fc.property(stepsArbitrary, settingsArbitrary, (steps, settings) => {
        // The last step reads every row: then nothing is owed any more.
        const all = new Map(Array.from({ length: rows }, (_, row) => [row, [0.5, -1, 2]]));
        const everything = [...steps, { learningRate: 0.01, touched: all }];
        const table = newTable();
        train(table, everything, settings);
        const { m, v } = oracle(newTable().parameter, everything, settings);
        expectClose(table.firstMoment, m);
        expectClose(table.secondMoment, v);
      }),
    );
  });

  it('is dense AdamW where every step reads every row', () => {
    const gradients = Array.from({ length: 20 }, (_, seed) => normals([rows, width], seed + 50, 0.3));
    const settings = { weightDecay: 0.1, rateScale: 2 };
    const [lazy, dense] = [newTable(), newTable()];
    gradients.forEach((gradient, index) => {
      const scalars = { ...fixed, ...settings, learningRate: 0.01 / (index + 1), step: index + 1 };
      const touched = new Map(Array.from({ length: rows }, (_, row) => [row, [...gradient.slice(row * width, (row + 1) * width)]]));
      lazyAdamwUpdate(lazy, gradientsOf(touched), scalars);
      adamwUpdate(dense.parameter, Float32Array.from(gradient), dense.firstMoment, dense.secondMoment, scalars);
    });
    expectClose(lazy.parameter, Float64Array.from(dense.parameter), 1e-6);
    expectClose(lazy.firstMoment, Float64Array.from(dense.firstMoment), 1e-6);
    expectClose(lazy.secondMoment, Float64Array.from(dense.secondMoment), 1e-6);
  });

  it('differs from dense AdamW by the steps of momentum that a row not read does not make', () => {
    const [lazy, dense] = [newTable(), newTable()];
    const start = newTable().parameter;
    const scalars = { ...fixed, weightDecay: 0, rateScale: 1, learningRate: 0.01 };
    const gradient = new Float32Array(rows * width);
    gradient.fill(1, 0, width);
    lazyAdamwUpdate(lazy, gradientsOf(new Map([[0, [1, 1, 1]]])), { ...scalars, step: 1 });
    adamwUpdate(dense.parameter, gradient, dense.firstMoment, dense.secondMoment, { ...scalars, step: 1 });
    const afterFirst = lazy.parameter.slice();
    lazyAdamwUpdate(lazy, gradientsOf(new Map()), { ...scalars, step: 2 });
    adamwUpdate(dense.parameter, new Float32Array(rows * width), dense.firstMoment, dense.secondMoment, { ...scalars, step: 2 });
    expect(lazy.parameter).toEqual(afterFirst);
    // m and v have faded: 0.1 * 0.9 / (1 - 0.9^2) over sqrt(0.05 * 0.95 / (1 - 0.95^2)).
    const ofMomentum = ((0.01 * 0.09) / 0.19 / Math.sqrt(0.0475 / 0.0975)) as number;
    expect((lazy.parameter[0] ?? 0) - (dense.parameter[0] ?? 0)).toBeCloseTo(ofMomentum, 6);
    // The rows that were never read are where they were.
    expect(lazy.parameter.slice(width)).toEqual(start.slice(width));
  });

  it('goes on with the same bits from a copy of its state', () => {
    fc.assert(
      fc.property(stepsArbitrary, fc.nat(29), settingsArbitrary, (steps, cut, settings) => {
        const whole = newTable();
        train(whole, steps, settings);
        const first = newTable();
        train(first, steps.slice(0, cut), settings);
        const resumed = { ...first, parameter: first.parameter.slice(), rowState: first.rowState.slice() };
        train(resumed, steps.slice(cut), settings, Math.min(cut, steps.length) + 1);
        expect(resumed).toEqual(whole);
      }),
    );
  });

  it('keeps the decay of a long training exact', () => {
    const table = newTable();
    const settings = { weightDecay: 0.1, rateScale: 1 };
    const steps = 20_000;
    const idle = Array.from({ length: steps }, () => ({ learningRate: 1e-3, touched: new Map<number, readonly number[]>() }));
    train(table, idle, settings);
    // A gradient of zero leaves nothing but the decay.
    train(table, [{ learningRate: 1e-3, touched: new Map([[2, [0, 0, 0]]]) }], settings, steps + 1);
    const expected = Float64Array.from(newTable().parameter.slice(2 * width, 3 * width), (w) => w * (1 - 1e-4) ** (steps + 1));
    expected.forEach((value, i) => expect(Math.abs((table.parameter[2 * width + i] ?? 0) / value - 1)).toBeLessThan(1e-7));
    expect([...table.rowState.slice(-3)]).toEqual([...table.rowState.slice(2 * 3, 3 * 3)]);
    expect(table.rowState.at(-3)).toBe(steps + 1);
  });

  it('multiplies gradients by their scale', () => {
    const update = (gradient: readonly number[], gradientScale: number): LazyTable => {
      const table = newTable();
      const scalars = { ...fixed, epsilon: 0.1, weightDecay: 0.1, rateScale: 1, learningRate: 0.1, step: 1, gradientScale };
      lazyAdamwUpdate(table, gradientsOf(new Map([[1, gradient]])), scalars);
      return table;
    };
    expect(update([4, -8, 2], 0.25)).toEqual(update([1, -2, 0.5], 1));
    expect(update([4, -8, 2], 0.25)).not.toEqual(update([4, -8, 2], 1));
  });

  it('refuses to go back', () => {
    const table = newTable();
    const step: Step = { learningRate: 0.01, touched: new Map([[0, [1, 1, 1]]]) };
    train(table, [step], { weightDecay: 0, rateScale: 1 }, 7);
    expect(() => train(table, [step], { weightDecay: 0, rateScale: 1 }, 7)).toThrow(/Step 7 comes after step 7/);
  });
});
