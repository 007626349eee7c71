import { describe, expect, it } from 'vitest';
import { bindDimension, product } from '../../src/graph/dimensions';
import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import type { NdArray } from '../../src/graph/reference/array';
import { erf } from '../../src/graph/reference/elementwise';
import { ShapeError } from '../../src/graph/shapes';
import { gradientArrays, interpret, programOf } from '../support/programs';

describe('dimensions', () => {
  it('multiply to a canonical monomial', () => {
    expect(product(['time', 2, 'batch', 3])).toBe('6*batch*time');
    expect(product([4, 5])).toBe(20);
    expect(product(['2*batch', '3*time'])).toBe('6*batch*time');
  });
  it('bind, and name a symbol without a value', () => {
    expect(bindDimension('2*batch*time', { batch: 3, time: 5 })).toBe(30);
    expect(() => bindDimension('2*batch', {})).toThrow(/"batch"/);
  });
});

describe('erf', () => {
  // Abramowitz and Stegun, table 7.1, and values of higher precision.
  it.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [2.9, 0.9999589021219005],
    [3.5, 0.9999992569016276],
    [-1, -0.8427007929497149],
    [8, 1],
  ])('erf(%d)', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(1e-14);
  });
});

describe('small primitives', () => {
  const evaluate = (build: (builder: ProgramBuilder, x: Tensor) => Tensor, data: readonly number[], mode?: 'training' | 'evaluation') => {
    const builder = new ProgramBuilder();
    const x = builder.input('x', [data.length], 'float32');
    const y = build(builder, x);
    const feeds = new Map([[x.id, { shape: [data.length], data: Float64Array.from(data) }]]);
    const run = interpret(builder, { bindings: {}, feeds, wanted: [y.id], ...(mode === undefined ? {} : { mode }) });
    return run.get(y.id);
  };

  it('trainingMode is 1 in training, also where nothing is said, and 0 in evaluation', () => {
    const mode = (builder: ProgramBuilder): Tensor => builder.trainingMode();
    expect(evaluate(mode, [0])).toEqual({ shape: [], data: Float64Array.of(1) });
    expect(evaluate(mode, [0], 'training')?.data[0]).toBe(1);
    expect(evaluate(mode, [0], 'evaluation')?.data[0]).toBe(0);
  });
  it('sign is -1, 0 or 1', () => {
    expect([...(evaluate((builder, x) => builder.sign(x), [-2, -1e-300, 0, 1e-300, 7])?.data ?? [])]).toEqual([-1, -1, 0, 1, 1]);
  });
  it('logSumExp neither overflows nor loses small differences', () => {
    const of = (...data: number[]) => evaluate((builder, x) => builder.logSumExp(x), data);
    expect(of(0, 0)).toEqual({ shape: [], data: Float64Array.of(Math.LN2) });
    expect(of(1000, 1000)?.data[0]).toBe(1000 + Math.LN2);
    expect(of(-1000, -1000 + Math.log(3))?.data[0]).toBeCloseTo(-1000 + Math.log(4), 12);
    expect(of(5)?.data[0]).toBe(5);
  });
});

describe('symbolic sizes', () => {
  it('stay symbolic in the gradients of gatherRows and takeAlongLast', () => {
    const builder = new ProgramBuilder();
    const scale = builder.parameter('scale', [], { initialiser: { kind: 'constant', value: 1 }, role: 'ffn' });
    const table = builder.multiply(builder.input('x', ['units', 'units'], 'float32'), scale);
    const gathered = builder.gatherRows(table, builder.input('rows', [3], 'int32'));
    const taken = builder.takeAlongLast(gathered, builder.input('columns', [3, 2], 'int32'));
    const differentiated = differentiate(programOf(builder, builder.sum(taken, [0, 1])));
    const { program, gradients } = differentiated;
    const shapes = (op: string) =>
      program.nodes.filter((node) => node.op === op).map((node) => program.values[node.outputs[0] ?? -1]?.shape);
    expect(shapes('scatterAlongLast')).toEqual([[3, 'units']]);
    expect(shapes('scatterRows')).toEqual([['units', 'units']]);

    // d loss / d scale is the sum of the elements taken: x[row, column] = 10 row + column.
    const x = Float64Array.from({ length: 16 }, (_, i) => 10 * Math.floor(i / 4) + (i % 4));
    const [rows, columns] = [Int32Array.of(3, 0, 3), Int32Array.of(0, 1, 2, 3, 1, 0)];
    const feeds = new Map<number, NdArray>([
      [scale.id, { shape: [], data: Float64Array.of(1) }],
      ...program.inputs.map(({ name, value }): [number, NdArray] => {
        if (name === 'x') return [value, { shape: [4, 4], data: x }];
        return [value, name === 'rows' ? { shape: [3], data: rows } : { shape: [3, 2], data: columns }];
      }),
    ]);
    const values = interpret(program, { bindings: { units: 4 }, feeds, wanted: gradients.flatMap(valuesOfGradient) });
    expect(gradientArrays(differentiated, values)[0]?.data[0]).toBe(30 + 31 + 2 + 3 + 31 + 30);
  });
});

describe('the builder', () => {
  it('names the scope and the shapes of an operand that does not fit', () => {
    const builder = new ProgramBuilder();
    const build = (): unknown =>
      builder.inScope('layers.3', () => {
        const x = builder.input('x', ['batch', 4], 'float32');
        return builder.matmul(x, builder.constant(0, [5, 6]));
      });
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(/layers\.3: matmul: .*inner dimensions 4 and 5/);
  });
});

describe('routing', () => {
  const layout = (indices: number[][], experts: number): { slots: number[]; order: number[]; counts: number[] } => {
    const builder = new ProgramBuilder();
    const k = indices[0]?.length ?? 0;
    const chosen = builder.input('chosen', [indices.length, k], 'int32');
    const routing = builder.route(chosen, experts);
    const program = programOf(builder, builder.constant(0));
    const feeds = new Map([[chosen.id, { shape: [indices.length, k], data: Int32Array.from(indices.flat()) }]]);
    const values = interpret(program, { bindings: {}, feeds, wanted: [routing.slots.id] });
    const read = (id: number): number[] => [...(values.get(id)?.data ?? [])];
    return { slots: read(routing.slots.id), order: read(routing.order.id), counts: read(routing.counts.id) };
  };

  it('sorts rows by expert, then unit, then choice', () => {
    expect(
      layout(
        [
          [2, 0],
          [0, 1],
          [2, 1],
        ],
        4,
      ),
    ).toEqual({
      order: [1, 2, 3, 5, 0, 4],
      slots: [4, 0, 1, 2, 5, 3],
      counts: [2, 2, 2, 0],
    });
  });

  it('lays out all units on one expert', () => {
    expect(layout([[1], [1], [1]], 3)).toEqual({ order: [0, 1, 2], slots: [0, 1, 2], counts: [0, 3, 0] });
  });

  it('breaks ties of topK towards the lower column', () => {
    const builder = new ProgramBuilder();
    const x = builder.input('x', [2, 4], 'float32');
    const chosen = builder.topK(x, 2);
    const feeds = new Map([[x.id, { shape: [2, 4], data: Float64Array.of(1, 3, 3, 3, 0, 0, 0, 0) }]]);
    const values = interpret(programOf(builder, builder.constant(0)), { bindings: {}, feeds, wanted: [chosen.id] });
    expect([...(values.get(chosen.id)?.data ?? [])]).toEqual([1, 2, 0, 1]);
  });
});
