import { dirname } from 'node:path';
import { nextMember, readSweepQueue, renewed, type SweepQueue } from '../runs/sweepQueue';
import { observe, thisHost } from '../runs/liveness';
import { readStatus } from '../runs/readRun';
import { chooseRung } from './chooseNode';
import { heedGpus } from './deviceMemory';
import { loadExperiment, loadMembers, type ExperimentSource } from './loadExperiment';
import { checkRoomToResume } from './preflight';
import { createPrepared, prepareRun } from './prepareRun';
import { runnableExperiment } from './runnableExperiment';
import { startWorker, type LaunchedRun, type LaunchOptions } from './startWorker';
import { queueOf, startNext } from './sweepTurns';
import { resumable, takeUp } from './takeUp';

export interface StartOptions extends LaunchOptions, ExperimentSource {
  readonly runsDirectory: string;
  /** Members of the config's sweep to train after `member`, each once the run before it is over: its worker starts the next. */
  readonly thenMembers?: readonly number[];
}

/**
 * Starts an experiment in a worker of its own, which goes on when this process ends; of several members of a sweep the first that can be
 * started. Resolves once it trains. Throws ConfigRejected, DataError, RunStorageError or LaunchError; from the moment there is a run
 * directory its status says the same.
 */
export async function startRun(options: StartOptions): Promise<LaunchedRun> {
  const { member, thenMembers = [], runsDirectory } = options;
  if (member !== undefined && thenMembers.length > 0)
    return startNext(queueOf(loadMembers(options, [member, ...thenMembers])), { runsDirectory }, options);
  const prepared = await prepareRun(loadExperiment(options), runsDirectory, options);
  const { run, description } = await createPrepared(prepared, runsDirectory);
  return startWorker(run, description, prepared.rung, options);
}

/**
 * Takes up a run that was stopped, failed or lost, from its newest checkpoint; of one that has finished, whose sweep goes no further by
 * itself, the next member. Throws LaunchError.
 */
export async function resumeRun(run: string, options: LaunchOptions): Promise<LaunchedRun> {
  const queue = await queueOfFinished(run);
  if (queue !== undefined) return startNext(renewed(queue), { after: run, runsDirectory: dirname(run) }, options);
  const { description } = await resumable(run);
  await checkRoomToResume(run, description, options.onWarning ?? (() => undefined));
  const { rung, report, gpus } = await chooseRung(options, description.engine.device);
  heedGpus(runnableExperiment(description), gpus, { ...options, runsDirectory: dirname(run) });
  return startWorker(run, await takeUp(run, report), rung, options);
}

/** What waits behind a run that has finished: all that can be resumed of it. */
export async function queueOfFinished(run: string): Promise<SweepQueue | undefined> {
  const status = await readStatus(run);
  if (status === undefined || observe(status, thisHost(), Date.now()) !== 'finished') return undefined;
  const queue = await readSweepQueue(run);
  return queue !== undefined && nextMember(renewed(queue)) !== undefined ? queue : undefined;
}
