import { isIsoMac, mostChoices, resultingExperts, unitsPerToken, usesAllExperts } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import { changing, mended, removing, set, setting } from './remedies';
import { most } from '../schemaBounds';
import type { Rule } from './rule';
import { routerOf, routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

const select = atValue(...routerPath, 'select');

/** Each expert takes k * units / experts units, at least one. */
export const expertChoiceUnits: Rule = {
  code: 'expert-choice-units',
  severity: 'error',
  summary: 'with `select: expert_choice` a microbatch has too few units for each expert to take one',
  check({ experiment }) {
    const routed = routerOf(experiment);
    const { model, train } = experiment;
    if (routed?.router.select !== 'expert_choice' || !train) return undefined;
    const { moe } = routed;
    const unitsPerWindow = model.context * unitsPerToken(moe);
    const units = train.micro_batch * unitsPerWindow;
    const { experts } = resultingExperts(model, moe);
    if (moe.top_k * units >= experts) return undefined;
    const windows = Math.ceil(experts / (moe.top_k * unitsPerWindow));
    const [count, fewer] = isIsoMac(moe)
      ? [`the ${experts} experts of \`ablation: iso_mac\``, 'fewer']
      : ['`experts`', `at most ${moe.top_k * units}`];
    return mended(
      violation(
        `With \`select: expert_choice\` each expert takes \`top_k\` * units / ${count} = ${moe.top_k} * ${units} / ${experts} units of a microbatch, which is less than one; use a \`micro_batch\` of at least ${windows}, or ${fewer} experts.`,
        atValue('train', 'micro_batch'),
        select,
        atValue('model', 'moe', 'experts'),
      ),
      windows > most.windows
        ? undefined
        : changing(
            `Set train.micro_batch to ${windows}`,
            set(['train', 'micro_batch'], windows),
            ...(train.batch_tokens % (windows * model.context) === 0
              ? []
              : [set(['train', 'batch_tokens'], Math.ceil(train.batch_tokens / (windows * model.context)) * windows * model.context)]),
          ),
      isIsoMac(moe) ? undefined : setting(['model', 'moe', 'experts'], moe.top_k * units),
    );
  },
};

export const expertChoiceRenormalized: Rule = {
  code: 'expert-choice-renormalize',
  severity: 'error',
  summary: '`renormalize` with `select: expert_choice`, where a unit may have no expert',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'expert_choice' || !routed.renormalize) return undefined;
    return mended(
      violation(
        '`router.renormalize` cannot be used with `select: expert_choice`, where a unit has any number of experts, or none; remove it.',
        atKey(...routerPath, 'renormalize'),
        select,
      ),
      removing([...routerPath, 'renormalize']),
    );
  },
};

export const renormalizedSingle: Rule = {
  code: 'renormalize-top-1',
  severity: 'warning',
  summary: '`renormalize` with `top_k: 1`: the weight is always 1, so the router learns nothing from the loss',
  check({ experiment }) {
    const routed = routerOf(experiment);
    if (!routed || !routed.router.renormalize || routed.router.select === 'expert_choice') return undefined;
    if (mostChoices(experiment.model, routed.moe) > 1) return undefined;
    // Of a single expert another rule speaks.
    if (usesAllExperts(experiment.model, routed.moe)) return undefined;
    return mended(
      violation(
        'With `renormalize` and `top_k: 1` every weight is 1, so the router learns nothing from the cross-entropy; remove `renormalize`, or use a `top_k` of at least 2.',
        atKey(...routerPath, 'renormalize'),
        atValue('model', 'moe', 'top_k'),
      ),
      removing([...routerPath, 'renormalize']),
    );
  },
};

export const onlyForCosine: Rule = {
  code: 'only-for-cosine',
  severity: 'warning',
  summary: '`dimension`, `temperature` or `learn_temperature` is set, but `type: linear` does not use it',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (routed?.type !== 'linear') return undefined;
    return withoutEffect(input, routerPath, ['dimension', 'temperature', 'learn_temperature'], {
      why: 'a linear router has neither a reduced input nor a temperature',
      instead: 'use `type: cosine`',
      elsewhere: [atValue(...routerPath, 'type')],
      remedies: [setting([...routerPath, 'type'], 'cosine')],
    });
  },
};

/** 2404.15045 Table 9. */
const USUAL_DIMENSION = 16;

/** u / |u| of a number is its sign: all logits are 1 / temperature or -1 / temperature, and have no gradient. */
export const cosineOfNumbers: Rule = {
  code: 'cosine-dimension-1',
  severity: 'warning',
  summary: '`type: cosine` with `dimension: 1`, where a cosine is only 1 or -1',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.type !== 'cosine' || routed.dimension > 1) return undefined;
    return mended(
      violation(
        'With `router.dimension: 1` a cosine is only 1 or -1, so units and experts differ by a sign that training hardly moves; use at least 2.',
        atValue(...routerPath, 'dimension'),
        atValue(...routerPath, 'type'),
      ),
      setting([...routerPath, 'dimension'], USUAL_DIMENSION),
    );
  },
};

export const onlyForBiased: Rule = {
  code: 'only-for-top-k-biased',
  severity: 'warning',
  summary: '`bias_rate` or `bias_update` is set, but only `select: top_k_biased` has a bias',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed || routed.select === 'top_k_biased') return undefined;
    return withoutEffect(input, routerPath, ['bias_rate', 'bias_update'], {
      why: `\`select: ${routed.select}\` has no bias`,
      instead: 'use `select: top_k_biased`',
      elsewhere: [select],
      remedies: [
        routed.frozen || routed.select === 'expert_choice'
          ? undefined
          : changing(
              'Set router.select to top_k_biased and router.balance to loss_free',
              set([...routerPath, 'select'], 'top_k_biased'),
              set([...routerPath, 'balance'], 'loss_free'),
            ),
      ],
    });
  },
};
