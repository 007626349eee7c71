import type { AdamW } from '../graph/program';
import type { ProductKeysConfig, TrainConfig } from '../config/schema';
import { TABLES_GROUP } from './productKeys';

/**
 * AdamW with the groups of parameters that models have: norms, biases and the like do not decay; tables of experts may have a rate of their
 * own.
 */
export function optimiser(train: TrainConfig, productKeys: ProductKeysConfig | undefined): AdamW {
  const tables = productKeys && { [TABLES_GROUP]: { weightDecay: train.weight_decay, rateScale: productKeys.learning_rate_scale } };
  return {
    kind: 'adamw',
    beta1: train.betas[0],
    beta2: train.betas[1],
    epsilon: train.epsilon,
    clip: train.clip === 0 ? null : train.clip,
    groups: { decayed: { weightDecay: train.weight_decay, rateScale: 1 }, undecayed: { weightDecay: 0, rateScale: 1 }, ...tables },
  };
}
