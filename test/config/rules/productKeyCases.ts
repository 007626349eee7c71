import type { Case } from './changes';
import { productKeys } from './changes';

export const productKeyCases: readonly Case[] = [
  {
    of: 'product-keys-experts',
    changes: productKeys({ experts: 60 }),
    says: '[60] error product-keys-experts: `product_keys.experts` 60 is no square number, but every expert has one of n first and one of n second sub-keys; use 49 = 7 * 7, or 64 = 8 * 8.',
  },
  {
    of: 'product-keys-top-k',
    changes: productKeys({ top_k: 9 }),
    says: '[9] error product-keys-top-k: `product_keys.top_k` 9 is more than the 8 sub-keys of each kind, of which a head takes its best `top_k`; use at most 8, or more `heads` or `experts`.',
  },
  {
    of: 'product-keys-key-width',
    changes: productKeys({ key_width: 7 }),
    says: '[7] error product-keys-key-width: `product_keys.key_width` 7 is odd, but half of a query is for each of the two sub-keys; use 6 or 8.',
  },
  {
    of: 'product-keys-layers',
    changes: productKeys({ layers: [4] }),
    says: '[4] error product-keys-layers: `product_keys.layers` names layer 4, but there are 4 layers and they are layers 0 to 3; leave it out.',
  },
  {
    of: 'product-keys-layers',
    changes: productKeys({ layers: [1, 1] }),
    says: '[1] error product-keys-layers: `product_keys.layers` names layer 1 twice; leave one out.',
  },
  {
    of: 'product-keys-routed',
    changes: { 'model.product_keys': { experts: 64, heads: 2, top_k: 4 } },
    says: '[product_keys] error product-keys-routed: Layer 1 is routed by `moe` and has product keys too, and each takes the place of the feed-forward network; say `moe.layers: [3]`, or choose other `product_keys.layers`.',
  },
  {
    of: 'product-keys-routed',
    changes: { 'model.product_keys': { experts: 64, heads: 2, top_k: 4, layers: [1, 3, 0] } },
    says: '[[ 1, 3, 0 ]] error product-keys-routed: Layers 1, 3 are routed by `moe` and have product keys too, and each takes the place of the feed-forward network; remove `moe`, or choose other `product_keys.layers`.',
  },
  {
    of: 'only-for-peer',
    changes: productKeys({ kind: 'pkm', activation: 'relu' }),
    says: '[activation] warning only-for-peer: `product_keys.activation: relu` has no effect, because the values of `kind: pkm` are summed as they are; use `kind: peer`, or remove it.',
  },
  {
    of: 'product-keys-top-1',
    changes: productKeys({ top_k: 1 }),
    says: '[1] warning product-keys-top-1: With `product_keys.top_k: 1` and `score: softmax` every weight is 1, so queries and sub-keys learn nothing; use a `top_k` of at least 2, or `score: sigmoid`.',
  },
  {
    of: 'product-keys-retrievals',
    changes: productKeys({ experts: 16, heads: 17 }),
    says: '[17] information product-keys-retrievals: With `product_keys.heads` 17 * `top_k` 4 a token makes 68 retrievals from 16 experts, so on average each more than 4 times, and a feed-forward network of width 16 would cost less; use more `experts`, or fewer `heads`.',
  },
  {
    of: 'product-keys-one-token',
    changes: { ...productKeys({}), 'model.context': 1, 'train.micro_batch': 1 },
    says: '[product_keys] warning product-keys-one-token: With `product_keys.query_norm: batch` queries are normalised over the tokens of a microbatch, and one token alone becomes 0, whatever it is; use a larger `micro_batch` or `context`, or `query_norm: none`.',
  },
  {
    of: 'product-keys-bitnet',
    changes: { ...productKeys({}), 'model.bitnet': {} },
    says: '[bitnet] information product-keys-bitnet: `bitnet` quantises attention and feed-forward networks; the experts, queries and sub-keys of `product_keys` stay full precision.',
  },
  {
    of: 'lazy-decay',
    changes: { ...productKeys({ learning_rate_scale: 100 }), 'train.weight_decay': 20 },
    says: '[20] error lazy-decay: With `product_keys.optimizer: lazy` a row is multiplied by 1 - rate * decay for every step that it was not used, and `learning_rate` 0.001 * `learning_rate_scale` 100 * `weight_decay` 20 = 2 leaves nothing of it; use less than 1, or `optimizer: dense`.',
  },
  {
    of: 'lazy-decay',
    changes: { ...productKeys({}), 'train.weight_decay': 2000 },
    says: '[2000] error lazy-decay: With `product_keys.optimizer: lazy` a row is multiplied by 1 - rate * decay for every step that it was not used, and `learning_rate` 0.001 * `weight_decay` 2000 = 2 leaves nothing of it; use less than 1, or `optimizer: dense`.',
  },
  {
    of: 'lazy-steps',
    changes: { ...productKeys({}), 'train.steps': 20000000 },
    says: "[20000000] error lazy-steps: With `product_keys.optimizer: lazy` the step of every row's last update is kept in float32, which counts to 16,777,216, and there are 20,000,000 steps; use fewer, or `optimizer: dense`.",
  },
  {
    of: 'tensor-size',
    changes: { ...productKeys({ experts: 1_048_576 }), 'model.d_model': 4100, 'model.attention.heads': 5 },
    says: '[1048576] error tensor-size: A tensor of `product_keys.experts` * `d_model` = 4,299,161,600 values is too large to be trained, with at most 4,294,967,296; make it smaller, or leave out `data` to count the model only.',
  },
];
