import { choicesVary, isIsoMac, resultingExperts, usesAllExperts } from '../moeShape';
import { atValue } from '../pathFinding';
import { mended, setting } from './remedies';
import type { Rule, Violation } from './rule';
import { routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

/** Of 2411.16205's SMoE. */
const USUAL_EXPERTS = 8;

/** Its softmax is 1, and so is a weight scaled to sum 1; a sigmoid still scales what the expert gives. */
export const oneExpert: Rule = {
  code: 'one-expert',
  severity: 'warning',
  summary: 'there is one expert, so that nothing is routed',
  check({ experiment: { model } }) {
    const { moe } = model;
    if (!moe || resultingExperts(model, moe).experts > 1) return undefined;
    const weighs =
      moe.router.score === 'softmax' || moe.router.renormalize
        ? 'its weight is always 1, so the router learns nothing from the cross-entropy'
        : 'its weight only scales what it gives';
    return mended(
      violation(
        `With the one expert${isIsoMac(moe) ? ' of `ablation: iso_mac`' : ''} there is nothing to route, and ${weighs}; use at least 2 experts.`,
        atValue('model', 'moe', 'experts'),
      ),
      isIsoMac(moe) ? undefined : setting(['model', 'moe', 'experts'], USUAL_EXPERTS),
    );
  },
};

/**
 * With k = E loads are equal whatever the router says: the bias of loss-free balancing stays 0, F of the balance loss `top_k` is 1 / E and
 * the loss E sum F P = 1, and a softmax over all experts is over the chosen ones. A mixture of all experts by itself is worth no word.
 */
export const allExperts: Rule = {
  code: 'all-experts',
  severity: 'warning',
  summary: '`top_k` is as many as there are experts, which leaves `select`, `balance: top_k` or `renormalize` nothing to do',
  check(input) {
    const { model } = input.experiment;
    const { moe } = model;
    if (!moe || moe.top_k === 1 || !usesAllExperts(model, moe)) return undefined;
    const { router, top_k: k } = moe;
    const all = `with \`top_k\` ${k} every unit uses each of the ${k} experts`;
    // Widths of iso_mac depend on top_k.
    const selective = isIsoMac(moe) || choicesVary(moe) ? undefined : setting(['model', 'moe', 'top_k'], Math.max(1, Math.floor(k / 4)));
    const fewer = atValue('model', 'moe', 'top_k');
    const found: (Violation | undefined)[] = [];
    if (router.select === 'top_k_biased') {
      found.push(
        mended(
          violation(
            `The bias of \`select: top_k_biased\` has no effect, because ${all}; use a smaller \`top_k\`, or \`select: top_k\`.`,
            atValue(...routerPath, 'select'),
            fewer,
          ),
          selective,
        ),
      );
    } else if (router.select === 'expert_choice') {
      found.push(
        mended(
          violation(
            `\`select: expert_choice\` chooses nothing, because with \`top_k\` ${k} each of the ${k} experts takes every unit; use a smaller \`top_k\`.`,
            atValue(...routerPath, 'select'),
            fewer,
          ),
          selective,
        ),
      );
    }
    if (router.balance === 'top_k' && router.balance_weight > 0) {
      found.push(
        mended(
          violation(
            `\`balance: top_k\` is always 1 and balances nothing, because ${all}; use a smaller \`top_k\`, or \`balance: gshard_first\` or \`entropy\`.`,
            atValue(...routerPath, 'balance'),
            fewer,
          ),
          selective,
          setting([...routerPath, 'balance'], 'gshard_first'),
        ),
      );
    }
    if (router.renormalize && router.score === 'softmax') {
      found.push(
        withoutEffect(input, routerPath, ['renormalize'], {
          why: `${all}, whose softmax weights have the sum 1 already`,
          instead: 'use a smaller `top_k`',
          elsewhere: [fewer],
        }),
      );
    }
    return found.filter((one) => one !== undefined);
  },
};
