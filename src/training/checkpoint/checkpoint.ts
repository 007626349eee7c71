import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { StateTensor } from '../../engine/engine';
import type { StateSizes } from '../../engine/stateLayout';
import type { Program } from '../../graph/program';
import type { TrainerState } from '../trainingEvents';
import { CheckpointError } from './checkpointError';
import { type Checksums, readStateFile, stateFileHeader, writeStateFile } from './stateFile';

/**
 * A checkpoint is a folder `step-N/` with `state.safetensors` (parameters, what the optimiser knows of them, buffers) and `trainer.json`
 * (where the training stands, and a checksum of each tensor). It is written under another name, synced and renamed, so that a folder
 * `step-N` is always whole unless the disk damages it.
 */
export interface Checkpoint {
  readonly path: string;
  readonly state: TrainerState;
  /** Reads the tensors again at each call, piece by piece; throws CheckpointError where they are damaged. */
  tensors(): AsyncIterable<StateTensor>;
}

export interface CheckpointRequest {
  /** The run's `checkpoints` folder; made if absent. */
  readonly directory: string;
  readonly program: Program;
  /** What the session was compiled for: lane buffers depend on it. */
  readonly sizes: StateSizes;
  readonly state: TrainerState;
  readonly tensors: AsyncIterable<StateTensor>;
  /** Newest checkpoints kept, this one included; the older ones are removed once this one is safe. */
  readonly keep: number;
}

const STATE_FILE = 'state.safetensors';
const TRAINER_FILE = 'trainer.json';
const UNFINISHED = '.unfinished-';

const trainerFileSchema = z.object({
  schemaVersion: z.literal(1),
  step: z.int().nonnegative(),
  seconds: z.number().nonnegative(),
  tokens: z.int().nonnegative(),
  dataPosition: z.int().nonnegative(),
  validationPending: z.boolean().exactOptional(),
  checksums: z.record(z.string(), z.string()),
});

/**
 * Writes the checkpoint of a step (in place of one of the same step) and returns its folder. Throws CheckpointError where the disk refuses.
 */
export async function writeCheckpoint({ directory, program, sizes, state, tensors, keep }: CheckpointRequest): Promise<string> {
  const path = join(directory, `step-${state.step}`);
  const unfinished = join(directory, `${UNFINISHED}step-${state.step}`);
  try {
    await mkdir(directory, { recursive: true });
    await removeUnfinished(directory);
    await mkdir(unfinished);
    const checksums = await writeStateFile(join(unfinished, STATE_FILE), program, sizes, tensors);
    await writeSynced(join(unfinished, TRAINER_FILE), trainerFile(state, checksums));
    await syncFolder(unfinished);
    await replaceFolder(unfinished, path);
    await syncFolder(directory);
    await prune(directory, state.step, keep);
  } catch (cause) {
    await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError(
      `The checkpoint of step ${state.step} could not be written: ${reason}`,
      `Check space and permissions of ${directory}.`,
      { cause },
    );
  }
  return path;
}

/** Bytes of the files of a checkpoint, at most. */
export function checkpointBytes(program: Pick<Program, 'name' | 'parameters' | 'buffers'>, sizes: StateSizes): number {
  const { fileBytes, tensors } = stateFileHeader(program, sizes);
  const most = Number.MAX_SAFE_INTEGER;
  const state: TrainerState = { schemaVersion: 1, step: most, seconds: Number.MIN_VALUE, tokens: most, dataPosition: most };
  const checksums = Object.fromEntries(tensors.map(({ name }) => [name, '0'.repeat(64)]));
  return fileBytes + Buffer.byteLength(trainerFile({ ...state, validationPending: true }, checksums));
}

/** Opens one checkpoint and reads it whole once, to be sure of it. Throws CheckpointError where it is damaged. */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const { checksums, ...state } = await guarded(path, async () =>
    trainerFileSchema.parse(JSON.parse(await readFile(join(path, TRAINER_FILE), 'utf8'))),
  );
  const tensors = () => guardedTensors(path, checksums);
  let found = 0;
  for await (const { offset } of tensors()) if (offset === 0) found++;
  if (found !== Object.keys(checksums).length) throw damaged(path, `it has ${found} of ${Object.keys(checksums).length} tensors`);
  return { path, state, tensors };
}

export interface LatestCheckpoint {
  readonly checkpoint: Checkpoint | undefined;
  /** Newer ones that cannot be used, and why. */
  readonly ignored: readonly { readonly path: string; readonly reason: string }[];
}

/** The newest checkpoint that is whole. A missing folder has none. */
export async function latestCheckpoint(directory: string): Promise<LatestCheckpoint> {
  const ignored: { path: string; reason: string }[] = [];
  for (const step of await stepsIn(directory)) {
    const path = join(directory, `step-${step}`);
    try {
      return { checkpoint: await openCheckpoint(path), ignored };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      ignored.push({ path, reason: error.message });
    }
  }
  return { checkpoint: undefined, ignored };
}

/** Steps that have a checkpoint, newest first. */
async function stepsIn(directory: string): Promise<number[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Keeps the one just written, which is known to be whole, and the newest others. */
async function prune(directory: string, written: number, keep: number): Promise<void> {
  const others = (await stepsIn(directory)).filter((step) => step !== written);
  for (const step of others.slice(Math.max(0, keep - 1))) await rm(join(directory, `step-${step}`), { recursive: true, force: true });
}

async function removeUnfinished(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(UNFINISHED)) await rm(join(directory, name), { recursive: true, force: true });
  }
}

/**
 * A folder cannot be renamed over one that has content: the old one steps aside first. It is damaged or of a discarded attempt: only such a
 * step is written again.
 */
async function replaceFolder(from: string, to: string): Promise<void> {
  const old = `${from}-replaced`;
  const aside = await rename(to, old).then(
    () => true,
    () => false,
  );
  await rename(from, to);
  if (aside) await rm(old, { recursive: true, force: true });
}

function trainerFile(state: TrainerState, checksums: Checksums): string {
  return JSON.stringify({ ...state, checksums }, undefined, 1);
}

async function writeSynced(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx', flush: true });
}

/** Makes renames in a folder durable. Windows cannot open folders, and needs no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

async function* guardedTensors(path: string, checksums: Checksums): AsyncGenerator<StateTensor> {
  const tensors = readStateFile(join(path, STATE_FILE), checksums);
  try {
    for (;;) {
      const next = await guarded(path, () => tensors.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Closes the file also when whoever reads stops early.
    await tensors.return(undefined);
  }
}

async function guarded<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw damaged(
      path,
      cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause),
      cause,
    );
  }
}

function damaged(path: string, reason: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`The checkpoint ${path} is damaged: ${reason}.`, 'Resume from an older checkpoint, or start the run again.', {
    cause,
  });
}
