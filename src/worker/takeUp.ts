import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunDescription, RunStatus } from '../runs/format';
import { isLive, observe, thisHost } from '../runs/liveness';
import { readDescription, readStatusOrLost } from '../runs/readRun';
import { writeDescription, writeStatus } from '../runs/runWriter';
import { readSweepQueue, renewed, updateSweepQueue } from '../runs/sweepQueue';
import { asStorageError } from '../runs/storageError';
import { takeRequests } from './requestFiles';
import { LaunchError } from './runFailure';
import { runnableExperiment } from './runnableExperiment';
import { initialStatus } from './runStatus';
import { discardAddress } from './socketAddress';

/**
 * The run and where it stood, if it can be taken up again. Throws LaunchError where it trains, has finished, is none, or not understood.
 */
export async function resumable(run: string): Promise<{ readonly description: RunDescription; readonly status: RunStatus }> {
  const description = await readDescription(run);
  const status = description && (await readStatusOrLost(run, description));
  if (description === undefined || status === undefined) throw new LaunchError(`${run} is not a run directory.`, 'Choose a run.');
  const state = observe(status, thisHost(), Date.now());
  if (isLive(state)) throw new LaunchError(`${description.id} is ${state} on ${status.host}.`, 'It needs no resume.', run);
  if (state === 'finished') throw new LaunchError(`${description.id} has finished its ${status.totalSteps} steps.`, 'Start it anew.', run);
  runnableExperiment(description);
  return { description, status };
}

/**
 * The run is in this process's hands from here on; requests that nobody took are void. Of several that resume a run at the same time only
 * one gets it. Throws LaunchError where another was quicker.
 */
export async function takeUp(run: string, launch: RunDescription['launch']): Promise<RunDescription> {
  const release = claim(run);
  try {
    const { description, status } = await resumable(run);
    takeRequests(run);
    const queue = await readSweepQueue(run);
    if (queue !== undefined && queue.waiting.length > 0) updateSweepQueue(run, renewed(queue));
    if (status.address !== null) discardAddress(status.address.path);
    const taken = { ...description, launch };
    writeDescription(run, taken);
    writeStatus(run, { ...initialStatus(description.totalSteps, Date.now()), step: status.step });
    return taken;
  } finally {
    release();
  }
}

/** A claim is held for some milliseconds: an older one was left by a crash. */
const staleMilliseconds = 10_000;

/** Claims the run against others who would take it up; the result gives it back. */
function claim(run: string): () => void {
  const file = join(run, 'taking-up');
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      closeSync(openSync(file, 'wx'));
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw asStorageError(error, file);
      if (isStale(file)) rmSync(file, { force: true });
    }
  }
  throw new LaunchError(`${run} is being resumed by another process.`, 'It needs no second resume.', run);
}

function isStale(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined || Math.abs(Date.now() - found.mtimeMs) > staleMilliseconds;
}
