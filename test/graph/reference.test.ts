import { describe, expect, it } from 'vitest';
import { bindDimension, product } from '../../src/graph/dimensions';
import { ProgramBuilder } from '../../src/graph/builder';
import { erf } from '../../src/graph/reference/elementwise';
import { ShapeError } from '../../src/graph/shapes';
import { interpret, programOf } from '../support/programs';

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
