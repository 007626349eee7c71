import { dirname } from 'node:path';
import type { RunDescription } from '../runs/format';
import { dataFingerprints, prepareCorpora } from '../training/prepare';
import type { LoadedExperiment } from './createRun';

/** Reads all text of an experiment and says what it is. Throws DataError where it cannot be trained on. */
export async function inspectData({
  configFile,
  experiment,
}: Pick<LoadedExperiment, 'configFile' | 'experiment'>): Promise<RunDescription['data']> {
  return dataFingerprints(await prepareCorpora(experiment, dirname(configFile)));
}
