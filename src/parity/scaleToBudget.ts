import type { Experiment, ModelConfig, TrainConfig } from '../config/schema';
import { semanticFindings } from '../config/semanticRules';
import { comparedResiduals, type ComparedResiduals } from './comparedPart';
import { modelCost } from './closedForm/modelCost';
import { leastTokens, scaledModel, scaledTraining, scalesOf, unitsOf, type Scale } from './scaledExperiment';
import { atParity, keptParity } from './scaledParity';

/** A config and the one that it is held against. */
export interface Pair {
  readonly subject: Experiment;
  readonly baseline: Experiment;
}

export interface Budget {
  /** Of both trainings, one after the other. */
  readonly seconds?: number;
  /** Of memory, for each of them. */
  readonly bytes?: number;
}

/** What an experiment takes on the machine that it is scaled for; undefined where that is not known. */
export interface Machine {
  secondsOf(experiment: Experiment): number | undefined;
  bytesOf(experiment: Experiment): number | undefined;
}

export interface ScaledPair extends Pair {
  /** Seconds of both trainings, and bytes of the one that takes more; undefined where nobody knows. */
  readonly seconds: number | undefined;
  readonly bytes: number | undefined;
  readonly residuals: ComparedResiduals;
  /** Of the pair before. */
  readonly before: ComparedResiduals;
}

/** Why a pair cannot be scaled, with what the user can do. */
export class CannotScale extends Error {
  override readonly name = 'CannotScale';
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/**
 * The largest pair of the same two architectures that fits a budget, at parity again. Widths shrink together, the number of layers by their
 * root; with a budget of time the context is halved with them, and a model trains on tokens in proportion to its MACs, as it did: the
 * tokens for each parameter stay what they were. Where even the smallest models take too long, they train on fewer. Memory is also saved by
 * smaller microbatches, which change nothing else. Throws CannotScale.
 */
export function scaleToBudget(pair: Pair, budget: Budget, machine: Machine): ScaledPair {
  const before = comparedResiduals(modelCost(pair.subject.model), modelCost(pair.baseline.model));
  return { ...largest(pair, budget, machine), before };
}

type FittingPair = Omit<ScaledPair, 'before'>;

function largest({ subject, baseline }: Pair, budget: Budget, machine: Machine): FittingPair {
  const train = subject.train ?? baseline.train;
  if (train === undefined)
    throw new CannotScale('Neither config has a `train:` section, so that there is nothing to fit.', 'Add a `train:` section.');
  const trained = { subject: { ...subject, train: subject.train ?? train }, baseline: { ...baseline, train: baseline.train ?? train } };
  const whole = finished(trained, budget, machine);
  if (whole !== undefined && isAsItWas(whole, trained))
    throw new CannotScale('Both fit as they are.', 'Train them, or name a smaller budget.');
  if (whole !== undefined) return whole;
  const scales = scalesOf(baseline.model, unitsOf([subject.model, baseline.model]), budget.seconds !== undefined);
  for (const scale of scales.slice(firstPromising(scales, trained.baseline, budget, machine))) {
    const found = attempt(trained, scale, budget, machine);
    if (found !== undefined) return found;
  }
  const smallest = scales.at(-1);
  const fewer = smallest && budget.seconds !== undefined ? withFewerTokens(trained, smallest, budget, machine) : undefined;
  if (fewer !== undefined) return fewer;
  throw new CannotScale(
    impossible(trained, smallest, machine),
    'Allow more time or memory, or make the pair smaller by hand (experts, context, vocabulary).',
  );
}

/** Smaller microbatches may be all that it takes. */
function isAsItWas({ subject, baseline }: Pair, was: TrainedPair): boolean {
  return subject.train?.micro_batch === was.subject.train.micro_batch && baseline.train?.micro_batch === was.baseline.train.micro_batch;
}

interface TrainedPair {
  readonly subject: Experiment & { readonly train: TrainConfig };
  readonly baseline: Experiment & { readonly train: TrainConfig };
}

/**
 * Solving for parity takes its time: scales that are hopeless are passed over by halves, by what the baseline alone takes. A little
 * earlier, as that is rough.
 */
function firstPromising(scales: readonly Scale[], baseline: TrainedPair['baseline'], { seconds, bytes }: Budget, machine: Machine): number {
  const fits = (scale: Scale): boolean => {
    const model = scaledModel(baseline.model, scale);
    const tried = trainedFor(baseline, model, shareOf(model, baseline, seconds));
    if (seconds !== undefined && 2 * (machine.secondsOf(tried) ?? 0) > seconds) return false;
    return bytes === undefined || (machine.bytesOf({ ...tried, train: { ...tried.train, micro_batch: 1 } }) ?? 0) <= bytes;
  };
  let [first, last] = [0, scales.length];
  while (first < last) {
    const middle = Math.floor((first + last) / 2);
    const scale = scales[middle];
    if (scale === undefined || fits(scale)) last = middle;
    else first = middle + 1;
  }
  return Math.max(0, first - 2);
}

/** Of the tokens that a model trains on, what is left for a scaled one: as much as of its MACs. All, without a budget of time. */
function shareOf(model: ModelConfig, { model: whole }: Experiment, seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : modelCost(model).macsPerToken.total / modelCost(whole).macsPerToken.total;
}

function trainedFor(experiment: TrainedPair['subject'], model: ModelConfig, share: number | undefined): TrainedPair['subject'] {
  const { train } = experiment;
  const one = { ...experiment, model };
  if (share === undefined) return one;
  return scaledTraining(one, train, model.context, Math.max(leastTokens(train, model.context), train.steps * train.batch_tokens * share));
}

function attempt(pair: TrainedPair, scale: Scale, budget: Budget, machine: Machine): FittingPair | undefined {
  const models = scaledModels(pair, scale);
  const share = shareOf(models.baseline, pair.baseline, budget.seconds);
  const scaled = { subject: trainedFor(pair.subject, models.subject, share), baseline: trainedFor(pair.baseline, models.baseline, share) };
  return finished(scaled, budget, machine);
}

/** The smallest models, on as many tokens as there is time for. */
function withFewerTokens(pair: TrainedPair, scale: Scale, budget: Budget, machine: Machine): FittingPair | undefined {
  const models = scaledModels(pair, scale);
  const { subject, baseline } = pair;
  const secondsOf = (experiment: Experiment, model: ModelConfig): number | undefined => machine.secondsOf({ ...experiment, model });
  const [ofSubject, ofBaseline] = [secondsOf(subject, models.subject), secondsOf(baseline, models.baseline)];
  if (ofSubject === undefined || ofBaseline === undefined || budget.seconds === undefined) return undefined;
  const share = budget.seconds / (ofSubject + ofBaseline);
  const scaled = (experiment: TrainedPair['subject'], model: ModelConfig): TrainedPair['subject'] => {
    const { train } = experiment;
    return scaledTraining({ ...experiment, model }, train, model.context, train.steps * train.batch_tokens * share);
  };
  return finished({ subject: scaled(subject, models.subject), baseline: scaled(baseline, models.baseline) }, budget, machine);
}

/** Both models scaled, and the subject at parity with its baseline again. */
function scaledModels({ subject, baseline }: Pair, scale: Scale): { readonly subject: ModelConfig; readonly baseline: ModelConfig } {
  const theirs = { ...baseline, model: scaledModel(baseline.model, scale) };
  const ours = { ...subject, model: scaledModel(subject.model, scale) };
  return { subject: atParity(ours, theirs, keptParity(subject.model, baseline.model)), baseline: theirs.model };
}

/** With microbatches that fit; undefined where the pair does not. */
function finished(pair: TrainedPair, { seconds, bytes }: Budget, machine: Machine): FittingPair | undefined {
  if ([pair.subject, pair.baseline].some(hasErrors)) return undefined;
  const times = [pair.subject, pair.baseline].map((one) => machine.secondsOf(one));
  const time = sum(times);
  if (seconds !== undefined && (time === undefined || time > seconds)) return undefined;
  const [subject, baseline] = [fitting(pair.subject, bytes, machine), fitting(pair.baseline, bytes, machine)];
  if (subject === undefined || baseline === undefined) return undefined;
  const needs = [subject, baseline].map((one) => machine.bytesOf(one));
  const most = sum(needs) === undefined ? undefined : Math.max(...needs.flatMap((need) => need ?? []));
  return {
    subject,
    baseline,
    seconds: time,
    bytes: most,
    residuals: comparedResiduals(modelCost(subject.model), modelCost(baseline.model)),
  };
}

/** Rounded sizes may be such that no config may have them together. */
function hasErrors(experiment: Experiment): boolean {
  return semanticFindings(experiment, {}).some(({ severity }) => severity === 'error');
}

function fitting(experiment: TrainedPair['subject'], bytes: number | undefined, machine: Machine): TrainedPair['subject'] | undefined {
  if (bytes === undefined) return experiment;
  const { train } = experiment;
  for (let windows = train.micro_batch; windows >= 1; windows = nextDivisor(train.micro_batch, windows)) {
    const tried = { ...experiment, train: { ...train, micro_batch: windows } };
    const need = machine.bytesOf(tried);
    if (need !== undefined && need <= bytes) return tried;
  }
  return undefined;
}

/** The next smaller divisor; 0 after 1. */
function nextDivisor(count: number, divisor: number): number {
  for (let smaller = divisor - 1; smaller >= 1; smaller--) if (count % smaller === 0) return smaller;
  return 0;
}

/** Undefined where one of them is. */
function sum(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce((total, number) => (total === undefined || number === undefined ? undefined : total + number), 0);
}

function impossible(pair: TrainedPair, scale: Scale | undefined, machine: Machine): string {
  if (scale === undefined) return `With d_model ${pair.baseline.model.d_model} they are as small as they can be made.`;
  const { subject, baseline } = scaledModels(pair, scale);
  const tiny = (experiment: TrainedPair['subject'], model: ModelConfig): TrainedPair['subject'] =>
    scaledTraining(
      { ...experiment, model },
      { ...experiment.train, micro_batch: 1 },
      model.context,
      leastTokens(experiment.train, model.context),
    );
  const smallest = [tiny(pair.subject, subject), tiny(pair.baseline, baseline)];
  const seconds = sum(smallest.map((one) => machine.secondsOf(one)));
  const bytes = Math.max(0, ...smallest.map((one) => machine.bytesOf(one) ?? 0));
  const time = seconds === undefined ? '' : `${Math.ceil(seconds)} s and `;
  return `Even with d_model ${baseline.d_model} and ${baseline.layers} layers they take ${time}${Math.ceil(bytes / 2 ** 20)} MiB.`;
}
