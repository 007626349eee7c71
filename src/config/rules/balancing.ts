import { resultingExperts, usesAllExperts } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import { hasRoutedLayer } from '../placement';
import { changing, mended, remove, set, setting } from './remedies';
import type { Rule } from './rule';
import { routerOf, routerPath, violation } from './rule';

const path = (key: string): readonly string[] => [...routerPath, key];

/** From here on a balance loss balances by itself: the weight that 2408.15664 compares its bias with. */
const BALANCING_WEIGHT = 0.001;
/** What 2101.03961 and the released code of 2411.16205 use. */
const USUAL_WEIGHT = 0.01;

/**
 * Whether anything keeps experts from being used unevenly; of frozen routers, which stay as even as they were drawn, another rule speaks.
 */
export const nothingBalances: Rule = {
  code: 'no-balance',
  severity: 'warning',
  summary: 'experts are chosen by `select: top_k`, `dynamic` or `top_p`, and nothing balances their load',
  check({ experiment, states }) {
    const routed = routerOf(experiment);
    const { model } = experiment;
    if (!routed || !hasRoutedLayer(model)) return undefined;
    const { moe, router } = routed;
    if (router.frozen || router.select === 'expert_choice' || router.select === 'top_k_biased') return undefined;
    if (usesAllExperts(model, moe) || resultingExperts(model, moe).experts < 2) return undefined;
    const named = states(...path('balance'));
    // Of a loss that is named but weighs nothing another rule speaks, and one refuses loss_free without its bias.
    if (router.balance === 'loss_free' || (router.balance !== 'none' && (named || router.balance_weight > 0))) return undefined;
    const cause = router.balance === 'none' ? '`balance: none`' : '`balance_weight: 0`';
    const alsoSet = [
      ...(router.z_loss_weight > 0 ? ['the z-loss only keeps logits small'] : []),
      ...(router.select === 'top_p' && router.entropy_weight > 0 ? ['`entropy_weight` only sharpens scores'] : []),
    ];
    const beside = alsoSet.length === 0 ? '' : ` (${alsoSet.join(', ')})`;
    return mended(
      violation(
        `With ${cause} nothing balances the load of experts${beside}: those that are chosen early learn more and are chosen more, until few are used; use a balance loss, or \`select: top_k_biased\` with \`balance: loss_free\`.`,
        atValue(...path(router.balance === 'none' ? 'balance' : 'balance_weight')),
        atValue(...path('select')),
        atKey(...routerPath),
      ),
      router.balance === 'none'
        ? changing(
            'Set router.balance to gshard_first',
            set(path('balance'), 'gshard_first'),
            ...(router.balance_weight === 0 ? [set(path('balance_weight'), USUAL_WEIGHT)] : []),
          )
        : setting(path('balance_weight'), USUAL_WEIGHT),
      router.select === 'top_k'
        ? changing(
            'Balance by a bias: set router.select to top_k_biased and router.balance to loss_free',
            set(path('select'), 'top_k_biased'),
            set(path('balance'), 'loss_free'),
            ...(states(...path('balance_weight')) ? [remove(path('balance_weight'))] : []),
          )
        : undefined,
    );
  },
};

/** DeepSeek-V3 has a loss of 0.0001 beside its bias, against extremes within a sequence: worth a word, not a warning. */
export const biasBesideLoss: Rule = {
  code: 'bias-and-loss',
  severity: 'warning',
  summary: '`select: top_k_biased` with a balance loss beside its bias (information where the weight is small)',
  check({ experiment, states }) {
    const routed = routerOf(experiment);
    if (routed?.router.select !== 'top_k_biased' || !hasRoutedLayer(experiment.model)) return undefined;
    const { balance, balance_weight: weight, balance_scope: scope } = routed.router;
    // Of a loss that nobody named another rule speaks.
    if (balance === 'none' || balance === 'loss_free' || weight === 0 || !states(...path('balance'))) return undefined;
    const small = weight < BALANCING_WEIGHT;
    const found = violation(
      `The bias of \`select: top_k_biased\` and \`balance: ${balance}\` with weight ${weight} both balance, so that neither is what explains the result${small ? '; a weight as small as this is usual against extremes only' : ', and the loss bends the router, which the bias is there to avoid (2408.15664)'}; use \`balance: loss_free\` for the bias alone.`,
      atValue(...path('balance')),
      atValue(...path('balance_weight')),
      atValue(...path('select')),
    );
    const idle = ['balance_weight', ...(scope === 'global' ? ['balance_scope'] : [])].filter((key) => states(...path(key)));
    return {
      ...mended(
        found,
        changing(
          `Set router.balance to loss_free${idle.length === 0 ? '' : ` and remove ${idle.join(' and ')}`}`,
          set(path('balance'), 'loss_free'),
          ...idle.map((key) => remove(path(key))),
        ),
        small ? undefined : setting(path('select'), 'top_k'),
      ),
      ...(small ? { severity: 'information' as const } : {}),
    };
  },
};
