import { dirname } from 'node:path';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import type { Experiment } from '../config/schema';
import { readDescription } from './readRun';
import { UnreadableRun } from './runTwinSubject';

/** What a run trains, by its run.json alone: its config may have changed since. Throws UnreadableRun. */
export async function readRunExperiment(
  run: string,
): Promise<{ readonly name: string; readonly experiment: Experiment; readonly folder: string; readonly configFile: string }> {
  const description = await readDescription(run);
  if (description === undefined)
    throw new UnreadableRun(`${run} is not a run that this version can read.`, 'Choose another run, or its config.');
  const { experiment } = readResolvedExperiment(description.experiment);
  if (experiment === undefined)
    throw new UnreadableRun(`This version does not understand the config of ${description.id}.`, 'Choose its config file.');
  return { name: description.name, experiment, folder: dirname(description.configFile), configFile: description.configFile };
}
