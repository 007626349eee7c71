import type { ExperimentInput } from '../../src/config/schema';
import type { Job } from '../jobs';
import type { PreparedTexts } from '../text';
import type { Shape, SmallModel } from './models';

export interface Plan extends Shape {
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

export const plans = {
  /** A test of the machinery; says nothing of the models. */
  tiny: {
    width: 24,
    layers: 2,
    context: 16,
    attentionHeads: 3,
    windows: 8,
    steps: 6,
    sweepSteps: 3,
    rates: [1e-3, 3e-3],
    sweepSeed: 0,
    seeds: [1, 2],
    validationBytes: 600,
  },
  /** Some 25 minutes on two CPU cores. */
  small: {
    width: 96,
    layers: 4,
    context: 128,
    attentionHeads: 3,
    windows: 8,
    steps: 1500,
    sweepSteps: 400,
    rates: [1e-3, 2e-3, 4e-3],
    sweepSeed: 0,
    seeds: [1, 2, 3],
    validationBytes: 60_000,
  },
} satisfies Readonly<Record<string, Plan>>;

export type PlanName = keyof typeof plans;

export function sweepJobs(plan: Plan, { slug, name, model }: SmallModel, texts: PreparedTexts): Job[] {
  const validation = { tuning: [texts.tuning.file] };
  return plan.rates.map((rate) => ({
    slug: `sweep-${slug}-${rate}`,
    experiment: experimentOf(plan, model, {
      name: `${name}, sweep, rate ${rate}`,
      steps: plan.sweepSteps,
      rate,
      seed: plan.sweepSeed,
      data: { train: [texts.train.file], validation },
    }),
  }));
}

export function finalJobs(plan: Plan, { slug, name, model }: SmallModel, texts: PreparedTexts, rate: number): Job[] {
  const validation = Object.fromEntries(Object.entries(texts.validation).map(([set, { file }]) => [set, [file]]));
  return plan.seeds.map((seed) => ({
    slug: `${slug}-seed-${seed}`,
    experiment: experimentOf(plan, model, {
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

/** The setting of the released code (warm-up and linear fall to a twentieth, betas, epsilon, decay, clip 2, balance 0.01), at another rate and length. */
function experimentOf(plan: Plan, model: SmallModel['model'], { name, steps, rate, seed, data }: Training): ExperimentInput {
  return {
    name,
    model,
    train: {
      steps,
      batch_tokens: plan.windows * plan.context,
      micro_batch: plan.windows,
      learning_rate: rate,
      min_learning_rate: rate / 20,
      warmup: Math.ceil(steps / 20),
      schedule: 'linear',
      betas: [0.9, 0.95],
      epsilon: 1e-6,
      weight_decay: 0.1,
      clip: 2,
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
