import { dirname } from 'node:path';
import { dependencies, version } from '../../package.json';
import type { ConfigFinding, ReadText } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { loadConfig } from '../config/loadConfig';
import { choicesVary } from '../config/moeShape';
import type { ModelConfig, RunnableExperiment } from '../config/schema';
import type { Device } from '../engine/engine';
import { countModel, type ModelCount } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import type { RunDescription } from '../runs/format';
import { createRunDirectory } from '../runs/runDirectory';
import { writeDescription, writeStatus } from '../runs/runWriter';
import { gitState } from './gitState';
import { ConfigRejected, LaunchError } from './runFailure';
import { initialStatus } from './runStatus';

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

/** A config that can be trained, with its text. */
export interface LoadedExperiment {
  readonly configFile: string;
  readonly source: string;
  readonly experiment: RunnableExperiment;
  /** Of a member of a sweep. */
  readonly sweep?: NonNullable<RunDescription['sweep']>;
}

/** Loads a config to run it. Throws ConfigRejected with its findings, or LaunchError where it has no `train` or `data`. */
export function loadExperiment({ configFile, readText, overrides = {}, member, onFindings }: ExperimentSource): LoadedExperiment {
  const { experiment: own, members, findings, text } = loadConfig(configFile, readText);
  const chosen = member === undefined ? undefined : members[member];
  // A sweep that is not understood is no config without one.
  const notUnderstood = members.length === 0 && findings.some(({ severity }) => severity === 'error');
  if (own === undefined || notUnderstood) throw new ConfigRejected(configFile, findings);
  if (member !== undefined && chosen === undefined) {
    const what = members.length === 0 ? 'no sweep' : `a sweep of ${members.length} members`;
    throw new LaunchError(`${configFile} has ${what}: there is no member ${member + 1}.`, 'Choose another member.');
  }
  const experiment = member === undefined ? own : chosen?.experiment;
  if (experiment === undefined) throw new ConfigRejected(configFile, findings);
  const { train, data, engine } = experiment;
  if (train === undefined || data === undefined) {
    const missing = train === undefined ? 'train' : 'data';
    throw new LaunchError(`${configFile} has no \`${missing}:\` section: it can be counted but not run.`, `Add a \`${missing}:\` section.`);
  }
  onFindings?.(findings);
  const { device = engine.device, steps = train.steps } = overrides;
  return {
    configFile,
    source: text,
    experiment: { ...experiment, train: { ...train, steps }, data, engine: { ...engine, device } },
    ...(chosen === undefined ? {} : { sweep: { member: chosen.name, changes: chosen.changes } }),
  };
}

export interface NewRun {
  readonly run: string;
  readonly description: RunDescription;
}

/**
 * Makes the run directory of an experiment: everything it needs and everything that will be known of it, `data` as `inspectData` found it.
 * Its state is `starting`, in the hands of this process. Throws RunStorageError.
 */
export async function createRun(
  { configFile, source, experiment, sweep }: LoadedExperiment,
  data: RunDescription['data'],
  runsDirectory: string,
  launch: RunDescription['launch'],
  now: Date = new Date(),
): Promise<NewRun> {
  const folder = dirname(configFile);
  const program = buildLanguageModel(experiment);
  const count = countModel(program, experiment.model);
  const { parameters, macsPerToken, activeIsUpperBound } = count;
  const git = await gitState(folder);
  const name = experimentName(configFile, experiment);
  const { id, directory } = createRunDirectory({ runsDirectory, name, now });
  const { device, threads } = experiment.engine;
  const description: RunDescription = {
    schemaVersion: 1,
    id,
    name,
    createdAt: now.toISOString(),
    configFile,
    configSource: source,
    experiment,
    totalSteps: experiment.train.steps,
    git,
    seed: experiment.train.seed,
    data,
    engine: { device, threads, candidates: [{ device, reason: 'the config or the command line names it' }] },
    launch,
    parameters: { total: parameters.total, active: parameters.active, activeIsUpperBound },
    macsPerToken: macsPerToken.total,
    cost: count,
    ...(sweep === undefined ? {} : { sweep }),
    varyingK: varyingK(experiment.model, count),
    routedLayers: program.routedLayers.map((layer) => ({
      name: layer.name,
      experts: layer.experts,
      k: layer.k,
      unitsPerToken: layer.unitsPerToken,
      ...(/\.attention\b/.test(layer.name) ? { heads: experiment.model.attention.heads } : {}),
    })),
    retrievals: program.retrievals.map(({ name, experts, k }) => ({ name, experts, k })),
    versions: { moeLab: version, node: process.versions.node, onnxruntime: dependencies['onnxruntime-node'] },
  };
  writeDescription(directory, description);
  writeStatus(directory, initialStatus(experiment.train.steps, now.getTime()));
  return { run: directory, description };
}

function varyingK({ moe }: ModelConfig, { layers }: ModelCount): RunDescription['varyingK'] {
  const macsPerChoice = layers.reduce((sum, layer) => sum + layer.macsPerChoice, 0);
  return moe === undefined || !choicesVary(moe) || macsPerChoice === 0 ? null : { counted: moe.top_k, macsPerChoice };
}
