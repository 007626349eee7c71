import type { ExperimentInput } from '../../src/config/schema';
import type { Job } from '../jobs';
import type { PreparedTexts } from '../text';

export type ModelInput = ExperimentInput['model'];

/** One of the models that a reproduction compares. */
export interface ComparedModel {
  /** As reports show it. */
  readonly name: string;
  readonly slug: string;
  readonly model: ModelInput;
}

/** How every model of a comparison is trained: at the best of a few learning rates, over several seeds. */
export interface TrainingPlan {
  /** Bytes in a window. */
  readonly context: number;
  /** Windows in a step; the whole step is one microbatch. */
  readonly windows: number;
  readonly steps: number;
  /** Of each training of the learning-rate sweep. */
  readonly sweepSteps: number;
  readonly rates: readonly number[];
  /** Not one of `seeds`, so that the rate is not chosen by a training that counts. */
  readonly sweepSeed: number;
  readonly seeds: readonly number[];
  /** Of each validation text, at most. */
  readonly validationBytes: number;
}

/** What the source says of the optimiser, for a training of so many steps at a peak rate. */
export type OptimiserSetting = (steps: number, rate: number) => Partial<NonNullable<ExperimentInput['train']>>;

/** One training for each learning rate, scored on the tuning text. */
export function sweepJobs(
  plan: TrainingPlan,
  setting: OptimiserSetting,
  { slug, name, model }: ComparedModel,
  texts: PreparedTexts,
): Job[] {
  const validation = { tuning: [texts.tuning.file] };
  return plan.rates.map((rate) => ({
    slug: `sweep-${slug}-${rate}`,
    experiment: experimentOf(plan, setting, model, {
      name: `${name}, sweep, rate ${rate}`,
      steps: plan.sweepSteps,
      rate,
      seed: plan.sweepSeed,
      data: { train: [texts.train.file], validation },
    }),
  }));
}

/** One training for each seed, scored on the validation texts. */
export function finalJobs(
  plan: TrainingPlan,
  setting: OptimiserSetting,
  { slug, name, model }: ComparedModel,
  texts: PreparedTexts,
  rate: number,
): Job[] {
  const validation = Object.fromEntries(Object.entries(texts.validation).map(([set, { file }]) => [set, [file]]));
  return plan.seeds.map((seed) => ({
    slug: `${slug}-seed-${seed}`,
    experiment: experimentOf(plan, setting, model, {
      name: `${name}, seed ${seed}`,
      steps: plan.steps,
      rate,
      seed,
      data: { train: [texts.train.file], validation },
    }),
  }));
}

interface Training {
  readonly name: string;
  readonly steps: number;
  readonly rate: number;
  readonly seed: number;
  readonly data: NonNullable<ExperimentInput['data']>;
}

function experimentOf(
  plan: TrainingPlan,
  setting: OptimiserSetting,
  model: ModelInput,
  { name, steps, rate, seed, data }: Training,
): ExperimentInput {
  return {
    name,
    model,
    train: {
      ...setting(steps, rate),
      steps,
      batch_tokens: plan.windows * plan.context,
      micro_batch: plan.windows,
      learning_rate: rate,
      seed,
    },
    data,
    // At the start and at the end only; a checkpoint now and then, for a command that was killed.
    evaluate: { every: steps },
    checkpoint: { every: Math.ceil(steps / 4), keep: 1 },
    // Two trainings of one thread each do more in a minute than one of two threads.
    engine: { device: 'cpu', threads: 1 },
  };
}
