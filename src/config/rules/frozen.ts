import { atKey, atValue } from '../pathFinding';
import { changing, mended, removing, set } from './remedies';
import type { Rule } from './rule';
import { routerOf, routerPath, violation } from './rule';
import { listed, withoutEffect } from './withoutEffect';

/** The control experiment for what routing learns: worth a word, since its figures look like any other's. */
export const frozenRouter: Rule = {
  code: 'frozen-router',
  severity: 'warning',
  summary: '`frozen`: the router stays random',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (!routed?.frozen || routed.select === 'top_k_biased') return undefined;
    const balances = routed.balance !== 'none' && routed.balance !== 'loss_free' && routed.balance_weight > 0;
    const pulling = [
      ...(balances ? ['`balance: none`'] : []),
      ...(routed.z_loss_weight > 0 ? ['`z_loss_weight: 0`'] : []),
      ...(routed.select === 'top_p' && routed.entropy_weight > 0 ? ['`entropy_weight: 0`'] : []),
    ];
    const advice = pulling.length === 0 ? '' : `; its losses still pull at the layers below, so add ${listed(pulling)}`;
    return mended(
      violation(
        `With \`router.frozen\` the router stays as it was initialised, which is the control experiment for what routing learns${advice}.`,
        atKey(...routerPath, 'frozen'),
      ),
      removing([...routerPath, 'frozen']),
    );
  },
};

export const frozenBiased: Rule = {
  code: 'frozen-biased',
  severity: 'error',
  summary: '`frozen` with `select: top_k_biased`, whose bias would still move',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (!routed?.frozen || routed.select !== 'top_k_biased') return undefined;
    return mended(
      violation(
        '`router.frozen` cannot be used with `select: top_k_biased`, whose bias would still move; use `select: top_k` with `balance: none`.',
        atKey(...routerPath, 'frozen'),
        atValue(...routerPath, 'select'),
      ),
      changing(
        'Set router.select to top_k and router.balance to none',
        set([...routerPath, 'select'], 'top_k'),
        set([...routerPath, 'balance'], 'none'),
      ),
      removing([...routerPath, 'frozen']),
    );
  },
};

export const frozenTemperature: Rule = {
  code: 'frozen-temperature',
  severity: 'warning',
  summary: '`learn_temperature` is set, but a `frozen` router learns nothing',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed?.frozen || routed.type !== 'cosine' || !routed.learn_temperature) return undefined;
    return withoutEffect(input, routerPath, ['learn_temperature'], {
      why: 'the router is frozen',
      instead: 'remove `frozen`',
      elsewhere: [atKey(...routerPath, 'frozen')],
    });
  },
};
