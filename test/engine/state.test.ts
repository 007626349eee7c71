import { describe, expect, it } from 'vitest';
import { EngineError, type Session, type StateTensor } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { copyBetween, piecesOf, stateEntries } from '../../src/engine/stateLayout';
import { createThreadedEngine } from '../../src/engine/threaded/threadHost';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { tinyBatch } from './conformance';
import { bundle } from './support/bundle';
import { collect } from './support/deviceTasks';

/** Lanes, running means, a table whose gradient is rows: every kind of state. */
const program = buildLanguageModel(
  tinyExperiment({ attention: { heads: 2, position: 'xl' }, product_keys: { experts: 16, heads: 2, top_k: 3, key_width: 6 } }),
);
const options = { batch: 2, time: 6, microbatches: 2, seed: 3, threads: 1 };
const step = (session: Session, at: number) => session.step([tinyBatch(2 * at), tinyBatch(2 * at + 1)], { step: at, learningRate: 0.01 });

async function trained(steps: number): Promise<Session> {
  const session = await createEngine('cpu').compile(program, options);
  for (let at = 1; at <= steps; at++) await step(session, at);
  return session;
}

/** The same state in pieces of at most so many elements. */
function cut(state: readonly StateTensor[], elements: number): StateTensor[] {
  const entries = stateEntries(program, options);
  return state.flatMap((tensor) => {
    const entry = entries.find(({ kind, name }) => kind === tensor.kind && name === tensor.name);
    return entry === undefined ? [] : [...piecesOf(entry, [tensor.data], elements)];
  });
}

describe('pieces of state', () => {
  it('are all tensors in the order of the program, each parameter with what the optimiser knows of it', async () => {
    const session = await trained(1);
    const state = await collect(session.exportState());
    await session.dispose();
    const tensors = state.map(({ kind, name, shape, offset }) => ({ kind, name, shape, offset }));
    expect(tensors).toEqual(stateEntries(program, options).map(({ kind, name, shape }) => ({ kind, name, shape, offset: 0 })));
    expect(tensors.filter(({ kind }) => kind === 'rowState').map(({ shape }) => shape)).toEqual([
      [17, 3],
      [17, 3],
    ]);
  });

  it.each([1, 7, 1000])('of at most %d elements are taken as whole ones are', async (elements) => {
    const [source, target] = [await trained(3), await trained(1)];
    const state = await collect(source.exportState());
    const pieces = cut(state, elements);
    expect(Math.max(...pieces.map(({ data }) => data.length))).toBeLessThanOrEqual(elements);
    await target.importState(pieces);
    expect(await collect(target.exportState())).toEqual(state);
    expect(await step(target, 4)).toEqual(await step(source, 4));
    await source.dispose();
    await target.dispose();
  });

  it.each<[string, (pieces: readonly StateTensor[]) => readonly StateTensor[], RegExp]>([
    ['with a gap', (pieces) => [...pieces.slice(0, 1), ...pieces.slice(2)], /has a piece from element 14 where 7 comes next/],
    ['twice', (pieces) => [...pieces.slice(0, 2), ...pieces.slice(1)], /from element 7 where 14 comes next/],
    ['not to the end', (pieces) => pieces.slice(0, 2), /"embedding" \(parameter\) ends after 14 of 132 elements/],
    ['of another tensor in between', (pieces) => [...pieces.slice(0, 1), ...pieces.slice(30)], /ends after 7 of 132/],
    ['too long', (pieces) => pieces.map((piece) => ({ ...piece, data: new Float32Array(200) })), /has shape \[11, 12\] with 200 elements/],
    [
      'of another shape',
      (pieces) => pieces.map((piece) => ({ ...piece, shape: [12, 11] })),
      /has shape \[12, 11\].*, the model wants \[11, 12\]/,
    ],
    ['of an unknown tensor', (pieces) => pieces.map((piece) => ({ ...piece, name: 'ghost' })), /has no parameter "ghost"/],
  ])('are refused %s', async (_, change, message) => {
    const session = await trained(0);
    const pieces = change(cut(await collect(session.exportState()), 7));
    await expect(session.importState(pieces)).rejects.toThrow(message);
    await expect(session.importState(pieces)).rejects.toThrow(EngineError);
    await session.dispose();
  });

  it('cross to the engine’s thread and back: figures and state are those of an engine in this one', async () => {
    const entry = await bundle('src/engine/threaded/threadEntry.ts', 'engine-thread');
    const [plain, threaded] = [await trained(2), await createThreadedEngine(entry, 'cpu').compile(program, options)];
    await threaded.importState(cut(await collect(plain.exportState()), 50));
    expect(await step(threaded, 3)).toEqual(await step(plain, 3));
    expect(await threaded.evaluate(tinyBatch(9))).toEqual(await plain.evaluate(tinyBatch(9)));
    const state = await collect(threaded.exportState());
    expect(state).toEqual(await collect(plain.exportState()));

    // What goes wrong first is told, and the thread goes on.
    const pieces = cut(state, 50);
    await expect(threaded.importState(pieces.slice(0, 2))).rejects.toThrow(/ends after 100 of 132/);
    await expect(threaded.importState([...pieces.slice(0, 1), ...pieces.slice(2)])).rejects.toThrow(/where 50 comes next/);
    const breaking = async function* (): AsyncGenerator<StateTensor> {
      yield* pieces.slice(0, 2);
      throw new Error('the disk is gone');
    };
    await expect(threaded.importState(breaking())).rejects.toThrow('the disk is gone');
    await threaded.importState(pieces);
    expect(await step(threaded, 4)).toEqual(await step(plain, 4));
    await plain.dispose();
    await threaded.dispose();
  });
});

describe('copying between lists of arrays', () => {
  it('goes over their borders', () => {
    const arrays = (...sizes: number[]) => sizes.map((size) => new Float32Array(size));
    const whole = Float32Array.from({ length: 12 }, (_, at) => at);
    const parts = arrays(3, 4, 5);
    copyBetween([whole], 0, parts, 0, 12);
    expect(parts.map((part) => [...part])).toEqual([
      [0, 1, 2],
      [3, 4, 5, 6],
      [7, 8, 9, 10, 11],
    ]);
    const back = arrays(2, 6);
    copyBetween(parts, 2, back, 1, 7);
    expect(back.map((part) => [...part])).toEqual([
      [0, 2],
      [3, 4, 5, 6, 7, 8],
    ]);
    expect(() => copyBetween(parts, 6, back, 0, 7)).toThrow(RangeError);
  });
});
