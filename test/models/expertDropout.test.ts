import { expect, test } from 'vitest';
import { ProgramBuilder } from '../../src/graph/builder';
import { interpret } from '../../src/graph/reference/interpreter';
import { passedOver } from '../../src/models/expertDropout';

/** Scores as they are chosen by, where the expert dropout draws `drawn`: below 0 passes an expert over. */
function choosable(scores: readonly number[], drawn: readonly number[]): number[] {
  const builder = new ProgramBuilder();
  const input = builder.input('scores', [1, scores.length], 'float32');
  const result = passedOver(builder, input, 0.5);
  const values = interpret(builder, {
    bindings: {},
    feeds: new Map([
      [input.id, { shape: [1, scores.length], data: Float64Array.from(scores) }],
      ...builder.noises.map(({ value }) => [value, { shape: [1, drawn.length], data: Float64Array.from(drawn) }] as const),
    ]),
    wanted: [result.id],
  });
  return [...(values.get(result.id)?.data ?? [])];
}

test('an expert that is passed over is below any score, also below one that a bias has made negative', () => {
  const [kept = Number.NaN, passed = Number.NaN] = choosable([-40, 0.9], [0.3, -0.3]);
  expect(kept).toBe(-40);
  expect(passed).toBeLessThan(kept);
  expect(Math.fround(passed)).toBeGreaterThan(Number.NEGATIVE_INFINITY);
});
