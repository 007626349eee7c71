import { meantChoices } from '../config/moeShape';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import type { Experiment } from '../config/schema';
import { readRunResult } from './runResult';

/** A run that says nothing that can be worked with. */
export class UnreadableRun extends Error {
  override readonly name = 'UnreadableRun';
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** What a run trained, and how many experts units took at the end of its training. Throws UnreadableRun. */
export async function runTwinSubject(run: string): Promise<{
  readonly configFile: string;
  readonly experiment: Experiment;
  readonly mean: { readonly k: number; readonly measured: string | null };
}> {
  const result = await readRunResult(run);
  if (result === undefined)
    throw new UnreadableRun(`${run} is not a run that this version can read.`, 'Choose another run, or its config.');
  const { description, meanK } = result;
  const { experiment } = readResolvedExperiment(description.experiment);
  if (experiment === undefined) {
    throw new UnreadableRun(`This version does not understand the config of ${description.id}.`, 'Choose its config file.');
  }
  // Where it has not been measured yet, what the config means it to be; of a fixed k no more is asked.
  const k = meanK ?? meantChoices(experiment.model);
  const measured = meanK === null ? null : `in ${description.id}, over the last tenth of its steps`;
  return { configFile: description.configFile, experiment, mean: { k, measured } };
}
