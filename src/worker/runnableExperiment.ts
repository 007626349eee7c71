import { readResolvedExperiment } from '../config/resolvedExperiment';
import type { RunnableExperiment } from '../config/schema';
import { version } from '../../package.json';
import type { RunDescription } from '../runs/format';
import { LaunchError } from './runFailure';

/** What a run trains, of its run.json. Throws LaunchError where this version does not understand it. */
export function runnableExperiment({ id, experiment: resolved, versions }: RunDescription): RunnableExperiment {
  const read = readResolvedExperiment(resolved);
  if (read.experiment === undefined) {
    const what = read.key === '' ? 'the config' : `\`${read.key}\` in the config`;
    throw new LaunchError(
      `MoE Lab ${version} does not understand ${what} of ${id}, which MoE Lab ${versions.moeLab} wrote.`,
      versions.moeLab === version
        ? 'Its run.json has been changed: start the experiment again.'
        : `Resume it with MoE Lab ${versions.moeLab}, or start the experiment again.`,
    );
  }
  const { train, data } = read.experiment;
  if (train === undefined || data === undefined) {
    const missing = train === undefined ? 'train' : 'data';
    throw new LaunchError(`The config in ${id}/run.json has no \`${missing}\`.`, 'Start the experiment again.');
  }
  return { ...read.experiment, train, data };
}
