import { existsSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import type { RunStatus } from '../runs/format';
import { isProcessAlive } from '../runs/liveness';
import { readStatus } from '../runs/readRun';
import {
  moveSweepQueue,
  nextMember,
  readSweepQueue,
  updateSweepQueue,
  writeSweepQueue,
  type SweepProblem,
  type SweepQueue,
  type WaitingMember,
} from '../runs/sweepQueue';
import type { LoadedExperiment } from './createRun';
import { createPrepared, prepareRun } from './prepareRun';
import { failureOf, LaunchError } from './runFailure';
import { startWorker, type LaunchedRun, type LaunchOptions } from './startWorker';

/**
 * How a sweep goes on. Who ends a run (its worker, or the command line that trained it) starts the next member in a worker of its own,
 * which gets the queue: no window and no terminal is needed. What cannot be started is kept with its reason, and nothing is started twice.
 */

/** Where the queue lies: nowhere yet, or in the directory of the run after which it goes on. */
export interface Holder {
  readonly runsDirectory: string;
  readonly after?: string;
}

/** The queue was dropped, or somebody else goes on with it. */
export class SweepTaken extends LaunchError {
  constructor() {
    super('The members that waited were dropped, or another process is starting the next.', 'Look which run trains.');
  }
}

/** Members of one config that wait for their turn. */
export function queueOf(members: readonly LoadedExperiment[]): SweepQueue {
  const [first] = members;
  if (first === undefined) throw new Error('A sweep has members.');
  return {
    schemaVersion: 1,
    configFile: first.configFile,
    configSource: first.source,
    waiting: members.map(({ experiment, sweep = { member: '', changes: {} } }) => ({ ...sweep, experiment, problem: null })),
    halted: null,
  };
}

/**
 * Starts the first member that can be started; resolves once it trains. A member that cannot is no reason to leave the others out, unless
 * two in a row cannot for the same reason: that keeps the others, too, and the sweep halts until somebody resumes `after`. Throws what kept
 * the first of them, or SweepTaken.
 */
export async function startNext(queue: SweepQueue, holder: Holder, options: LaunchOptions): Promise<LaunchedRun> {
  let at = holder;
  let left = queue;
  let first: unknown;
  for (let member = nextMember(left); member !== undefined; member = nextMember(left)) {
    const rest = { ...left, waiting: left.waiting.filter((one) => one !== member) };
    try {
      const launched = await startMember(member, rest, at, options);
      for (const { member: name, problem } of rest.waiting) if (problem !== null) options.onWarning?.(notStarted(name, problem));
      return launched;
    } catch (error) {
      // Who does not want to wait any longer, or comes too late, has no say about the members.
      options.signal?.throwIfAborted();
      if (error instanceof SweepTaken) throw error;
      const problem = problemOf(error);
      const isHalted = first !== undefined && problem.message === problemOf(first).message;
      first ??= error;
      const run = error instanceof LaunchError ? error.run : undefined;
      if (run !== undefined) {
        // It has been started and has failed, with the rest of the queue in its directory.
        if (await goesOnByItself(run)) throw error;
        at = { runsDirectory: at.runsDirectory, after: run };
        left = rest;
      } else left = withProblem(left, member, problem);
      if (isHalted) left = halted(left, problem);
      if (at.after !== undefined && !updateSweepQueue(at.after, left)) throw first;
      if (isHalted) throw first;
    }
  }
  throw first ?? new SweepTaken();
}

/**
 * What the process that has trained a run does about its sweep, if it is of one. Never throws: what goes wrong stands in the queue and is
 * told to `log`.
 */
export async function handOn(
  run: string,
  { state }: Pick<RunStatus, 'state'>,
  { log, ...options }: LaunchOptions & { readonly log: (message: string) => void },
): Promise<LaunchedRun | undefined> {
  if (state !== 'finished' && state !== 'failed') return undefined;
  try {
    const queue = await readSweepQueue(run);
    if (queue?.waiting.length === 0 && queue.halted !== null) log(queue.halted.message);
    if (queue === undefined || nextMember(queue) === undefined) return undefined;
    if (!existsSync(join(options.bundleFolder, 'worker.js'))) {
      updateSweepQueue(run, halted(queue, updated));
      log(updated.message);
      return undefined;
    }
    const next = await startNext(queue, { after: run, runsDirectory: dirname(run) }, { ...options, onWarning: log });
    log(`the next member of the sweep trains: ${next.run}`);
    return next;
  } catch (error) {
    const { message, advice } = problemOf(error);
    log(`the next member of the sweep was not started: ${message} ${advice}`.trim());
    return undefined;
  }
}

const updated: SweepProblem = {
  message: 'MoE Lab was updated or removed while the run trained, with the program that starts the next member.',
  advice: 'Resume the run: the MoE Lab that is there now goes on.',
};

async function startMember(
  member: WaitingMember,
  rest: SweepQueue,
  { after, runsDirectory }: Holder,
  options: LaunchOptions,
): Promise<LaunchedRun> {
  const loaded = loadedMember(member, rest, after);
  const prepared = await prepareRun(loaded, runsDirectory, options);
  // Dropped while it was looked at: there need not be a directory first.
  if (after !== undefined && (await readSweepQueue(after)) === undefined) throw new SweepTaken();
  const { run, description } = await createPrepared(prepared, runsDirectory);
  try {
    // Who moves it has it. A crash between the two lines has this member trained again at the end, rather than the others lost.
    if (after !== undefined && !moveSweepQueue(after, run)) throw new SweepTaken();
    writeSweepQueue(run, rest);
  } catch (error) {
    if (after !== undefined) moveSweepQueue(run, after);
    rmSync(run, { recursive: true, force: true });
    throw error;
  }
  return startWorker(run, description, prepared.rung, options);
}

/** As it was when the sweep was started. Throws LaunchError where this version does not understand it. */
function loadedMember(
  { member, changes, experiment: resolved }: WaitingMember,
  queue: SweepQueue,
  after: string | undefined,
): LoadedExperiment {
  const { configFile, configSource } = queue;
  const read = readResolvedExperiment(resolved);
  const { train, data } = read.experiment ?? {};
  if (read.experiment === undefined || train === undefined || data === undefined)
    throw new LaunchError(`This version of MoE Lab does not understand how ${member} was kept.`, `Start it again from ${configFile}.`);
  const follows = after === undefined ? {} : { follows: basename(after) };
  return { configFile, source: configSource, experiment: { ...read.experiment, train, data }, sweep: { member, changes, ...follows } };
}

/** Whether a run that failed as soon as it was started had a worker that lived to go on with the queue, or still does. */
async function goesOnByItself(run: string): Promise<boolean> {
  const queue = await readSweepQueue(run);
  if (queue === undefined || queue.halted !== null) return true;
  const pid = (await readStatus(run))?.pid;
  return pid !== undefined && pid !== process.pid && isProcessAlive(pid);
}

function problemOf(error: unknown): SweepProblem {
  const { message, advice } = failureOf(error, 0);
  return { message, advice };
}

function withProblem(queue: SweepQueue, member: WaitingMember, problem: SweepProblem): SweepQueue {
  return { ...queue, waiting: queue.waiting.map((one) => (one === member ? { ...one, problem } : one)) };
}

/** Members that were kept by the same are not at fault: they wait as the others do. */
function halted(queue: SweepQueue, problem: SweepProblem): SweepQueue {
  const waiting = queue.waiting.map((one) => (one.problem?.message === problem.message ? { ...one, problem: null } : one));
  return { ...queue, waiting, halted: problem };
}

function notStarted(member: string, { message, advice }: SweepProblem): string {
  return `${member} was not started: ${message} ${advice}`.trim();
}
