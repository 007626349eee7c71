import type { Case } from './changes';
import { attentionExperts, masked, withoutHead } from './changes';

export const trainingCases: readonly Case[] = [
  {
    of: 'tensor-size',
    changes: { 'model.vocabulary': 16_777_216, 'model.d_model': 960 },
    says: '[16777216] error tensor-size: A tensor of `vocabulary` * `d_model` = 16,106,127,360 values is too large to be trained, with at most 4,294,967,296; make it smaller, or leave out `data` to count the model only.',
  },
  {
    of: 'tensor-size',
    changes: { ...withoutHead, 'model.moe.experts': 1_048_576, 'model.moe.expert_width': 1024 },
    says: '[1048576] error tensor-size: A tensor of experts * `d_model` / `heads` * expert width = 51,539,604,480 values is too large to be trained, with at most 4,294,967,296; make it smaller, or leave out `data` to count the model only.',
  },
  {
    of: 'vocabulary',
    changes: { 'model.objective': 'masked' },
    says: '[256] error vocabulary: `model.vocabulary` 256 is too small for `tokenizer: bytes` with `objective: masked`, which has 256 tokens and the mask token; use at least 257.',
  },
  {
    of: 'vocabulary',
    changes: { 'model.vocabulary': 255 },
    says: '[255] error vocabulary: `model.vocabulary` 255 is too small for `tokenizer: bytes`, which has 256 tokens; use at least 256.',
  },
  {
    of: 'masking-shares',
    changes: { 'model.objective': 'masked', 'model.vocabulary': 257, 'train.masking': { mask_share: 0.7, random_share: 0.4 } },
    says: '[0.4] error masking-shares: `masking.mask_share` 0.7 and `random_share` 0.4 are more than 1 together; use a `random_share` of at most 0.3.',
  },
  {
    of: 'masking-copies',
    changes: { ...masked, 'train.masking': { mask_share: 0, random_share: 0 } },
    says: '[0] warning masking-copies: With `masking.mask_share` and `random_share` 0 every token stays as it is, so the model only learns to copy what it sees; use a `mask_share` above 0.',
  },
  {
    of: 'masked-context-1',
    changes: { ...masked, 'model.context': 1 },
    says: '[1] warning masked-context-1: With `objective: masked` and `context: 1` there are no other tokens to predict a hidden one from; use a `context` of at least 2.',
  },
  {
    of: 'only-for-masked',
    changes: { 'train.masking': { probability: 0.3 } },
    says: '[probability] warning only-for-masked: `train.masking.probability: 0.3` has no effect, because `objective: causal` hides no tokens; use `objective: masked`, or remove it.',
  },
  {
    of: 'batch-tokens',
    changes: { 'train.batch_tokens': 60 },
    says: '[60] error batch-tokens: `train.batch_tokens` 60 is not divisible by `micro_batch * context` = 2 * 16 = 32; use 32 or 64.',
  },
  {
    of: 'warmup',
    changes: { 'train.warmup': 10 },
    says: '[10] warning warmup: `train.warmup` 10 covers all 10 steps, so the learning rate never reaches its peak and its schedule; use less than 10.',
  },
  {
    of: 'learning-rate-range',
    changes: { 'train.learning_rate': 0.01 },
    says: '[0.01] warning learning-rate-range: `train.learning_rate` 0.01 is outside of 0.00017 to 0.0068, usual for AdamW at a width of 96 (6e-4 at a width of 768 in the released code of 2411.16205; other widths by 1 / sqrt(d_model)), so a run may diverge, or seem worse than it is; use about 0.0017.',
  },
  {
    of: 'learning-rate-range',
    changes: { 'model.d_model': 16384 },
    says: '[train] warning learning-rate-range: `train.learning_rate` is 0.001 where absent, which is outside of 0.000013 to 0.00052, usual for AdamW at a width of 16384 (6e-4 at a width of 768 in the released code of 2411.16205; other widths by 1 / sqrt(d_model)), so a run may diverge, or seem worse than it is; use about 0.00013.',
  },
  {
    of: 'learning-rate-range',
    changes: { ...attentionExperts({}), 'train.learning_rate': 0.00001, 'train.min_learning_rate': 0 },
    says: '[0.00001] warning learning-rate-range: `train.learning_rate` 0.00001 is outside of 0.000025 to 0.0068, usual for AdamW at a width of 96 (6e-4 at a width of 768 in the released code of 2411.16205; 2.5e-4 in 2312.07987; other widths by 1 / sqrt(d_model)), so a run may seem worse than it is; use about 0.00025.',
  },
  {
    of: 'min-learning-rate',
    changes: { 'train.min_learning_rate': 0.002 },
    says: '[0.002] error min-learning-rate: `train.min_learning_rate` 0.002 is above `learning_rate` 0.001; use at most 0.001.',
  },
  {
    of: 'min-learning-rate-constant',
    changes: { 'train.schedule': 'constant', 'train.min_learning_rate': 0.0002 },
    says: '[min_learning_rate] warning min-learning-rate-constant: `train.min_learning_rate: 0.0002` has no effect, because `schedule: constant` never falls; use `schedule: cosine` or `linear`, or remove it.',
  },
  {
    of: 'initial-std-fan-in',
    changes: { 'model.initialization': 'fan_in', 'model.initial_std': 0.05 },
    says: '[initial_std] warning initial-std-fan-in: `initial_std: 0.05` has no effect, because `initialization: fan_in` draws every matrix by the number of its inputs; use `initialization: gpt2`, or remove it.',
  },
  {
    of: 'tensor-size',
    changes: { ...attentionExperts({ experts: 1048576 }), 'model.d_model': 4096 },
    says: '[1048576] error tensor-size: A tensor of `attention.heads` * `attention.moe.experts` * `d_model` * `head_width` = 17,592,186,044,416 values is too large to be trained, with at most 4,294,967,296; make it smaller, or leave out `data` to count the model only.',
  },
];
