import { seesLaterTokens } from '../causality';
import { choicesOfWholeSum, choicesVary, isIsoMac, leastChoices, mostChoices, resultingExperts } from '../moeShape';
import { atValue } from '../pathFinding';
import type { Remedy } from '../remedy';
import type { ModelConfig } from '../schema';
import { rotating } from './position';
import { changing, mended, remove, set, setting } from './remedies';
import type { Rule, Violation } from './rule';
import { routerOf, routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

const select = atValue(...routerPath, 'select');
const importance = atValue(...routerPath, 'importance');
const at = (key: string) => atValue(...routerPath, key);

/** A column of causal attention is what a token receives from later ones; row 0 of it is 1, 0, 0, ... */
export const importanceOfCausal: Rule = {
  code: 'dynamic-importance',
  severity: 'error',
  summary: '`importance: received` or `cls_row` in a causal model, which would see later tokens or nothing',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'dynamic' || experiment.model.objective === 'masked' || !seesLaterTokens(routed.importance)) return undefined;
    const why =
      routed.importance === 'received'
        ? 'what a token receives it receives from later tokens, which a causal model must not know'
        : 'the first token sees no other in causal attention, so none would be important';
    return mended(
      violation(
        `\`importance: ${routed.importance}\` needs \`objective: masked\`: ${why}; use \`importance: entropy\` or \`row_max\`, which ask what a token itself attends to.`,
        importance,
        select,
        atValue('model', 'objective'),
      ),
      setting([...routerPath, 'importance'], 'entropy'),
      setting([...routerPath, 'importance'], 'row_max'),
    );
  },
};

export const importanceOfRelative: Rule = {
  code: 'dynamic-xl',
  severity: 'error',
  summary: '`select: dynamic` with `position: xl`',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'dynamic' || experiment.model.attention.position !== 'xl') return undefined;
    return mended(
      violation(
        '`select: dynamic` measures attention within a window, and with `position: xl` attention reaches back to the one before; use `position: rope` or `none`.',
        select,
        atValue('model', 'attention', 'position'),
      ),
      rotating(experiment.model),
      setting(['model', 'attention', 'position'], 'none'),
    );
  },
};

/** 0 < k_min <= top_k <= k_max <= experts. */
export const rangeOfChoices: Rule = {
  code: 'k-range',
  severity: 'error',
  summary: 'with `select: dynamic` or `top_p`, not `k_min` <= `top_k` <= `k_max` <= `experts`',
  check({ experiment: { model } }) {
    const { moe } = model;
    if (!moe || !choicesVary(moe)) return undefined;
    const { experts } = resultingExperts(model, moe);
    const k = moe.top_k;
    const { k_min: least, k_max: most, select: kind } = moe.router;
    const found: Violation[] = [];
    if (kind === 'dynamic' && least > k) {
      found.push(
        mended(
          violation(
            `\`router.k_min\` ${least} is more than \`top_k\` ${k}, the mean that is aimed at; use at most ${k}.`,
            at('k_min'),
            atValue('model', 'moe', 'top_k'),
          ),
          setting([...routerPath, 'k_min'], k),
        ),
      );
    }
    if (most !== undefined && most > experts) {
      found.push(
        mended(
          violation(
            `\`router.k_max\` ${most} is more than the ${experts} experts there are; use at most ${experts}.`,
            at('k_max'),
            atValue('model', 'moe', 'experts'),
          ),
          experts < k ? undefined : setting([...routerPath, 'k_max'], experts),
        ),
      );
    } else if (most !== undefined && most < k) {
      found.push(
        mended(
          violation(
            `\`router.k_max\` ${most} is less than \`top_k\` ${k}, the mean that is ${kind === 'dynamic' ? 'aimed at' : 'assumed'}; use at least ${k}.`,
            at('k_max'),
            atValue('model', 'moe', 'top_k'),
          ),
          setting([...routerPath, 'k_max'], k),
        ),
      );
    }
    return found;
  },
};

/** What only `dynamic` or `top_p` reads. */
const varyingKeys = ['importance', 'k_min', 'k_max', 'budget', 'top_p', 'entropy_weight'] as const;

export const nothingVaries: Rule = {
  code: 'k-fixed',
  severity: 'warning',
  summary: 'with `select: dynamic` or `top_p` every unit takes as many experts',
  check({ experiment: { model }, states }) {
    const { moe } = model;
    if (!moe || !choicesVary(moe)) return undefined;
    const { experts } = resultingExperts(model, moe);
    const [least, most] = [leastChoices(moe), mostChoices(model, moe)];
    // Of a single expert, and of a k_min above or a k_max below top_k, other rules speak.
    if (experts === 1 || least > moe.top_k || most < moe.top_k) return undefined;
    const { select: kind } = moe.router;
    const same = (count: number, why: string): Violation =>
      mended(
        violation(
          `With \`select: ${kind}\` every unit takes ${count} ${count === 1 ? 'expert' : 'experts'}, ${why}; use \`select: top_k\` for that.`,
          at('k_max'),
          select,
        ),
        count > moe.experts || (isIsoMac(moe) && count !== moe.top_k)
          ? undefined
          : changing(
              `Set router.select to top_k${count === moe.top_k ? '' : ` and moe.top_k to ${count}`}`,
              set([...routerPath, 'select'], 'top_k'),
              ...(count === moe.top_k ? [] : [set(['model', 'moe', 'top_k'], count)]),
              ...varyingKeys.filter((key) => states(...routerPath, key)).map((key) => remove([...routerPath, key])),
            ),
      );
    if (least === most) return same(most, 'which is both the fewest and the most it may take');
    if (choicesOfWholeSum(model, moe) !== undefined) return same(most, 'because only all of them reach `top_p: 1`');
    if (kind === 'dynamic' && model.context === 1) return same(moe.top_k, 'because in a `context` of 1 all tokens are as important');
    return undefined;
  },
};

/** What somebody who states a key of `dynamic` or `top_p` may have meant, where the rest of the config goes with it. */
function varying(model: ModelConfig, kind: 'dynamic' | 'top_p'): Remedy | undefined {
  const { moe, attention, objective } = model;
  if (!moe || moe.router.balance === 'switch' || moe.router.balance === 'loss_free') return undefined;
  const { k_min: least, k_max: most = Infinity, importance: by } = moe.router;
  if (most < moe.top_k || (most < Infinity && most > resultingExperts(model, moe).experts)) return undefined;
  const unfit = least > moe.top_k || attention.position === 'xl' || (objective === 'causal' && seesLaterTokens(by));
  return kind === 'dynamic' && unfit ? undefined : setting([...routerPath, 'select'], kind);
}

export const onlyForDynamic: Rule = {
  code: 'only-for-dynamic',
  severity: 'warning',
  summary: '`importance`, `k_min`, `k_max` or `budget` is set, but `select` does not use it',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed || routed.select === 'dynamic') return undefined;
    const keys = ['importance', 'k_min', ...(routed.budget ? ['budget'] : []), ...(routed.select === 'top_p' ? [] : ['k_max'])];
    return withoutEffect(input, routerPath, keys, {
      why:
        routed.select === 'top_p'
          ? 'with `select: top_p` a unit takes at least one expert, whatever attention says'
          : `with \`select: ${routed.select}\` units do not vary in how many experts they take`,
      instead: 'use `select: dynamic`',
      elsewhere: [select],
      remedies: [varying(input.experiment.model, 'dynamic')],
    });
  },
};

export const onlyForTopP: Rule = {
  code: 'only-for-top-p',
  severity: 'warning',
  summary: '`top_p` or `entropy_weight` is set, but only `select: top_p` uses it',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed || routed.select === 'top_p') return undefined;
    const keys = ['top_p', ...(routed.entropy_weight > 0 ? ['entropy_weight'] : [])];
    return withoutEffect(input, routerPath, keys, {
      why: `\`select: ${routed.select}\` does not add up scores`,
      instead: 'use `select: top_p`',
      elsewhere: [select],
      remedies: [varying(input.experiment.model, 'top_p')],
    });
  },
};

export const spreadingRouter: Rule = {
  code: 'top-p-entropy',
  severity: 'information',
  summary: '`select: top_p` with `entropy_weight: 0`, where the router can spread to use more experts',
  check({ experiment }) {
    const routed = routerOf(experiment);
    if (routed?.router.select !== 'top_p' || routed.router.entropy_weight > 0) return undefined;
    // A router that stays as it is does not spread, and where nothing varies another rule speaks.
    if (routed.router.frozen || mostChoices(experiment.model, routed.moe) === 1) return undefined;
    return mended(
      violation(
        'With `select: top_p` and `entropy_weight: 0` nothing keeps the router from even scores, with which every unit uses more experts and more compute; 2403.07652 uses 0.0001.',
        at('entropy_weight'),
        select,
      ),
      setting([...routerPath, 'entropy_weight'], 0.0001),
    );
  },
};

export const topPOfSigmoid: Rule = {
  code: 'top-p-sigmoid',
  severity: 'warning',
  summary: '`select: top_p` with `score: sigmoid`, whose scores do not add up to 1',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'top_p' || routed.score !== 'sigmoid') return undefined;
    return mended(
      violation(
        `With \`score: sigmoid\` the scores of a unit add up to anything between 0 and the number of experts, so \`top_p\` ${routed.top_p} is no share of them: one expert may reach it, or all may not; use \`score: softmax\`.`,
        at('score'),
        select,
      ),
      setting([...routerPath, 'score'], 'softmax'),
    );
  },
};
