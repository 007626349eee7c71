import type { ConfigFinding, ReadText } from '../config/configFile';
import { loadConfig } from '../config/loadConfig';
import type { Device } from '../engine/engine';
import type { LoadedExperiment } from './createRun';
import { ConfigRejected, LaunchError } from './runFailure';

/** What the command line may say in place of the config. */
export interface RunOverrides {
  readonly device?: Device;
  readonly steps?: number;
}

export interface ExperimentSource {
  /** Absolute. */
  readonly configFile: string;
  readonly readText: ReadText;
  readonly overrides?: RunOverrides;
  /** Which member of the config's sweep to train, counted from 0; the config itself where absent. */
  readonly member?: number;
  /** Told what is noteworthy about a config that can be run, once, before anything else is done with it. */
  readonly onFindings?: (findings: readonly ConfigFinding[]) => void;
  /** Told what else may go wrong with a run that is about to start: that memory or disk are tight. */
  readonly onWarning?: (message: string) => void;
}

/** Loads a config to run it. Throws ConfigRejected with its findings, or LaunchError where it has no `train` or `data`. */
export function loadExperiment(source: ExperimentSource): LoadedExperiment {
  return experimentLoader(source)(source.member);
}

/** Loads several members of a config's sweep, in this order. Throws as `loadExperiment` does where one of them cannot be run. */
export function loadMembers(source: ExperimentSource, members: readonly number[]): readonly LoadedExperiment[] {
  return members.map(experimentLoader(source));
}

/** The config read once, for as many of its members as are wanted. */
function experimentLoader({ configFile, readText, overrides = {}, onFindings }: ExperimentSource) {
  const { experiment: own, members, findings, text } = loadConfig(configFile, readText);
  // A sweep that is not understood is no config without one.
  const notUnderstood = members.length === 0 && findings.some(({ severity }) => severity === 'error');
  if (own === undefined || notUnderstood) throw new ConfigRejected(configFile, findings);
  let told = false;
  return (member: number | undefined): LoadedExperiment => {
    const chosen = member === undefined ? undefined : members[member];
    if (member !== undefined && chosen === undefined) {
      const what = members.length === 0 ? 'no sweep' : `a sweep of ${members.length} members`;
      throw new LaunchError(`${configFile} has ${what}: there is no member ${member + 1}.`, 'Choose another member.');
    }
    const experiment = member === undefined ? own : chosen?.experiment;
    if (experiment === undefined) throw new ConfigRejected(configFile, findings);
    const { train, data, engine } = experiment;
    if (train === undefined || data === undefined) {
      const missing = train === undefined ? 'train' : 'data';
      throw new LaunchError(
        `${configFile} has no \`${missing}:\` section: it can be counted but not run.`,
        `Add a \`${missing}:\` section.`,
      );
    }
    if (!told) onFindings?.(findings);
    told = true;
    const { device = engine.device, steps = train.steps } = overrides;
    return {
      configFile,
      source: text,
      experiment: { ...experiment, train: { ...train, steps }, data, engine: { ...engine, device } },
      ...(chosen === undefined ? {} : { sweep: { member: chosen.name, changes: chosen.changes } }),
    };
  };
}
