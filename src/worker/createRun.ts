import { dirname } from 'node:path';
import { dependencies, version } from '../../package.json';
import { experimentName } from '../config/experimentName';
import { choicesVary } from '../config/moeShape';
import type { ModelConfig, RunnableExperiment } from '../config/schema';
import { countModel, type ModelCount } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import type { RunDescription } from '../runs/format';
import { createRunDirectory } from '../runs/runDirectory';
import { writeDescription, writeStatus } from '../runs/runWriter';
import { gitState } from './gitState';
import { initialStatus } from './runStatus';

/** A config that can be trained, with its text. */
export interface LoadedExperiment {
  readonly configFile: string;
  readonly source: string;
  readonly experiment: RunnableExperiment;
  /** Of a member of a sweep. */
  readonly sweep?: NonNullable<RunDescription['sweep']>;
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
