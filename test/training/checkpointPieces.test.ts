import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import type { StateTensor } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { piecesOf, stateEntries } from '../../src/engine/stateLayout';
import { ProgramBuilder } from '../../src/graph/builder';
import { elementCount } from '../../src/graph/dimensions';
import type { Program } from '../../src/graph/program';
import { buildLanguageModel } from '../../src/models/languageModel';
import { openCheckpoint } from '../../src/training/checkpoint/checkpoint';
import { readStateFile, writeStateFile } from '../../src/training/checkpoint/stateFile';
import { programOf } from '../support/programs';
import { stream } from './recorder';

/** A matrix, a table whose gradient is rows, and a buffer of each window: every kind of tensor that a state has. */
function statefulProgram(): Program {
  const builder = new ProgramBuilder();
  const options = { initialiser: { kind: 'constant', value: 1 }, role: 'experts' } as const;
  const matrix = builder.parameter('matrix', [5, 3], options);
  builder.parameter('table', [7, 4], { ...options, gradient: 'rows' });
  builder.buffer('cache', ['batch', 'time'], { initial: 0, updated: 'lane', update: (current) => current });
  return programOf(builder, builder.sum(matrix, [0, 1]));
}

const program = statefulProgram();
const sizes = { batch: 2, time: 5, microbatches: 3 };
const entries = stateEntries(program, sizes);
const dataOf = entries.map(({ shape }, index) => Float32Array.from({ length: elementCount(shape) }, (_, at) => Math.sin(100 * index + at)));
const inPieces = (elements: number): StateTensor[] =>
  entries.flatMap((entry, index) => [...piecesOf(entry, [dataOf[index] ?? new Float32Array()], elements)]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moe-pieces-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let files = 0;
const write = async (pieces: readonly StateTensor[]) => {
  const file = join(folder, `${files++}.safetensors`);
  return { file, checksums: await writeStateFile(file, program, sizes, stream(pieces)) };
};
async function read(file: string, checksums: Readonly<Record<string, string>>, elements: number): Promise<StateTensor[]> {
  const pieces: StateTensor[] = [];
  for await (const piece of readStateFile(file, checksums, elements)) pieces.push(piece);
  return pieces;
}

/** Whole tensors again, kind and name with all elements. */
function joined(pieces: readonly StateTensor[]): Record<string, { readonly shape: readonly number[]; readonly data: number[] }> {
  const tensors: Record<string, { shape: readonly number[]; data: number[] }> = {};
  for (const { kind, name, shape, offset, data } of pieces) {
    const tensor = (tensors[`${kind} ${name}`] ??= { shape, data: [] });
    expect(offset).toBe(tensor.data.length);
    tensor.data.push(...data);
  }
  return tensors;
}

describe('a state in pieces', () => {
  it('has every tensor once: row states with a row for the table, lane buffers with a copy for each microbatch', () => {
    const shapes = Object.fromEntries(entries.map(({ kind, name, shape }) => [`${kind} ${name}`, shape]));
    expect(shapes).toMatchObject({ 'rowState table': [8, 3], 'secondMoment table': [7, 4], 'buffer cache': [3, 2, 5] });
    expect(shapes).not.toHaveProperty('rowState matrix');
  });

  it('is the same file, with the same checksums, whatever the pieces, and reads back in any', async () => {
    const whole = await write(inPieces(1000));
    const expected = { bytes: await readFile(whole.file), tensors: joined(inPieces(1000)) };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 1, max: 31 }), async (written, asked) => {
        const { file, checksums } = await write(inPieces(written));
        expect(checksums).toEqual(whole.checksums);
        expect(await readFile(file)).toEqual(expected.bytes);
        const pieces = await read(file, checksums, asked);
        expect(Math.max(...pieces.map(({ data }) => data.length))).toBeLessThanOrEqual(asked);
        expect(joined(pieces)).toEqual(expected.tensors);
      }),
      { numRuns: 25 },
    );
  });

  const small = inPieces(4);
  it.each([
    ['lacks the last piece of a tensor', small.slice(0, -1), 'lacks 1 tensors'],
    ['leaves a piece out', small.filter((_, at) => at !== 1), 'where 4 comes next'],
    ['has a piece twice', [...small.slice(0, 2), ...small.slice(1)], 'where 8 comes next'],
    ['has a tensor twice', [...small, ...small.slice(0, 1)], 'came before'],
    [
      'has a piece that is too long',
      [...small.slice(0, 3), { ...(small[3] as StateTensor), data: new Float32Array(4) }],
      'has shape [5, 3] and more',
    ],
    [
      'has a tensor of another shape',
      small.map((piece) => (piece.name === 'cache' ? { ...piece, shape: [2, 5] } : piece)),
      'not [3, 2, 5]',
    ],
  ])('is refused when it %s', async (_, pieces, message) => {
    await expect(write(pieces)).rejects.toThrow(message);
  });

  it('that was damaged is found, wherever that is', async () => {
    const { file, checksums } = await write(inPieces(6));
    const bytes = await readFile(file);
    const header = 8 + Number(bytes.readBigUInt64LE(0));
    for (let at = header; at < bytes.length; at += 37) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      await writeFile(file, damaged);
      await expect(read(file, checksums, 3)).rejects.toThrow('does not fit its checksum');
    }
    await writeFile(file, bytes.subarray(0, bytes.length - 5));
    await expect(read(file, checksums, 3)).rejects.toThrow(`it has ${bytes.length - 5} bytes instead of ${bytes.length}`);
  });
});

describe('a checkpoint that version 0.1.0 wrote', () => {
  it('is read, and training goes on from it with the numbers of that version', async () => {
    const older = join(import.meta.dirname, '../fixtures/checkpoint-0.1.0');
    const expected = JSON.parse(await readFile(join(older, 'expected.json'), 'utf8')) as Record<
      'negativeLogLikelihood' | 'loss' | 'gradientNorm',
      number
    > & {
      readonly config: unknown;
    };
    const { state, tensors } = await openCheckpoint(join(older, 'step-3'));
    expect(state).toEqual({ schemaVersion: 1, step: 3, seconds: 1.5, tokens: 96, dataPosition: 12 });
    const session = await createEngine('cpu').compile(buildLanguageModel(experimentSchema.parse(expected.config)), {
      ...{ batch: 2, time: 8, microbatches: 2 },
      ...{ seed: 3, threads: 1 },
    });
    await session.importState(tensors());
    const batch = (first: number) => ({
      batch: 2,
      time: 8,
      tokens: Int32Array.from({ length: 16 }, (_, at) => (7 * at + first) % 32),
      targets: Int32Array.from({ length: 16 }, (_, at) => (7 * at + 7 + first) % 32),
    });
    expect((await session.evaluate(batch(0))).negativeLogLikelihood).toBeCloseTo(expected.negativeLogLikelihood, 3);
    const { loss, gradientNorm } = await session.step([batch(4), batch(14)], { step: 4, learningRate: 0.01 });
    await session.dispose();
    expect(loss).toBeCloseTo(expected.loss, 5);
    expect(gradientNorm).toBeCloseTo(expected.gradientNorm, 5);
  });
});
