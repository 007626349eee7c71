import { multiplesNearest, nearestMultiples, nearestThatFit } from '../divisibility';
import { atKey, atValue } from '../pathFinding';
import { mended, setting, sure } from './remedies';
import { most } from '../schemaBounds';
import type { Rule } from './rule';
import { violation } from './rule';
import { withoutEffect } from './withoutEffect';

/** Tokens of `tokenizer: bytes`; with `objective: masked` the mask token comes after them. */
const BYTES = 256;

export const vocabulary: Rule = {
  code: 'vocabulary',
  severity: 'error',
  summary: 'the vocabulary is too small for the tokenizer and, with `objective: masked`, the mask token',
  check({ experiment: { model, data } }) {
    if (data?.tokenizer !== 'bytes') return undefined;
    const spots = [atValue('model', 'vocabulary'), atValue('model', 'objective'), atValue('data', 'tokenizer'), atKey('data')];
    if (model.objective === 'masked' && model.vocabulary <= BYTES) {
      return mended(
        violation(
          `\`model.vocabulary\` ${model.vocabulary} is too small for \`tokenizer: bytes\` with \`objective: masked\`, which has ${BYTES} tokens and the mask token; use at least ${BYTES + 1}.`,
          ...spots,
        ),
        sure(setting(['model', 'vocabulary'], BYTES + 1)),
      );
    }
    if (model.vocabulary >= BYTES) return undefined;
    return mended(
      violation(
        `\`model.vocabulary\` ${model.vocabulary} is too small for \`tokenizer: bytes\`, which has ${BYTES} tokens; use at least ${BYTES}.`,
        ...spots,
      ),
      sure(setting(['model', 'vocabulary'], BYTES)),
    );
  },
};

const masking = ['train', 'masking'] as const;

export const maskingShares: Rule = {
  code: 'masking-shares',
  severity: 'error',
  summary: '`mask_share` and `random_share` are more than 1 together',
  check({ experiment: { train } }) {
    if (!train) return undefined;
    const { mask_share: mask, random_share: random } = train.masking;
    // 0.9 + 0.1 may be a little more than 1.
    if (mask + random <= 1 + 1e-9) return undefined;
    const shareLeft = Number((1 - mask).toPrecision(6));
    return mended(
      violation(
        `\`masking.mask_share\` ${mask} and \`random_share\` ${random} are more than 1 together; use a \`random_share\` of at most ${shareLeft}.`,
        atValue(...masking, 'random_share'),
        atValue(...masking, 'mask_share'),
      ),
      setting([...masking, 'random_share'], shareLeft),
      setting([...masking, 'mask_share'], Number((1 - random).toPrecision(6))),
    );
  },
};

export const maskingWithoutMasks: Rule = {
  code: 'only-for-masked',
  severity: 'warning',
  summary: '`masking` is set, but `objective: causal` hides nothing',
  check(input) {
    if (input.experiment.model.objective === 'masked') return undefined;
    return withoutEffect(input, masking, ['probability', 'mask_share', 'random_share'], {
      why: '`objective: causal` hides no tokens',
      instead: 'use `objective: masked`',
      elsewhere: [atValue('model', 'objective')],
    });
  },
};

export const maskedCopies: Rule = {
  code: 'masking-copies',
  severity: 'warning',
  summary: '`mask_share` and `random_share` are both 0, so that hidden tokens are there to be copied',
  check({ experiment: { model, train } }) {
    if (model.objective !== 'masked' || !train || train.masking.mask_share + train.masking.random_share > 0) return undefined;
    return mended(
      violation(
        'With `masking.mask_share` and `random_share` 0 every token stays as it is, so the model only learns to copy what it sees; use a `mask_share` above 0.',
        atValue(...masking, 'mask_share'),
        atValue(...masking, 'random_share'),
        atValue('model', 'objective'),
      ),
      setting([...masking, 'mask_share'], 0.8),
    );
  },
};

export const maskedAlone: Rule = {
  code: 'masked-context-1',
  severity: 'warning',
  summary: '`objective: masked` with `context: 1`, where nothing is left to predict a hidden token from',
  check({ experiment: { model } }) {
    if (model.objective !== 'masked' || model.context > 1) return undefined;
    return violation(
      'With `objective: masked` and `context: 1` there are no other tokens to predict a hidden one from; use a `context` of at least 2.',
      atValue('model', 'context'),
      atValue('model', 'objective'),
    );
  },
};

export const batchTokens: Rule = {
  code: 'batch-tokens',
  severity: 'error',
  summary: '`batch_tokens` is not divisible by `micro_batch * context`',
  check({ experiment: { model, train } }) {
    if (!train) return undefined;
    const microbatch = train.micro_batch * model.context;
    if (train.batch_tokens % microbatch === 0) return undefined;
    return mended(
      violation(
        `\`train.batch_tokens\` ${train.batch_tokens} is not divisible by \`micro_batch * context\` = ${train.micro_batch} * ${model.context} = ${microbatch}; use ${nearestMultiples(train.batch_tokens, microbatch)}.`,
        atValue('train', 'batch_tokens'),
        atValue('train', 'micro_batch'),
        atValue('model', 'context'),
      ),
      ...multiplesNearest(train.batch_tokens, microbatch).map((tokens) => setting(['train', 'batch_tokens'], tokens)),
      ...(train.batch_tokens % model.context === 0
        ? nearestThatFit(train.micro_batch, most.windows, (windows) => train.batch_tokens % (windows * model.context) === 0)
        : []
      ).map((windows) => setting(['train', 'micro_batch'], windows)),
    );
  },
};

export const warmup: Rule = {
  code: 'warmup',
  severity: 'warning',
  summary: '`warmup` covers all steps',
  check({ experiment: { train } }) {
    if (!train || train.warmup < train.steps) return undefined;
    return mended(
      violation(
        `\`train.warmup\` ${train.warmup} covers all ${train.steps} steps, so the learning rate never reaches its peak and its schedule; use less than ${train.steps}.`,
        atValue('train', 'warmup'),
        atValue('train', 'steps'),
      ),
      setting(['train', 'warmup'], Math.floor(train.steps / 10)),
    );
  },
};

export const minimumLearningRate: Rule = {
  code: 'min-learning-rate',
  severity: 'error',
  summary: '`min_learning_rate` is above `learning_rate`',
  check({ experiment: { train } }) {
    if (!train || train.schedule === 'constant' || train.min_learning_rate <= train.learning_rate) return undefined;
    return mended(
      violation(
        `\`train.min_learning_rate\` ${train.min_learning_rate} is above \`learning_rate\` ${train.learning_rate}; use at most ${train.learning_rate}.`,
        atValue('train', 'min_learning_rate'),
        atValue('train', 'learning_rate'),
      ),
      setting(['train', 'min_learning_rate'], Number((train.learning_rate / 10).toPrecision(6))),
    );
  },
};

export const minimumOfConstant: Rule = {
  code: 'min-learning-rate-constant',
  severity: 'warning',
  summary: '`min_learning_rate` is set, but `schedule: constant` never falls',
  check(input) {
    if (input.experiment.train?.schedule !== 'constant') return undefined;
    return withoutEffect(input, ['train'], ['min_learning_rate'], {
      why: '`schedule: constant` never falls',
      instead: 'use `schedule: cosine` or `linear`',
      elsewhere: [atValue('train', 'schedule')],
    });
  },
};
