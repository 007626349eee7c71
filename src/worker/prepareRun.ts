import { join } from 'node:path';
import type { RunDescription } from '../runs/format';
import { chooseRung } from './chooseNode';
import { createRun, type LoadedExperiment, type NewRun } from './createRun';
import { inspectDataInThread } from './dataThread/dataThreadHost';
import { checkDevice } from './deviceCheck';
import { heedGpus } from './deviceMemory';
import type { Rung } from './ladder';
import { checkRoom } from './preflight';
import type { LaunchOptions } from './startWorker';

/** An experiment that has passed all that can be checked before there is a run directory. */
export interface PreparedRun {
  readonly loaded: LoadedExperiment;
  readonly data: RunDescription['data'];
  /** The Node that is to run its worker, and what each that was asked said. */
  readonly rung: Rung;
  readonly report: RunDescription['launch'];
}

/** Throws DataError or LaunchError where the experiment cannot be trained on this machine. */
export async function prepareRun(loaded: LoadedExperiment, runsDirectory: string, options: LaunchOptions): Promise<PreparedRun> {
  const data = await inspectDataInThread(join(options.bundleFolder, 'dataThread.js'), loaded, options.signal);
  checkRoom(loaded, data, runsDirectory, options.onWarning ?? (() => undefined));
  const { rung, report, gpus } = await chooseRung(options, loaded.experiment.engine.device);
  await checkDevice(loaded.experiment, { ...options, rung });
  heedGpus(loaded.experiment, gpus, { ...options, runsDirectory });
  return { loaded, data, rung, report };
}

/** Its run directory, in the hands of this process. Throws RunStorageError. */
export function createPrepared({ loaded, data, report }: PreparedRun, runsDirectory: string): Promise<NewRun> {
  return createRun(loaded, data, runsDirectory, report);
}
