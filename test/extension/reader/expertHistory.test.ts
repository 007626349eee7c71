import { expect, test } from 'vitest';
import { ExpertHistory } from '../../../src/extension/reader/expertHistory';

const frame = (step: number, layer: number, ...counts: number[]) => ({ step, layer, counts: Float32Array.from(counts) });
const countsAt = (history: ExpertHistory, step: number, layer: number) => [...(history.at(step)?.layers.get(layer) ?? [])];

test('layers of one step make one slot', () => {
  const history = new ExpertHistory();
  for (const each of [frame(10, 0, 1, 2), frame(10, 1, 3, 4, 5), frame(20, 0, 6, 7)]) history.add(each);
  expect(history.length).toBe(2);
  expect(countsAt(history, 10, 1)).toEqual([3, 4, 5]);
  expect(history.at(15)).toMatchObject({ fromStep: 10, step: 20 });
  expect(history.range).toEqual({ first: 10, last: 20 });
});

test('thinning sums neighbours: nothing that was routed is lost, memory is bounded, the newest stays single', () => {
  const history = new ExpertHistory(16);
  for (let step = 1; step <= 1000; step++) {
    history.add(frame(step, 0, step, 1));
    history.add(frame(step, 1, 2));
    expect(history.length).toBeLessThanOrEqual(16);
  }
  expect(history.latest).toMatchObject({ fromStep: 999, step: 1000 });
  let total = 0;
  let covered = 0;
  for (let step = 1; step <= 1000;) {
    const slot = history.at(step);
    if (slot === null) throw new Error('a step is not covered');
    expect(slot.fromStep).toBe(covered);
    total += slot.layers.get(0)?.[0] ?? 0;
    expect(slot.layers.get(0)?.[1]).toBe(slot.step - slot.fromStep);
    covered = slot.step;
    step = slot.step + 1;
  }
  expect(total).toBe((1000 * 1001) / 2);
});

test('a resume takes back what came after its checkpoint, and the next frame starts there', () => {
  const history = new ExpertHistory();
  for (const step of [10, 20, 30]) history.add(frame(step, 0, step));
  history.rewind(25);
  expect(history.range).toEqual({ first: 10, last: 20 });
  history.add(frame(30, 0, 99));
  expect(history.latest).toMatchObject({ fromStep: 25, step: 30 });
  expect(countsAt(history, 30, 0)).toEqual([99]);
});
