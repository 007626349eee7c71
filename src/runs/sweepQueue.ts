import { existsSync, renameSync, rmSync } from 'node:fs';
import * as z from 'zod';
import { replaceJson } from './atomicFile';
import { readJson } from './readRun';
import { runFiles } from './runFiles';
import { asStorageError, guardStorage } from './storageError';

/** Why something was not started, in one sentence, and what to do. */
export interface SweepProblem {
  readonly message: string;
  readonly advice: string;
}

/** A member of a sweep, as it was when the sweep was started: its config may change meanwhile. */
export interface WaitingMember {
  readonly member: string;
  /** By dotted keys. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** The resolved experiment, as `run.json` will have it. */
  readonly experiment: unknown;
  /** Why it was not started when it was its turn. It is passed over until somebody resumes the run. */
  readonly problem: SweepProblem | null;
}

/**
 * `sweep.json`: the members of a sweep that are trained after this run, in this order. It lies in the directory of the run that trains, or trained last,
 * and moves to the next one's: the worker that ends starts the next, so the sweep needs neither window nor terminal. No file where nothing
 * is left.
 */
export interface SweepQueue {
  readonly schemaVersion: 1;
  /** Absolute path of the config, and its text, as `run.json` has them. */
  readonly configFile: string;
  readonly configSource: string;
  readonly waiting: readonly WaitingMember[];
  /** Why nobody starts the next, where it is not a matter of one member: it goes on when somebody resumes the run. */
  readonly halted: SweepProblem | null;
}

const problemSchema = z.object({ message: z.string(), advice: z.string().default('') });

const queueSchema: z.ZodType<SweepQueue> = z.object({
  schemaVersion: z.literal(1),
  configFile: z.string(),
  configSource: z.string(),
  waiting: z.array(
    z.object({
      member: z.string(),
      changes: z.record(z.string(), z.unknown()),
      experiment: z.unknown(),
      problem: problemSchema.nullable().default(null),
    }),
  ),
  halted: problemSchema.nullable().default(null),
});

/** `sweep.json`; undefined where there is none. One that this version does not understand keeps its members, so that nobody starts any. */
export async function readSweepQueue(run: string): Promise<SweepQueue | undefined> {
  const file = runFiles.sweep(run);
  const queue = await readJson(file, (value) => queueSchema.safeParse(value).data);
  return queue === undefined && existsSync(file) ? unreadable : queue;
}

const unreadable: SweepQueue = {
  schemaVersion: 1,
  configFile: '',
  configSource: '',
  waiting: [],
  halted: {
    message: 'sweep.json, which has the members that wait behind the run, is damaged or of a newer MoE Lab.',
    advice: 'Update MoE Lab and resume the run, or stop the sweep and train the members that are left from their config.',
  },
};

/** Throws RunStorageError. */
export function writeSweepQueue(run: string, queue: SweepQueue): void {
  if (queue.waiting.length === 0) dropSweepQueue(run);
  else replaceJson(runFiles.sweep(run), queue);
}

/** Replaces the queue of a run that still has one; false where it was dropped or has moved on meanwhile. Throws RunStorageError. */
export function updateSweepQueue(run: string, queue: SweepQueue): boolean {
  if (!existsSync(runFiles.sweep(run))) return false;
  writeSweepQueue(run, queue);
  return true;
}

/** What waits is not trained; false where nothing did, or has moved on meanwhile. Throws RunStorageError. */
export function dropSweepQueue(run: string): boolean {
  const file = runFiles.sweep(run);
  const waited = existsSync(file);
  guardStorage(file, () => rmSync(file, { force: true }));
  return waited;
}

/**
 * Moves the queue to the run that is next. Of several that want to go on with a sweep only one gets it, and none where it was dropped:
 * false for the others. Throws RunStorageError.
 */
export function moveSweepQueue(from: string, to: string): boolean {
  try {
    renameSync(runFiles.sweep(from), runFiles.sweep(to));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw asStorageError(error, runFiles.sweep(to));
  }
}

/** All members have another chance. */
export function renewed(queue: SweepQueue): SweepQueue {
  return { ...queue, waiting: queue.waiting.map((member) => ({ ...member, problem: null })), halted: null };
}

/** The member whose turn it is. */
export function nextMember({ waiting }: SweepQueue): WaitingMember | undefined {
  return waiting.find(({ problem }) => problem === null);
}
