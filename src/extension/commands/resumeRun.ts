import { isLive } from '../../runs/liveness';
import { resumeRun as resumeWorker } from '../../worker/launch';
import type { RunTarget } from '../contributions';
import { ExtensionError } from '../errors';
import { isResumable } from '../runs/runItems';
import { pickRun } from './pickRun';
import { launchAndShow, launchOptions, requireTraining, type Training } from './training';

/**
 * Takes a stopped, failed or lost run up again from its newest checkpoint; of one that has finished, what waits behind it. Resolves with
 * the directory of the run that trains.
 */
export async function resumeRun(training: Training, given: RunTarget | undefined): Promise<string> {
  await requireTraining('Resume Run');
  const run = await pickRun(training.store, given, {
    title: 'Resume which run?',
    none: 'No run here was stopped before its end.',
    suits: isResumable,
  });
  if (isLive(run.state)) throw new ExtensionError(`${run.name} is ${run.state} already.`, 'It needs no resume.');
  if (!isResumable(run)) throw new ExtensionError(`${run.name} has finished.`, 'To train again, start a new run of its config.');
  const title = run.state === 'finished' ? `Starting what waits behind ${run.name}` : `Resuming ${run.name}`;
  return launchAndShow(training, title, () => resumeWorker(run.directory, launchOptions(training)));
}
