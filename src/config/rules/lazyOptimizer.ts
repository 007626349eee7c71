import { atKey, atValue } from '../pathFinding';
import { mended, setting } from './remedies';
import type { Rule } from './rule';
import { violation } from './rule';

/** Beyond it float32, which keeps the step of every row's last update, skips whole numbers. */
const MOST_STEPS = 2 ** 24;

const path = ['model', 'product_keys'] as const;

/** The decay of the steps that a row was not used is made up for by exp(sum of log(1 - rate * decay)). */
export const lazyDecay: Rule = {
  code: 'lazy-decay',
  severity: 'error',
  summary: '`optimizer: lazy` with a `learning_rate`, times its scale, and a `weight_decay` whose product is 1 or more',
  check({ experiment: { model, train } }) {
    const { product_keys: keys } = model;
    if (keys?.optimizer !== 'lazy' || !train) return undefined;
    const rate = train.learning_rate * keys.learning_rate_scale;
    if (rate * train.weight_decay < 1) return undefined;
    const scale = keys.learning_rate_scale === 1 ? '' : ` * \`learning_rate_scale\` ${keys.learning_rate_scale}`;
    return mended(
      violation(
        `With \`product_keys.optimizer: lazy\` a row is multiplied by 1 - rate * decay for every step that it was not used, and \`learning_rate\` ${train.learning_rate}${scale} * \`weight_decay\` ${train.weight_decay} = ${Number((rate * train.weight_decay).toPrecision(4))} leaves nothing of it; use less than 1, or \`optimizer: dense\`.`,
        atValue('train', 'weight_decay'),
        atValue('train', 'learning_rate'),
        atValue(...path, 'learning_rate_scale'),
        atKey(...path),
      ),
      setting([...path, 'optimizer'], 'dense'),
      setting(['train', 'weight_decay'], 0),
    );
  },
};

export const lazySteps: Rule = {
  code: 'lazy-steps',
  severity: 'error',
  summary: `\`optimizer: lazy\` with more than ${MOST_STEPS.toLocaleString('en-US')} steps`,
  check({ experiment: { model, train } }) {
    if (model.product_keys?.optimizer !== 'lazy' || !train || train.steps <= MOST_STEPS) return undefined;
    return mended(
      violation(
        `With \`product_keys.optimizer: lazy\` the step of every row's last update is kept in float32, which counts to ${MOST_STEPS.toLocaleString('en-US')}, and there are ${train.steps.toLocaleString('en-US')} steps; use fewer, or \`optimizer: dense\`.`,
        atValue('train', 'steps'),
        atValue(...path, 'optimizer'),
      ),
      setting([...path, 'optimizer'], 'dense'),
      setting(['train', 'steps'], MOST_STEPS),
    );
  },
};
