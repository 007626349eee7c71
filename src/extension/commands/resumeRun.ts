import { isLive } from '../../runs/liveness';
import { resumeRun as resumeWorker } from '../../worker/launch';
import type { RunTarget } from '../contributions';
import { ExtensionError } from '../errors';
import { pickRun } from './pickRun';
import { launchAndShow, launchOptions, requireTraining, type Training } from './training';

/** Takes a stopped, failed or lost run up again from its newest checkpoint. Resolves with its directory once it trains. */
export async function resumeRun(training: Training, given: RunTarget | undefined): Promise<string> {
  await requireTraining('Resume Run');
  const run = await pickRun(training.store, given, {
    title: 'Resume which run?',
    none: 'No run here was stopped before its end.',
    suits: ({ state }) => !isLive(state) && state !== 'finished',
  });
  if (isLive(run.state)) throw new ExtensionError(`${run.name} is ${run.state} already.`, 'It needs no resume.');
  if (run.state === 'finished') throw new ExtensionError(`${run.name} has finished.`, 'To train again, start a new run of its config.');
  return launchAndShow(training, `Resuming ${run.name}`, () => resumeWorker(run.directory, launchOptions(training)));
}
