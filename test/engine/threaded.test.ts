import { describe, expect, it } from 'vitest';
import { EngineError, type StateTensor } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { createThreadedEngine } from '../../src/engine/threaded/threadHost';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { tinyBatch, trainingTask } from './conformance';
import { bundle } from './support/bundle';
import { collect } from './support/deviceTasks';

const entry = await bundle('src/engine/threaded/threadEntry.ts', 'engine-thread');
const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 6 } }));
const { options, steps } = trainingTask(program, 3);

describe('an engine in its own thread', () => {
  it('trains to the same numbers, and leaves the batches as they were', async () => {
    const [plain, threaded] = [
      await createEngine('cpu').compile(program, options),
      await createThreadedEngine(entry, 'cpu').compile(program, options),
    ];
    for (const { microbatches, scalars } of steps) {
      expect(await threaded.step(microbatches, scalars)).toEqual(await plain.step(microbatches, scalars));
      expect(microbatches[0]?.tokens).toHaveLength(12);
    }
    expect(await threaded.evaluate(tinyBatch(9))).toEqual(await plain.evaluate(tinyBatch(9)));
    expect(await collect(threaded.exportState())).toEqual(await collect(plain.exportState()));
    await plain.dispose();
    await threaded.dispose();
  });

  it('goes on answering while a step runs', async () => {
    const session = await createThreadedEngine(entry, 'cpu').compile(program, options);
    let finished = false;
    const step = session.step(steps[0]?.microbatches ?? [], { step: 1, learningRate: 0.01 }).then(() => (finished = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(finished).toBe(false);
    await step;
    await session.dispose();
  });

  it('takes state from views of larger buffers, and gives tensors of their own', async () => {
    const session = await createThreadedEngine(entry, 'cpu').compile(program, options);
    const { name, shape } = program.parameters[0] ?? { name: '', shape: [] };
    const size = shape.reduce((a, b) => a * b, 1);
    const pool = new Float32Array(size + 10).fill(7);
    await session.importState([{ kind: 'parameter', name, shape, offset: 0, data: pool.subarray(5, 5 + size) }]);
    const state = await collect(session.exportState());
    expect(pool).toHaveLength(size + 10);
    expect(state[0]?.data).toEqual(new Float32Array(size).fill(7));
    expect(state.every(({ data }) => data.buffer.byteLength === data.byteLength)).toBe(true);
    expect(state.map(({ kind }) => kind).slice(0, 3)).toEqual(['parameter', 'firstMoment', 'secondMoment']);
    await session.dispose();
  });

  it('errors cross with their advice', async () => {
    const session = await createThreadedEngine(entry, 'cpu').compile(program, options);
    const unknown: StateTensor = { kind: 'parameter', name: 'nothing', shape: [1], offset: 0, data: new Float32Array(1) };
    const failure = await session.importState([unknown]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EngineError);
    expect((failure as EngineError).message).toContain('"nothing"');
    expect((failure as EngineError).advice).toContain('checkpoint');
    await expect(session.evaluate({ ...tinyBatch(0), batch: 3 })).rejects.toThrow(/3 x 6/);
    await session.dispose();
    await expect(session.step([], { step: 1, learningRate: 0 })).rejects.toThrow(EngineError);
  });
});
