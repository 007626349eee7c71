import type { OptimiserSetting, TrainingPlan } from '../comparison/plan';
import type { Shape } from './models';

export interface Plan extends Shape, TrainingPlan {}

export const plans = {
  /** A test of the machinery; says nothing of the models. */
  tiny: {
    width: 32,
    layers: 2,
    context: 16,
    windows: 8,
    steps: 6,
    sweepSteps: 3,
    rates: [1e-3, 3e-3],
    sweepSeed: 0,
    seeds: [1, 2],
    validationBytes: 600,
  },
  /** Some 30 minutes on two CPU cores. */
  small: {
    width: 96,
    layers: 4,
    context: 128,
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

/**
 * As the released sweeps train on Enwik8: AdamW without decay, cosine, clip 0.25; with a warm-up, for far fewer steps at a higher rate. No
 * dropout.
 */
export const releasedSetting: OptimiserSetting = (steps) => ({
  min_learning_rate: 0,
  warmup: Math.ceil(steps / 20),
  schedule: 'cosine',
  betas: [0.9, 0.999],
  weight_decay: 0,
  clip: 0.25,
});
