import type { ConfigPath } from '../../data/dataError';
import type { RunDescription } from '../../runs/format';
import type { LoadedExperiment } from '../createRun';

/** What the thread is given, as its workerData. */
export type DataThreadTask = Pick<LoadedExperiment, 'configFile' | 'experiment'>;

/** Its one answer. `configPath` is null for an error that is not about the config's data. */
export type DataThreadAnswer =
  | { readonly data: RunDescription['data'] }
  | { readonly error: { readonly message: string; readonly advice: string; readonly configPath: ConfigPath | null } };
