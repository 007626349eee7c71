import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { denseGradient } from '../../src/graph/reference/gradientArrays';
import { ShapeError } from '../../src/graph/shapes';
import { evaluateOne, floats, ints, rowsOf } from '../support/evaluate';
import { gradientArrays, interpret, normals, programOf, uniformIntegers } from '../support/programs';

const table = floats([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
const indices = ints([2, 3], [0, 3, 0, 2, 2, 1]);

describe('tables of which units read rows', () => {
  it('rowDot is the dot product of each chosen row with the unit', () => {
    const x = floats([2, 2], [1, 10, -1, 0.5]);
    expect(rowsOf(evaluateOne([table, indices, x], (b, t, i, v) => b.rowDot(t, i, v)))).toEqual([
      [21, 87, 21],
      [-2, -2, -1],
    ]);
  });
  it('rowSum adds up the chosen rows by their weights', () => {
    const weights = floats([2, 3], [1, 2, 3, 1, -1, 0.5]);
    // 1 [1, 2] + 2 [7, 8] + 3 [1, 2], and [5, 6] - [5, 6] + 0.5 [3, 4].
    expect(rowsOf(evaluateOne([table, indices, weights], (b, t, i, w) => b.rowSum(t, i, w)))).toEqual([
      [18, 24],
      [1.5, 2],
    ]);
  });
  it('rowOuter adds up into rows what comes up, also more than once', () => {
    const coefficients = floats([2, 3], [1, 2, 3, 1, -1, 0.5]);
    const vectors = floats([2, 2], [1, 10, 2, 4]);
    // Unit 0 gives row 0 1 + 3 times its vector and row 3 twice; unit 1 gives row 2 once more and once less, row 1 a half.
    expect(rowsOf(evaluateOne([indices, coefficients, vectors], (b, i, c, v) => b.rowOuter(i, c, v, 4)))).toEqual([
      [4, 40],
      [1, 2],
      [0, 0],
      [2, 20],
    ]);
  });
  it('are what gathers and products over gathered rows give', () => {
    const sizes = { units: fc.integer({ min: 1, max: 6 }), k: fc.integer({ min: 1, max: 5 }), rows: fc.integer({ min: 1, max: 7 }) };
    fc.assert(
      fc.property(sizes.units, sizes.k, sizes.rows, fc.nat(), (units, k, rows, seed) => {
        const width = 3;
        const wide = floats([rows, width], normals([rows, width], seed));
        const chosen = ints([units, k], uniformIntegers(units * k, rows, seed));
        const [x, weights] = [floats([units, width], normals([units, width], seed + 1)), floats([units, k], normals([units, k], seed + 2))];
        const build = {
          dot: (b: ProgramBuilder, t: Tensor, i: Tensor, v: Tensor) =>
            b.sum(b.multiply(b.gatherRows(t, i), b.reshape(v, [units, 1, width])), [2]),
          sum: (b: ProgramBuilder, t: Tensor, i: Tensor, w: Tensor) =>
            b.sum(b.multiply(b.gatherRows(t, i), b.reshape(w, [units, k, 1])), [1]),
        };
        const dot = evaluateOne([wide, chosen, x], (b, t, i, v) => b.rowDot(t, i, v));
        const sum = evaluateOne([wide, chosen, weights], (b, t, i, w) => b.rowSum(t, i, w));
        expect(dot).toEqual(evaluateOne([wide, chosen, x], (b, t, i, v) => build.dot(b, t, i, v)));
        expect(sum).toEqual(evaluateOne([wide, chosen, weights], (b, t, i, w) => build.sum(b, t, i, w)));
      }),
    );
  });
});

/** loss = sum(r * rowSum(up, idx, gelu(rowDot(down, idx, x)))), with `down` read once more. */
function twoTables(gradient: 'dense' | 'rows'): { readonly program: Program; readonly feeds: Map<ValueId, NdArray> } {
  const builder = new ProgramBuilder();
  const options = { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'experts', gradient } as const;
  const [down, up] = [builder.parameter('down', [6, 3], options), builder.parameter('up', [6, 3], options)];
  const unused = builder.parameter('unused', [2, 3], options);
  const x = builder.parameter('x', [5, 3], { ...options, role: 'ffn', gradient: 'dense' });
  const chosen = builder.input('chosen', [5, 4], 'int32');
  const y = builder.rowSum(up, chosen, builder.activation('gelu', builder.rowDot(down, chosen, x)));
  const z = builder.rowSum(down, chosen, builder.rowDot(up, chosen, y));
  const weights = builder.input('weights', [5, 3], 'float32');
  const feeds = new Map<ValueId, NdArray>([
    ...[down, up, unused, x].map(({ id, shape }, index): [ValueId, NdArray] => {
      const bound = shape.map(Number);
      return [id, { shape: bound, data: normals(bound, 20 + index) }];
    }),
    [chosen.id, ints([5, 4], uniformIntegers(20, 6, 9))],
    [weights.id, floats([5, 3], normals([5, 3], 40))],
  ]);
  return { program: programOf(builder, builder.sum(builder.multiply(z, weights), [0, 1])), feeds };
}

describe('the gradient of a table', () => {
  const run = (gradient: 'dense' | 'rows') => {
    const { program, feeds } = twoTables(gradient);
    const differentiated = differentiate(program);
    const values = interpret(differentiated.program, { bindings: {}, feeds, wanted: differentiated.gradients.flatMap(valuesOfGradient) });
    return { differentiated, arrays: gradientArrays(differentiated, values) };
  };

  it('as rows, one part for each reading, adds up to the dense one', () => {
    const [dense, rows] = [run('dense'), run('rows')];
    expect(dense.differentiated.gradients.map(({ kind }) => kind)).toEqual(['dense', 'dense', 'dense', 'dense']);
    expect(rows.differentiated.gradients.map((gradient) => (gradient.kind === 'rows' ? gradient.parts.length : gradient.kind))).toEqual([
      2,
      2,
      0,
      'dense',
    ]);
    rows.arrays.forEach(({ shape, data }, index) => {
      expect(shape).toEqual(dense.arrays[index]?.shape);
      data.forEach((element, i) => expect(element).toBeCloseTo(dense.arrays[index]?.data[i] ?? NaN, 10));
    });
    // A table that nothing reads has no rows: zeros.
    expect(rows.arrays[2]?.data).toEqual(new Float64Array(6));
  });

  it('as rows makes no tensor of the size of the table', () => {
    const { differentiated } = run('rows');
    expect(differentiated.program.nodes.filter(({ op }) => op === 'rowOuter')).toEqual([]);
    expect(run('dense').differentiated.program.nodes.filter(({ op }) => op === 'rowOuter')).toHaveLength(4);
    const { program, gradients } = differentiated;
    const [first] = gradients;
    if (first?.kind !== 'rows') throw new RangeError('The first table has rows.');
    for (const part of first.parts) {
      expect(program.values[part.indices]).toEqual({ shape: [5, 4], dtype: 'int32' });
      expect(program.values[part.coefficients]?.shape).toEqual([5, 4]);
      expect(program.values[part.vectors]?.shape).toEqual([5, 3]);
    }
  });

  it('as rows says which rows, how much of which vector', () => {
    // loss = 3 x . table[2] + 5 x . table[0] + 7 x . table[2].
    const builder = new ProgramBuilder();
    const rows = builder.parameter('rows', [4, 2], {
      initialiser: { kind: 'normal', standardDeviation: 1 },
      role: 'experts',
      gradient: 'rows',
    });
    const [chosen, x] = [builder.input('chosen', [1, 3], 'int32'), builder.input('x', [1, 2], 'float32')];
    const weights = builder.input('weights', [1, 3], 'float32');
    const loss = builder.sum(builder.multiply(builder.rowDot(rows, chosen, x), weights), [0, 1]);
    const { program, gradients } = differentiate(programOf(builder, loss));
    const feeds = new Map<ValueId, NdArray>([
      [rows.id, floats([4, 2], new Array(8).fill(1))],
      [chosen.id, ints([1, 3], [2, 0, 2])],
      [x.id, floats([1, 2], [0.5, -1])],
      [weights.id, floats([1, 3], [3, 5, 7])],
    ]);
    const [gradient] = gradients;
    if (gradient === undefined) throw new RangeError('One parameter, one gradient.');
    const values = interpret(program, { bindings: {}, feeds, wanted: valuesOfGradient(gradient) });
    expect(rowsOf(denseGradient(gradient, [4, 2], values))).toEqual([
      [2.5, -5],
      [0, 0],
      [5, -10],
      [0, 0],
    ]);
  });
});

describe('a table with a gradient of rows', () => {
  const readBy = (read: (builder: ProgramBuilder, table: Tensor, chosen: Tensor) => Tensor): (() => unknown) => {
    const builder = new ProgramBuilder();
    const rows = builder.parameter('layers.2.up', [4, 4], {
      initialiser: { kind: 'normal', standardDeviation: 1 },
      role: 'experts',
      gradient: 'rows',
    });
    const chosen = builder.input('chosen', [4, 4], 'int32');
    const y = builder.inScope('layers.2', () => read(builder, rows, chosen));
    const loss = builder.sum(
      y,
      y.shape.map((_, axis) => axis),
    );
    return () => differentiate(programOf(builder, loss));
  };
  const x = (builder: ProgramBuilder): Tensor => builder.constant(1, [4, 4]);

  it.each<[string, (builder: ProgramBuilder, table: Tensor, chosen: Tensor) => Tensor]>([
    ['gatherRows', (b, t, i) => b.gatherRows(t, i)],
    ['matmul', (b, t) => b.matmul(x(b), t)],
    ['stopGradient', (b, t) => b.stopGradient(t)],
    // In the place of the vectors and weights, not of the table.
    ['rowDot', (b, t, i) => b.rowDot(x(b), i, t)],
    ['rowSum', (b, t, i) => b.rowSum(t, i, t)],
  ])('is not read by %s', (op, read) => {
    expect(readBy(read)).toThrow(ShapeError);
    expect(readBy(read)).toThrow(new RegExp(`layers\\.2: ${op} reads layers\\.2\\.up, .*only rowDot and rowSum`));
  });
  it('is read by rowDot and rowSum as their table', () => {
    expect(readBy((b, t, i) => b.rowSum(t, i, b.rowDot(t, i, x(b))))).not.toThrow();
  });
});
