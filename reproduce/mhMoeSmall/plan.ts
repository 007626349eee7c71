import type { OptimiserSetting, TrainingPlan } from '../comparison/plan';
import type { Shape } from './models';

export interface Plan extends Shape, TrainingPlan {}

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

/**
 * As in the released code: warm-up and linear fall to a twentieth, betas, epsilon, decay, clip 2, balance 0.01; at another rate and length.
 */
export const releasedSetting: OptimiserSetting = (steps, rate) => ({
  min_learning_rate: rate / 20,
  warmup: Math.ceil(steps / 20),
  schedule: 'linear',
  betas: [0.9, 0.95],
  epsilon: 1e-6,
  weight_decay: 0.1,
  clip: 2,
});
