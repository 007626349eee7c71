import { choicesVary } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import type { Remedy } from '../remedy';
import type { RouterConfig } from '../schema';
import { changing, mended, remove, removing, set, setting, sure } from './remedies';
import type { Rule } from './rule';
import { routerOf, routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

const select = atValue(...routerPath, 'select');
const balancePath = [...routerPath, 'balance'] as const;
const weightPath = [...routerPath, 'balance_weight'] as const;
/** Weight of a balance loss where nothing is known: 2101.03961, 2411.16205's code. */
const USUAL_WEIGHT = 0.01;
const balance = atValue(...routerPath, 'balance');

export const switchBalance: Rule = {
  code: 'switch-top-k',
  severity: 'error',
  summary: '`balance: switch` with `top_k` above 1, or with units that take different numbers of experts',
  check({ experiment }) {
    const routed = routerOf(experiment);
    if (routed?.router.balance !== 'switch') return undefined;
    if (choicesVary(routed.moe)) {
      return mended(
        violation(
          `\`balance: switch\` is for units that take one expert each, and with \`select: ${routed.router.select}\` their numbers vary; use \`balance: top_k\` to count all choices, or \`gshard_first\` to count the first.`,
          balance,
          select,
        ),
        setting(balancePath, 'top_k'),
        setting(balancePath, 'gshard_first'),
      );
    }
    if (routed.moe.top_k === 1) return undefined;
    return mended(
      violation(
        `\`balance: switch\` is for \`top_k: 1\`, and here it is ${routed.moe.top_k}; use \`balance: top_k\` to count all choices, or \`gshard_first\` to count the first.`,
        balance,
        atValue('model', 'moe', 'top_k'),
      ),
      setting(balancePath, 'top_k'),
      setting(balancePath, 'gshard_first'),
      setting(['model', 'moe', 'top_k'], 1),
    );
  },
};

/** By units, as the named balance needs it. */
function selecting({ balance: kind, frozen }: RouterConfig): Remedy | undefined {
  if (kind !== 'loss_free') return setting([...routerPath, 'select'], 'top_k');
  return frozen ? undefined : setting([...routerPath, 'select'], 'top_k_biased');
}

export const balanceOfExpertChoice: Rule = {
  code: 'expert-choice-balance',
  severity: 'error',
  summary: '`select: expert_choice` with any `balance` but none',
  check({ experiment, states }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'expert_choice' || routed.balance === 'none') return undefined;
    if (!states(...routerPath, 'balance')) {
      return mended(
        violation(
          `\`select: expert_choice\` is balanced by itself, but \`balance\` is \`${routed.balance}\` where absent; add \`balance: none\`.`,
          select,
        ),
        sure(setting(balancePath, 'none')),
      );
    }
    return mended(
      violation(
        `\`balance: ${routed.balance}\` cannot be used with \`select: expert_choice\`, which gives every expert as many units; use \`balance: none\`.`,
        balance,
        select,
      ),
      setting(balancePath, 'none'),
      selecting(routed),
    );
  },
};

export const lossFreeSelection: Rule = {
  code: 'loss-free-select',
  severity: 'error',
  summary: '`balance: loss_free` without `select: top_k_biased`, whose bias it is',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.balance !== 'loss_free' || routed.select === 'top_k_biased') return undefined;
    // Of expert choice the other rule speaks.
    if (routed.select === 'expert_choice') return undefined;
    return mended(
      violation(
        `\`balance: loss_free\` balances by the bias of \`select: top_k_biased\`, which \`select: ${routed.select}\` does not have; add \`select: top_k_biased\`.`,
        balance,
        select,
      ),
      routed.frozen ? undefined : setting([...routerPath, 'select'], 'top_k_biased'),
      setting(balancePath, 'gshard_first'),
    );
  },
};

/** A balance loss beside the bias is possible, but only if someone asks for it. */
export const balanceOfBiased: Rule = {
  code: 'top-k-biased-balance',
  severity: 'error',
  summary: '`select: top_k_biased` with `balance: none`, or without a `balance`',
  check({ experiment, states }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'top_k_biased') return undefined;
    if (!states(...routerPath, 'balance')) {
      return mended(
        violation(
          `\`select: top_k_biased\` balances by its bias, but \`balance\` is \`${routed.balance}\` where absent; add \`balance: loss_free\`, or name the loss that you want beside the bias.`,
          select,
        ),
        sure(setting(balancePath, 'loss_free')),
      );
    }
    if (routed.balance !== 'none') return undefined;
    return mended(
      violation(
        '`select: top_k_biased` balances by its bias, so `balance: none` contradicts it; use `balance: loss_free`, or `select: top_k`.',
        balance,
        select,
      ),
      setting(balancePath, 'loss_free'),
      setting([...routerPath, 'select'], 'top_k'),
    );
  },
};

const hasLoss = (kind: string): boolean => kind !== 'none' && kind !== 'loss_free';

export const weightWithoutLoss: Rule = {
  code: 'balance-without-loss',
  severity: 'warning',
  summary: '`balance_weight` or `balance_scope: global` is set, but `balance: none` and `loss_free` have no loss',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed || hasLoss(routed.balance)) return undefined;
    const keys = [
      ...(routed.balance_weight > 0 ? ['balance_weight'] : []),
      ...(routed.balance_scope === 'global' ? ['balance_scope'] : []),
    ];
    return withoutEffect(input, routerPath, keys, {
      why: `\`balance: ${routed.balance}\` has no loss`,
      instead: routed.select === 'expert_choice' ? 'use `select: top_k` with a balance loss' : 'name a balance loss',
      elsewhere: [balance],
      remedies: [
        routed.balance === 'none' && routed.select !== 'expert_choice' && !routed.frozen ? setting(balancePath, 'gshard_first') : undefined,
      ],
    });
  },
};

export const lossWithoutWeight: Rule = {
  code: 'balance-weight-0',
  severity: 'warning',
  summary: 'a `balance` loss is named, but `balance_weight` is 0',
  check({ experiment, states }) {
    const routed = routerOf(experiment)?.router;
    if (!routed || !hasLoss(routed.balance) || routed.balance_weight > 0 || !states(...routerPath, 'balance')) return undefined;
    const without = routed.select === 'top_k_biased' ? 'loss_free' : 'none';
    return mended(
      violation(
        `\`balance: ${routed.balance}\` is only measured, because \`balance_weight\` is 0; give it a weight above 0, or use \`balance: ${without}\`.`,
        atValue(...routerPath, 'balance_weight'),
        balance,
      ),
      setting(weightPath, USUAL_WEIGHT),
      changing(`Set router.balance to ${without} and remove balance_weight`, set(balancePath, without), remove(weightPath)),
    );
  },
};

export const globalWithoutWeight: Rule = {
  code: 'global-weight-0',
  severity: 'warning',
  summary: '`balance_scope: global`, but `balance_weight` is 0',
  check({ experiment, states }) {
    const routed = routerOf(experiment)?.router;
    if (!routed || !hasLoss(routed.balance) || routed.balance_weight > 0 || routed.balance_scope !== 'global') return undefined;
    if (!states(...routerPath, 'balance_scope')) return undefined;
    return mended(
      violation(
        '`moe.router.balance_scope: global` changes only what is measured, because `balance_weight` is 0; give it a weight above 0, or remove the scope.',
        atKey(...routerPath, 'balance_scope'),
        atValue(...routerPath, 'balance_weight'),
      ),
      removing([...routerPath, 'balance_scope']),
      setting(weightPath, USUAL_WEIGHT),
    );
  },
};

export const globalOfOneMicrobatch: Rule = {
  code: 'global-of-one',
  severity: 'warning',
  summary: '`balance_scope: global`, but a step is one microbatch',
  check(input) {
    const { model, train } = input.experiment;
    const routed = routerOf(input.experiment)?.router;
    if (routed?.balance_scope !== 'global' || !hasLoss(routed.balance) || routed.balance_weight === 0) return undefined;
    if (train?.batch_tokens !== (train?.micro_batch ?? 0) * model.context) return undefined;
    return withoutEffect(input, routerPath, ['balance_scope'], {
      why: '`batch_tokens` is one microbatch',
      instead: 'accumulate over several',
      elsewhere: [atKey('train', 'batch_tokens')],
    });
  },
};
