import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProgramBuilder } from '../../src/graph/builder';
import { expertCapacity, expertChoiceCapacity } from '../../src/graph/capacity';
import { nodeCosts } from '../../src/graph/cost';
import type { NdArray } from '../../src/graph/reference/array';
import { ShapeError } from '../../src/graph/shapes';
import { interpret, uniformIntegers } from '../support/programs';

describe('how many rows an expert may have', () => {
  it.each([
    // factor, pairs, experts, capacity
    [1, 8, 4, 2],
    [1, 9, 4, 3],
    [1.25, 16, 4, 5],
    [0.75, 8, 3, 2],
    [0.01, 8, 4, 1],
    [2, 3, 1, 6],
    // In floating point 1.1 * 90 is 99.00000000000001 and 2.2 * 90 / 2 as well.
    [1.1, 90, 1, 99],
    [2.2, 90, 2, 99],
    [0.7, 10, 7, 1],
  ])('factor %d, %d pairs, %d experts: %d', (factor, pairs, experts, expected) => {
    expect(expertCapacity(factor, pairs, experts)).toBe(expected);
  });

  it.each([
    // k, units, experts, units that each expert chooses
    [1, 8, 4, 2],
    [1, 9, 4, 2],
    [2, 5, 4, 2],
    [1, 2, 5, 1],
    [3, 7, 3, 7],
  ])('k = %d, %d units, %d experts: each chooses %d', (k, units, experts, expected) => {
    expect(expertChoiceCapacity(k, units, experts)).toBe(expected);
  });
});

/** Which (unit, choice) pairs stay, for hand-written choices. */
function kept(chosen: readonly (readonly number[])[], experts: number, factor: number, order: 'choice' | 'unit'): number[][] {
  const builder = new ProgramBuilder();
  const k = chosen[0]?.length ?? 0;
  const indices = builder.input('chosen', [chosen.length, k], 'int32');
  const mask = builder.withinCapacity(indices, experts, factor, order);
  const feeds = new Map([[indices.id, { shape: [chosen.length, k], data: Int32Array.from(chosen.flat()) }]]);
  const flat = [...(interpret(builder, { bindings: {}, feeds, wanted: [mask.id] }).get(mask.id)?.data ?? [])];
  return chosen.map((_, unit) => flat.slice(unit * k, (unit + 1) * k));
}

describe('withinCapacity', () => {
  // Expert 0 stands in four pairs, expert 1 in three, expert 2 in one; C = ceil(0.75 * 8 / 3) = 2.
  const chosen = [
    [0, 1],
    [0, 2],
    [0, 1],
    [1, 0],
  ];

  it('unit by unit, a late first choice loses to an early second one', () => {
    expect(kept(chosen, 3, 0.75, 'unit')).toEqual([
      [1, 1],
      [1, 1],
      [0, 1],
      [0, 0],
    ]);
  });
  it('choice by choice, every first choice comes before every second one', () => {
    expect(kept(chosen, 3, 0.75, 'choice')).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
  });
  it('is the same in both orders for one choice a unit, and keeps the first C units of a crowded expert', () => {
    const crowded = [[2], [2], [0], [2], [2]];
    // C = ceil(1 * 5 / 3) = 2.
    for (const order of ['unit', 'choice'] as const) expect(kept(crowded, 3, 1, order)).toEqual([[1], [1], [1], [0], [0]]);
  });

  it('keeps exactly min(count, C) pairs of each expert, and everything at a factor of E', () => {
    const units = fc.integer({ min: 1, max: 20 });
    const order = fc.constantFrom('unit' as const, 'choice' as const);
    fc.assert(
      fc.property(
        units,
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        order,
        fc.nat(),
        (u, e, f, o, seed) => {
          const k = Math.min(2, e);
          const first = uniformIntegers(u, e, seed);
          const chosen = Array.from(first, (expert) => Array.from({ length: k }, (_, choice) => (expert + choice) % e));
          const count = (of: (expert: number, unit: number, choice: number) => boolean) =>
            chosen.flatMap((row, unit) => row.filter((expert, choice) => of(expert, unit, choice))).length;
          const mask = kept(chosen, e, f, o);
          for (let expert = 0; expert < e; expert++) {
            const asked = count((other) => other === expert);
            const got = count((other, unit, choice) => other === expert && mask[unit]?.[choice] === 1);
            expect(got).toBe(Math.min(asked, expertCapacity(f, u * k, e)));
          }
          expect(kept(chosen, e, e, o).flat()).toEqual(chosen.flat().map(() => 1));
        },
      ),
    );
  });
});

/** The units that each expert chooses from scores [units, experts]. */
function choices(scores: readonly (readonly number[])[], k: number): number[][] {
  const builder = new ProgramBuilder();
  const experts = scores[0]?.length ?? 0;
  const x = builder.input('scores', ['units', experts], 'float32');
  const chosen = builder.expertChoice(x, k);
  const feeds = new Map([[x.id, { shape: [scores.length, experts], data: Float64Array.from(scores.flat()) }]]);
  const result = interpret(builder, { bindings: { units: scores.length }, feeds, wanted: [chosen.id] }).get(chosen.id);
  const capacity = result?.shape[1] ?? 0;
  return Array.from({ length: experts }, (_, expert) => [...(result?.data ?? [])].slice(expert * capacity, (expert + 1) * capacity));
}

describe('expertChoice', () => {
  const scores = [
    [0.1, 0.4],
    [0.5, 0.4],
    [0.5, 0.4],
    [0.9, 0.4],
    [0.2, 0.3],
  ];

  it('takes floor(k U / E) units for each expert, largest first, ties to the lower unit', () => {
    expect(choices(scores, 1)).toEqual([
      [3, 1],
      [0, 1],
    ]);
  });
  it('takes every unit for every expert when k = E', () => {
    expect(choices(scores, 2)).toEqual([
      [3, 1, 2, 4, 0],
      [0, 1, 2, 3, 4],
    ]);
  });
  it('takes one unit for each expert where there are more experts than choices', () => {
    expect(
      choices(
        [
          [1, 0, 1, 0, 1],
          [0, 1, 1, 1, 0],
        ],
        1,
      ),
    ).toEqual([[0], [1], [0], [1], [0]]);
  });
  it('refuses more choices than experts', () => {
    const builder = new ProgramBuilder();
    expect(() => builder.expertChoice(builder.input('scores', ['units', 3], 'float32'), 4)).toThrow(ShapeError);
  });

  it('gives its capacity to what follows, also when its choice is fed, and to the cost', () => {
    const builder = new ProgramBuilder();
    const x = builder.input('scores', ['units', 2], 'float32');
    const chosen = builder.inScope('router', () => builder.expertChoice(x, 1));
    const rows = builder.gatherRows(x, chosen);
    const sums = builder.sum(builder.add(rows, builder.expand(builder.constant(1), rows.shape)), [2]);
    expect(rows.shape).toEqual([2, 'capacity/router', 2]);
    const feeds = new Map<number, NdArray>([[x.id, { shape: [5, 2], data: Float64Array.from(scores.flat()) }]]);
    const frozen = new Map<number, NdArray>([...feeds, [chosen.id, { shape: [2, 2], data: Int32Array.of(4, 0, 0, 4) }]]);
    const run = (given: ReadonlyMap<number, NdArray>) =>
      interpret(builder, { bindings: { units: 5 }, feeds: given, wanted: [sums.id] }).get(sums.id);
    expect(run(feeds)?.shape).toEqual([2, 2]);
    expect([...(run(frozen)?.data ?? [])]).toEqual([2.5, 2.5, 2.5, 2.5]);
    // Reads 5 x 2 scores and 2 x 2.5 indices, writes 2 x 2.5 rows of 2: nominally 2 experts share 5 units.
    expect(nodeCosts(builder, { units: 5 }).find(({ node }) => node.op === 'gatherRows')?.bytes).toBe(4 * (10 + 5 + 10));
  });
});
