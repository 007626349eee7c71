import { afterEach, describe, expect, it } from 'vitest';
import { EngineError, type Batch, type Session, type SessionOptions, type StateTensor } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { createThreadedEngine } from '../../src/engine/threaded/threadHost';
import { uniformIntegers } from '../support/programs';
import { bundle } from './support/bundle';
import { collect } from './support/deviceTasks';
import { stepProgram } from './support/stepProgram';

const [lanes, time, seed] = [4, 6, 3];
// A buffer that goes from microbatch to microbatch would not be the same in one microbatch.
const program = stepProgram({ lanes: true });
const withBuffers = stepProgram({ lanes: true, running: true });

/**
 * The windows of a step in microbatches of `size`: the same windows whatever the size. Lanes begin anew at step 1, the second one also at
 * step 3.
 */
function windowsOf(step: number, size = 2): Batch[] {
  const [tokens, targets] = [uniformIntegers(lanes * time, 11, 2 * step), uniformIntegers(lanes * time, 11, 2 * step + 1)];
  const resets = Int32Array.from({ length: lanes }, (_, lane) => (step === 1 || (step === 3 && lane === 1) ? 1 : 0));
  return Array.from({ length: lanes / size }, (_, index) => {
    const [from, to] = [index * size, (index + 1) * size];
    const windows = { tokens: tokens.slice(from * time, to * time), targets: targets.slice(from * time, to * time) };
    return { batch: size, time, ...windows, resets: resets.slice(from, to) };
  });
}

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.dispose();
});
const optionsFor = (size: number): SessionOptions => ({ batch: size, time, microbatches: lanes / size, seed, threads: 1 });
async function compile(of = program, size = 2): Promise<Session> {
  const session = await createEngine('cpu').compile(of, optionsFor(size));
  sessions.push(session);
  return session;
}
const stepIn = (session: Session, step: number, size = 2) => session.step(windowsOf(step, size), { step, learningRate: 0.01 });
const bufferOf = (state: readonly StateTensor[]) => state.find(({ name }) => name === 'before');

/** One window a batch, each going on from the one before it. */
const evaluationWindow = (at: number, reset = 0): Batch => ({
  batch: 1,
  time,
  tokens: uniformIntegers(time, 11, 100 + at),
  targets: uniformIntegers(time, 11, 200 + at),
  resets: Int32Array.of(reset),
});

function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(actual).reduce((most, x, i) => Math.max(most, Math.abs(x - (expected[i] ?? NaN))), 0);
}

describe('lanes in training', () => {
  it('are split into microbatches in any way: figures and state are those of one microbatch', async () => {
    const [whole, halves, single] = [await compile(program, 4), await compile(program, 2), await compile(program, 1)];
    for (let step = 1; step <= 5; step++) {
      const expected = await stepIn(whole, step, 4);
      for (const [session, size] of [
        [halves, 2],
        [single, 1],
      ] as const) {
        const { loss, gradientNorm, expertCounts } = await stepIn(session, step, size);
        expect(difference([loss, gradientNorm], [expected.loss, expected.gradientNorm])).toBeLessThan(2e-6);
        expect(expertCounts).toEqual(expected.expertCounts);
      }
    }
    const [expected, ...others] = [whole, halves, single].map((session) => collect(session.exportState()));
    const state = await (expected ?? []);
    expect(bufferOf(state)?.shape).toEqual([1, 4, time, 6]);
    for (const [other, shape] of [
      [await (others[0] ?? []), [2, 2, time, 6]],
      [await (others[1] ?? []), [4, 1, time, 6]],
    ] as const) {
      expect(bufferOf(other)?.shape).toEqual(shape);
      other.forEach(({ data }, index) => expect(difference(data, state[index]?.data ?? [])).toBeLessThan(2e-6));
    }
  });

  it('matter, and begin anew where a reset says so', async () => {
    const [lanesOn, reset] = [await compile(), await compile()];
    const [on, anew] = [await stepIn(lanesOn, 1), await stepIn(reset, 1)];
    expect(anew.loss).toBe(on.loss);
    const all = windowsOf(2).map((batch) => ({ ...batch, resets: new Int32Array(batch.batch).fill(1) }));
    const without = await reset.step(all, { step: 2, learningRate: 0.01 });
    expect((await stepIn(lanesOn, 2)).loss).not.toBe(without.loss);
  });

  it('stay as they were when the loss is not finite', async () => {
    const session = await compile(withBuffers);
    for (const step of [1, 2]) await stepIn(session, step);
    const [parameter] = await collect(session.exportState());
    if (parameter === undefined) throw new Error('There is a parameter.');
    await session.importState([{ ...parameter, data: new Float32Array(parameter.data.length).fill(1e30) }]);
    const before = await collect(session.exportState());
    const metrics = await stepIn(session, 3);
    expect(Number.isFinite(metrics.loss) && Number.isFinite(metrics.gradientNorm)).toBe(false);
    expect(await collect(session.exportState())).toEqual(before);
  });

  it('go on exactly from an exported state, with every kind of buffer', async () => {
    const unbroken = await compile(withBuffers);
    const losses: number[] = [];
    for (let step = 1; step <= 5; step++) losses.push((await stepIn(unbroken, step)).loss);
    const [first, second] = [await compile(withBuffers), await compile(withBuffers)];
    for (const step of [1, 2]) await stepIn(first, step);
    for (const step of [1, 2, 3]) await stepIn(second, step);
    await second.importState(first.exportState());
    const resumed: number[] = [];
    for (const step of [3, 4, 5]) resumed.push((await stepIn(second, step)).loss);
    expect(resumed).toEqual(losses.slice(2));
    expect(await collect(second.exportState())).toEqual(await collect(unbroken.exportState()));
  });

  it('want resets, one for each window, and as many microbatches as they were made for', async () => {
    const session = await compile();
    const [first, second] = windowsOf(1) as [Batch, Batch];
    const { resets: _, ...without } = first;
    const step = (batches: Batch[]) => session.step(batches, { step: 1, learningRate: 0.01 });
    await expect(step([without, second])).rejects.toThrow(/does not say which of its windows/);
    await expect(step([{ ...first, resets: Int32Array.of(1) }, second])).rejects.toThrow(/2 windows has 1 resets/);
    await expect(step([first])).rejects.toThrow(EngineError);
    await expect(step([first])).rejects.toThrow(/1 microbatches came to a session compiled for 2/);
  });
});

describe('lanes in evaluation', () => {
  it('go on from batch to batch of one shape, whatever is trained in between, and are never training’s', async () => {
    const [plain, disturbed] = [await compile(), await compile()];
    for (const session of [plain, disturbed]) for (const step of [1, 2]) await stepIn(session, step);
    const frozen = await collect(plain.exportState());
    const expected = [];
    for (const at of [0, 1, 2]) expected.push(await plain.evaluate(evaluationWindow(at, at === 0 ? 1 : 0)));
    expect(await collect(plain.exportState())).toEqual(frozen);

    const state = await collect(disturbed.exportState());
    const found = [];
    for (const at of [0, 1, 2]) {
      found.push(await disturbed.evaluate(evaluationWindow(at, at === 0 ? 1 : 0)));
      await stepIn(disturbed, 3 + at);
      // Batches of another shape have lanes of their own.
      await disturbed.evaluate(windowsOf(7)[0] as Batch);
      // Parameters as they were: what is left of the steps would be in evaluation's lanes.
      await disturbed.importState(state);
    }
    expect(found).toEqual(expected);
  });

  it('matter, and begin anew where a reset says so', async () => {
    const session = await compile();
    await stepIn(session, 1);
    const first = await session.evaluate(evaluationWindow(0, 1));
    const second = await session.evaluate(evaluationWindow(1));
    expect((await session.evaluate(evaluationWindow(1, 1))).negativeLogLikelihood).not.toBe(second.negativeLogLikelihood);
    expect(await session.evaluate(evaluationWindow(0, 1))).toEqual(first);
    expect(await session.evaluate(evaluationWindow(1))).toEqual(second);
  });

  it('leave training as it would be without', async () => {
    const [with_, without] = [await compile(withBuffers), await compile(withBuffers)];
    for (const step of [1, 2, 3]) {
      await with_.evaluate(evaluationWindow(step, 1));
      expect(await stepIn(with_, step)).toEqual(await stepIn(without, step));
    }
    expect(await collect(with_.exportState())).toEqual(await collect(without.exportState()));
  });
});

describe('what a retrieval chose', () => {
  it('is each chosen expert once, ascending, with its choices and weights over all microbatches', async () => {
    const retrieving = stepProgram({ lanes: true, retrieval: true });
    const session = await compile(retrieving);
    const { retrievals, expertCounts, taken } = await stepIn(session, 1);
    const [use] = retrievals;
    const counts = expertCounts[0] ?? new Float32Array();
    const chosen = [...counts.keys()].filter((expert) => counts[expert] !== 0);
    expect([...(use?.experts ?? [])]).toEqual(chosen);
    expect([...(use?.counts ?? [])]).toEqual(chosen.map((expert) => counts[expert]));
    expect(use?.weights.every((weight) => weight > 0)).toBe(true);
    expect(taken).toEqual([null]);
    const evaluated = await session.evaluate(evaluationWindow(0, 1));
    expect(evaluated.retrievals[0]?.counts.reduce((sum, count) => sum + count, 0)).toBe(2 * time);
  });
});

describe('an engine in its own thread', () => {
  it('steps, evaluates, exports and imports lanes with the same numbers', async () => {
    const entry = await bundle('src/engine/threaded/threadEntry.ts', 'engine-thread');
    const threaded = await createThreadedEngine(entry, 'cpu').compile(withBuffers, optionsFor(2));
    sessions.push(threaded);
    const plain = await compile(withBuffers);
    for (const step of [1, 2, 3]) expect(await stepIn(threaded, step)).toEqual(await stepIn(plain, step));
    for (const at of [0, 1])
      expect(await threaded.evaluate(evaluationWindow(at, 1 - at))).toEqual(await plain.evaluate(evaluationWindow(at, 1 - at)));
    const state = await collect(threaded.exportState());
    expect(state).toEqual(await collect(plain.exportState()));
    await stepIn(threaded, 4);
    await threaded.importState(state);
    expect(await stepIn(threaded, 4)).toEqual(await stepIn(plain, 4));
  });
});
