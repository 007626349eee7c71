import type { AdamW } from '../graph/program';
import type { TrainConfig } from '../config/schema';

/** AdamW with the groups of parameters that models have: norms, biases and the like do not decay. */
export function optimiser(train: TrainConfig): AdamW {
  return {
    kind: 'adamw',
    beta1: train.betas[0],
    beta2: train.betas[1],
    epsilon: train.epsilon,
    clip: train.clip === 0 ? null : train.clip,
    groups: { decayed: { weightDecay: train.weight_decay, rateScale: 1 }, undecayed: { weightDecay: 0, rateScale: 1 } },
  };
}
