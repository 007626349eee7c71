import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateTensor } from '../../src/engine/engine';
import { bindShape } from '../../src/graph/dimensions';
import { buildLanguageModel } from '../../src/models/languageModel';
import { latestCheckpoint, openCheckpoint, writeCheckpoint } from '../../src/training/checkpoint/checkpoint';
import { CheckpointError } from '../../src/training/checkpoint/checkpointError';
import { sessionOptions } from '../../src/training/prepare';
import type { TrainerState } from '../../src/training/trainingEvents';
import { tinyExperiment } from './tinyExperiment';

const program = buildLanguageModel(tinyExperiment());
const sizes = sessionOptions(tinyExperiment());
const stateAt = (step: number): TrainerState => ({
  schemaVersion: 1,
  step,
  seconds: 1.5 * step,
  tokens: 256 * step,
  dataPosition: 8 * step,
});

/** The whole state of the program with numbers that depend on `seed`, tensor by tensor in an unusual order. */
function stateTensors(seed: number): StateTensor[] {
  const kinds = ['secondMoment', 'parameter', 'firstMoment'] as const;
  const fill = (kind: StateTensor['kind'], name: string, shape: readonly number[], at: number): StateTensor => ({
    ...{ kind, name, shape, offset: 0 },
    data: Float32Array.from({ length: shape.reduce((size, axis) => size * axis, 1) }, (_, index) =>
      Math.fround(Math.sin(seed + 31 * at + index)),
    ),
  });
  return [
    ...program.buffers.map(({ name, shape }, at) => fill('buffer', name, bindShape(shape, {}), at)),
    ...kinds.flatMap((kind, order) => program.parameters.map(({ name, shape }, at) => fill(kind, name, shape, 100 * order + at))).reverse(),
  ];
}
async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'moe-checkpoint-')), 'checkpoints');
});
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

const write = (step: number, keep = 2, tensors = stateTensors(step)) =>
  writeCheckpoint({ directory, program, sizes, state: stateAt(step), tensors: stream(tensors), keep });
const folders = async () => (await readdir(directory)).sort();

describe('checkpoint', () => {
  it('gives back trainer state and every tensor bit for bit', async () => {
    const path = await write(7);
    expect(path).toBe(join(directory, 'step-7'));
    const { checkpoint, ignored } = await latestCheckpoint(directory);
    expect(ignored).toEqual([]);
    expect(checkpoint?.state).toEqual(stateAt(7));
    const key = ({ kind, name }: StateTensor) => `${kind} ${name}`;
    const sorted = (tensors: StateTensor[]) => [...tensors].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(sorted(await collect(checkpoint?.tensors() ?? stream([])))).toEqual(sorted(stateTensors(7)));
  });

  it('keeps the newest, and always the one just written', async () => {
    for (const step of [10, 20, 30]) await write(step);
    expect(await folders()).toEqual(['step-20', 'step-30']);
    await write(25, 1);
    expect(await folders()).toEqual(['step-25']);
  });

  it('writes a step again in its place', async () => {
    await write(5);
    await write(5, 2, stateTensors(6));
    expect(await folders()).toEqual(['step-5']);
    const { tensors } = await openCheckpoint(join(directory, 'step-5'));
    expect((await collect(tensors())).find(({ kind }) => kind === 'parameter')?.data).toEqual(
      stateTensors(6).findLast(({ kind }) => kind === 'parameter')?.data,
    );
  });

  it('leaves the older one alone when the new one cannot be completed', async () => {
    await write(10);
    async function* breaking(): AsyncGenerator<StateTensor> {
      yield* stateTensors(20).slice(0, 3);
      throw new Error('device lost');
    }
    const failing = writeCheckpoint({ directory, program, sizes, state: stateAt(20), tensors: breaking(), keep: 1 });
    await expect(failing).rejects.toThrow(/step 20 could not be written: device lost/);
    expect(await folders()).toEqual(['step-10']);
  });

  it.each([
    ['lacks tensors', stateTensors(1).slice(1), 'lacks 1 tensors'],
    [
      'has an unknown tensor',
      [...stateTensors(1), { kind: 'buffer', name: 'ghost', shape: [1], offset: 0, data: new Float32Array(1) } as const],
      'unexpected tensor buffer "ghost"',
    ],
    [
      'has a tensor of another shape',
      stateTensors(1).map((tensor, at) => (at === 0 ? { ...tensor, shape: [1], data: new Float32Array(1) } : tensor)),
      'has shape [1]',
    ],
  ])('refuses a state that %s', async (_, tensors, message) => {
    await expect(write(1, 2, [...tensors])).rejects.toThrow(message);
    expect(await folders()).toEqual([]);
  });

  it('passes over damaged ones, and says why', async () => {
    for (const step of [10, 20, 30, 40, 50]) await write(step, 9);
    const { size } = await stat(join(directory, 'step-50', 'state.safetensors'));
    await truncate(join(directory, 'step-50', 'state.safetensors'), size - 4);
    const flipped = await readFile(join(directory, 'step-40', 'state.safetensors'));
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) ^ 1, flipped.length - 1);
    await writeFile(join(directory, 'step-40', 'state.safetensors'), flipped);
    await writeFile(join(directory, 'step-30', 'trainer.json'), '{"schemaVersion":1,"step":30}');
    await rm(join(directory, 'step-20', 'state.safetensors'));
    await mkdir(join(directory, '.unfinished-step-60'));
    const { checkpoint, ignored } = await latestCheckpoint(directory);
    expect(checkpoint?.state.step).toBe(10);
    expect(ignored.map(({ path }) => path)).toEqual([50, 40, 30, 20].map((step) => join(directory, `step-${step}`)));
    expect(ignored[0]?.reason).toContain('bytes instead of');
    expect(ignored[1]?.reason).toContain('does not fit its checksum');
    expect(ignored[2]?.reason).toContain('seconds');
    expect(ignored[3]?.reason).toContain('ENOENT');
    await write(60, 9);
    expect(await folders()).not.toContain('.unfinished-step-60');
  });

  it('finds none where there is none', async () => {
    expect(await latestCheckpoint(directory)).toEqual({ checkpoint: undefined, ignored: [] });
    await expect(openCheckpoint(join(directory, 'step-1'))).rejects.toThrow(CheckpointError);
  });
});
