import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/graph/builder';
import { evaluate, evaluateOne, floats, ints, rowsOf } from '../support/evaluate';

/** Four units with two choices each among three experts; 3 is nowhere. */
const chosen = ints([4, 2], [2, 0, 0, 3, 3, 3, 1, 0]);

describe('rows that go nowhere', () => {
  it('lie after those of all experts and are counted for none', () => {
    const [slots, order, counts] = evaluate([chosen], (builder, indices) => {
      const routing = builder.route(indices, 3);
      return [routing.slots, routing.order, routing.counts];
    });
    // Expert 0: pairs 1, 2, 7; expert 1: pair 6; expert 2: pair 0; nowhere: pairs 3, 4, 5.
    expect([...(order?.data ?? [])]).toEqual([1, 2, 7, 6, 0, 3, 4, 5]);
    expect(slots === undefined ? [] : rowsOf(slots)).toEqual([
      [4, 0],
      [1, 5],
      [6, 7],
      [3, 2],
    ]);
    expect([...(counts?.data ?? [])]).toEqual([3, 1, 1]);
  });

  it('come out of expertMatmul as zeros, and give its weights no gradient', () => {
    const x = floats([4, 1], [1, 2, 3, 4]);
    const weight = floats([3, 1, 2], [1, 10, 2, 20, 3, 30]);
    const [outputs, gradient, back] = evaluate([chosen, x, weight], (builder, indices, units, matrices) => {
      const routing = builder.route(indices, 3, 0.5);
      const rows = builder.permute(units, routing);
      const multiplied = builder.expertMatmul(rows, matrices, routing);
      const ones = builder.expand(builder.constant(1), multiplied.shape);
      const read = builder.node('expertMatmulGradient', {}, [rows, ones, routing.counts]);
      return [multiplied, ...read, builder.expertMatmul(ones, matrices, routing, true)];
    });
    expect(outputs === undefined ? [] : rowsOf(outputs)).toEqual([
      [1, 10],
      [2, 20],
      [4, 40],
      [8, 80],
      [3, 30],
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    // Expert 0 has units 0, 1 and 3, expert 1 unit 3, expert 2 unit 0; unit 2 has none.
    expect([...(gradient?.data ?? [])]).toEqual([7, 7, 4, 4, 1, 1]);
    expect([...(back?.data ?? [])]).toEqual([11, 11, 11, 22, 33, 0, 0, 0]);
  });

  it('leave a unit that goes nowhere with zeros', () => {
    const [y] = evaluate(
      [chosen, floats([4, 1], [1, 2, 3, 4]), floats([4, 2], new Array(8).fill(1))],
      (builder, indices, units, weights) => {
        const routing = builder.route(indices, 3);
        const outputs = builder.expertMatmul(builder.permute(units, routing), builder.constant(1, [3, 1, 1]), routing);
        return [builder.combine(outputs, weights, routing)];
      },
    );
    expect([...(y?.data ?? [])]).toEqual([2, 2, 0, 8]);
  });

  it('are counted for nobody, in the first columns as in all', () => {
    const count = (choices: number): number[] => [...evaluateOne([chosen], (builder, x) => builder.countChoices(x, 3, choices)).data];
    expect(count(2)).toEqual([3, 1, 1]);
    expect(count(1)).toEqual([1, 1, 1]);
  });

  it('are those of the index next after the last expert; beyond it there is nobody', () => {
    const beyond = ints([1, 2], [0, 4]);
    expect(() => evaluateOne([beyond], (builder, x) => builder.route(x, 3).slots)).toThrow(/no expert 4 among 3/);
    expect(() => evaluateOne([beyond], (builder, x) => builder.countChoices(x, 3, 2))).toThrow(RangeError);
    expect(() => evaluateOne([beyond], (builder, x) => builder.withinCapacity(x, 3, 1, 'unit'))).toThrow(RangeError);
  });

  it('take no room of an expert', () => {
    // C = ceil(0.75 * 8 / 3) = 2 of each expert; the third pair of expert 0 is its last in both orders.
    const within = (order: 'unit' | 'choice'): number[][] =>
      rowsOf(evaluateOne([chosen], (builder, x) => builder.withinCapacity(x, 3, 0.75, order)));
    expect(within('unit')).toEqual([
      [1, 1],
      [1, 0],
      [0, 0],
      [1, 0],
    ]);
    // By choice: unit 1's first choice, then unit 0's second; unit 3's second is too much.
    expect(within('choice')).toEqual([
      [1, 1],
      [1, 0],
      [0, 0],
      [1, 0],
    ]);
  });
});

describe('topK of every section', () => {
  const x = floats([2, 6], [1, 5, 3, 2, 2, 9, 0, 0, 0, 7, 8, 7]);
  const choose = (k: number, groups: number): number[][] =>
    rowsOf(evaluateOne([x], (builder, scores: Tensor) => builder.topK(scores, k, groups)));

  it('takes absolute columns, section by section, ties to the lower one', () => {
    expect(choose(1, 2)).toEqual([
      [1, 5],
      [0, 4],
    ]);
    expect(choose(2, 2)).toEqual([
      [1, 2, 5, 3],
      [0, 1, 4, 3],
    ]);
    expect(choose(1, 3)).toEqual([
      [1, 2, 5],
      [0, 3, 4],
    ]);
  });
  it('of one section is that of all columns, and of as many sections as columns all columns', () => {
    expect(choose(2, 1)).toEqual([
      [5, 1],
      [4, 3],
    ]);
    expect(choose(1, 6)).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
    ]);
  });
});
