import { basename, dirname, join, resolve } from 'node:path';
import type { LoadedConfig, ReadText } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { loadConfig } from '../config/loadConfig';
import type { Experiment } from '../config/schema';
import { outlineLanguageModel } from '../models/outline';
import { modelCost } from '../parity/closedForm/modelCost';
import { comparedNames, type ComparedResiduals } from '../parity/comparedPart';
import { bothCounts, inequality } from '../parity/evenness';
import { formatBothAxes, formatResidual } from '../parity/formatCount';
import { CannotScale, scaleToBudget, type Budget, type Machine, type ScaledPair } from '../parity/scaleToBudget';
import { variantText } from '../parity/scaledTexts';
import { isSparse } from '../parity/sparsity';
import { estimate, type Measurement } from '../runs/throughput';
import { bytesText } from '../worker/bytesText';
import { trainingNeeds } from '../worker/runNeeds';
import { durationText } from './durationText';

const SUFFIX = '.moe.yaml';

/** A config that names a baseline, with that. */
export interface LoadedPair {
  /** Absolute paths. */
  readonly subjectFile: string;
  readonly baselineFile: string;
  readonly subject: Experiment;
  readonly baseline: Experiment;
}

/** A config and the baseline that it names. Throws CannotScale where there are not both, without errors. */
export function loadPair(file: string, readText: ReadText): LoadedPair {
  const subject = valid(loadConfig(file, readText));
  if (subject.parity === undefined)
    throw new CannotScale(
      `${basename(file)} names no baseline, so that there is no pair.`,
      'Name one with `parity:`, or create a twin at parity first.',
    );
  const baselineFile = resolve(dirname(file), subject.parity);
  return { subjectFile: file, baselineFile, subject, baseline: valid(loadConfig(baselineFile, readText)) };
}

function valid({ file, experiment, findings }: LoadedConfig): Experiment {
  if (experiment !== undefined) return experiment;
  const first = findings.find(({ severity }) => severity === 'error');
  throw new CannotScale(`${basename(file)} cannot be read: ${first?.message ?? 'it has errors'}`, 'Correct it first.');
}

/** Text of a config, to be saved in a file. */
export interface ScaledConfig {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  readonly experiment: Experiment;
}

export interface ScaledConfigs extends Pick<ScaledPair, 'seconds' | 'bytes' | 'residuals' | 'before'> {
  readonly subject: ScaledConfig;
  readonly baseline: ScaledConfig;
  /** Sentences that say what came of it; they stand in both texts too. */
  readonly summary: readonly string[];
}

export interface ScaleRequest {
  readonly pair: LoadedPair;
  readonly budget: Budget;
  /** Of the machine that the pair is scaled for; needed for a budget of time. */
  readonly measurements: readonly Measurement[];
  /** Where both configs are to be. */
  readonly folder: string;
  /** Whether a file of that name is there, or about to be. */
  readonly taken: (file: string) => boolean;
}

/** The configs of a pair that fits a budget, each extending the one it is the small form of. Throws CannotScale. */
export function scaledConfigs({ pair, budget, measurements, folder, taken }: ScaleRequest): ScaledConfigs {
  const scaled = scaleToBudget(pair, budget, machineOf(measurements));
  const { subject, baseline, seconds, bytes, residuals, before } = scaled;
  const baselineFile = freeFile(folder, pair.baselineFile, taken);
  const subjectFile = freeFile(folder, pair.subjectFile, (file) => file === baselineFile || taken(file));
  const summary = summaryOf(scaled);
  const of = (base: string, original: Experiment, changed: Experiment, file: string, parity?: string): ScaledConfig => {
    const name = `${experimentName(base, original)}, small`;
    const heading = [`${experimentName(base, original)}, scaled to ${budgetText(budget)} on this machine.`, ...summary];
    const text = variantText({ base, original, changed, name, file, heading, ...(parity === undefined ? {} : { parity }) });
    return { file, text, experiment: changed };
  };
  return {
    subject: of(pair.subjectFile, pair.subject, subject, subjectFile, baselineFile),
    baseline: of(pair.baselineFile, pair.baseline, baseline, baselineFile),
    ...{ seconds, bytes, residuals, before, summary },
  };
}

/** The machine that was measured, and what training takes of memory, its text apart. */
function machineOf(measurements: readonly Measurement[]): Machine {
  return {
    secondsOf: (experiment) => estimate(experiment, modelCost(experiment.model), measurements)?.secondsToFinish,
    bytesOf: (experiment) => {
      const { memory } = trainingNeeds(experiment, outlineLanguageModel(experiment)) ?? {};
      return memory && Math.max(memory.host, memory.device);
    },
  };
}

/** MACs per token of a model that trains a step in a moment, on any machine. */
const PILOT_MACS = 3e6;

/** For so long each model is measured that a budget of time depends on. */
export const MEASURE_SECONDS = 5;

export interface MeasuredScaleRequest extends ScaleRequest {
  /** Trains a config for MEASURE_SECONDS and says how fast that was. */
  readonly measure: (experiment: Experiment) => Promise<Measurement>;
}

/**
 * The same, with what has to be measured for a budget of time: a small model of the same kind where nothing of this device has been, and
 * then the very model that comes of it, as time does not quite follow MACs. Throws CannotScale, and what `measure` throws.
 */
export async function scaledHere({ measure, ...request }: MeasuredScaleRequest): Promise<ScaledConfigs> {
  if (request.budget.seconds === undefined) return scaledConfigs(request);
  const isKnown = machineOf(request.measurements).secondsOf(withTraining(request.pair)) !== undefined;
  const measurements = isKnown ? [...request.measurements] : [...request.measurements, await measure(pilotOf(request.pair))];
  const rough = scaledConfigs({ ...request, measurements });
  for (const { experiment } of [rough.subject, rough.baseline]) {
    if (estimate(experiment, modelCost(experiment.model), measurements)?.basis === 'similar models')
      measurements.push(await measure(experiment));
  }
  return scaledConfigs({ ...request, measurements });
}

function withTraining({ subject, baseline }: LoadedPair): Experiment {
  const train = subject.train ?? baseline.train;
  return train === undefined ? subject : { ...subject, train };
}

/** A pair so small that it can be measured in moments, where nothing has been measured yet: its subject. Throws CannotScale. */
export function pilotOf(pair: LoadedPair): Experiment {
  const machine: Machine = {
    // As if a MAC were a second of a step of one token.
    secondsOf: ({ model, train }) => train && modelCost(model).macsPerToken.total / 2,
    bytesOf: () => 0,
  };
  try {
    const { subject } = scaleToBudget(pair, { seconds: PILOT_MACS }, machine);
    const { train } = subject;
    return train === undefined ? subject : { ...subject, train: { ...train, batch_tokens: train.micro_batch * subject.model.context } };
  } catch (error) {
    // Small enough as it is.
    if (error instanceof CannotScale && pair.subject.train !== undefined) return pair.subject;
    throw error;
  }
}

function freeFile(folder: string, base: string, taken: (file: string) => boolean): string {
  const name = basename(base).endsWith(SUFFIX) ? basename(base).slice(0, -SUFFIX.length) : basename(base);
  for (let number = 1; ; number++) {
    const file = join(folder, `${name}-small${number === 1 ? '' : `-${number}`}${SUFFIX}`);
    if (!taken(file)) return file;
  }
}

function budgetText({ seconds, bytes }: Budget): string {
  const parts = [...(seconds === undefined ? [] : [durationText(seconds)]), ...(bytes === undefined ? [] : [bytesText(bytes)])];
  return parts.join(' and ');
}

function summaryOf({ subject, baseline, seconds, bytes, residuals, before }: ScaledPair): readonly string[] {
  const { model, train } = baseline;
  const tokens = (train?.steps ?? 0) * (train?.batch_tokens ?? 0);
  const time = seconds === undefined ? '' : `, about ${durationText(seconds)} for both, validation and checkpoints apart`;
  const memory = bytes === undefined ? '' : `, ${bytesText(bytes)} of memory at most`;
  return [
    `Both have d_model ${model.d_model}, ${model.layers} and ${subject.model.layers} layers and a context of ${model.context}, and train on ${tokens.toLocaleString('en-US')} tokens${time}${memory}.`.replace(
      `${model.layers} and ${model.layers} layers`,
      `${model.layers} ${model.layers === 1 ? 'layer' : 'layers'}`,
    ),
    differenceText(residuals),
    ...leftoversOf({ subject, baseline, residuals, before }),
  ];
}

/**
 * `What differs costs 0.00 % MACs (+0.54 % with routers) and has −0.78 % parameters (−0.76 % with routers), of the feed-forward layers that
 * differ.`
 */
function differenceText({ scope, ...residuals }: ComparedResiduals): string {
  const [macs, macsWithRouter] = bothCounts(residuals, 'macs').map((residual) => formatResidual(residual));
  const [parameters, parametersWithRouter] = bothCounts(residuals, 'parameters').map((residual) => formatResidual(residual));
  return `What differs costs ${macs} MACs (${macsWithRouter} with routers) and has ${parameters} parameters (${parametersWithRouter} with routers), of ${comparedNames[scope]}.`;
}

/** What whole numbers leave unequal, and what that was before. */
function leftoversOf({
  subject,
  baseline,
  residuals,
  before,
}: Pick<ScaledPair, 'subject' | 'baseline' | 'residuals' | 'before'>): readonly string[] {
  const left = (['macs', 'parameters'] as const).flatMap((axis) => inequality(residuals, axis) ?? []);
  if (left.length === 0) return [];
  const [first = '', ...others] = left;
  const sentence = [`${first.charAt(0).toUpperCase()}${first.slice(1)}`, ...others].join(', ');
  const why = isSparse(subject.model) === isSparse(baseline.model) ? '' : ': a sparse model and a dense one can seldom be equal in both';
  return [`${sentence}${why}.`, `Before, of ${comparedNames[before.scope]}: ${formatBothAxes(before)}.`];
}
