import { atKey, atValue } from '../pathFinding';
import type { Rule } from './rule';
import { hasRoutedLayer, routerOf, violation } from './rule';
import { withoutEffect } from './withoutEffect';

const router = ['model', 'moe', 'router'] as const;
const select = atValue(...router, 'select');

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
    const unitsPerToken = moe.kind === 'mh-moe' ? moe.heads : 1;
    const units = train.micro_batch * model.context * unitsPerToken;
    if (moe.top_k * units >= moe.experts) return undefined;
    const windows = Math.ceil(moe.experts / (moe.top_k * model.context * unitsPerToken));
    return violation(
      `With \`select: expert_choice\` each expert takes \`top_k\` * units / \`experts\` = ${moe.top_k} * ${units} / ${moe.experts} units of a microbatch, which is less than one; use a \`micro_batch\` of at least ${windows}, or at most ${moe.top_k * units} experts.`,
      atValue('train', 'micro_batch'),
      select,
      atValue(...router.slice(0, 2), 'experts'),
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
    return violation(
      '`router.renormalize` cannot be used with `select: expert_choice`, where a unit has any number of experts, or none; remove it.',
      atKey(...router, 'renormalize'),
      select,
    );
  },
};

export const renormalizedSingle: Rule = {
  code: 'renormalize-top-1',
  severity: 'warning',
  summary: '`renormalize` with `top_k: 1`: the weight is always 1, so the router learns nothing from the loss',
  check({ experiment }) {
    const routed = routerOf(experiment);
    if (!routed || routed.moe.top_k > 1 || !routed.router.renormalize || routed.router.select === 'expert_choice') return undefined;
    return violation(
      'With `renormalize` and `top_k: 1` every weight is 1, so the router learns nothing from the cross-entropy; remove `renormalize`, or use a `top_k` of at least 2.',
      atKey(...router, 'renormalize'),
      atValue('model', 'moe', 'top_k'),
    );
  },
};

export const expertChoiceNotCausal: Rule = {
  code: 'not-causal',
  severity: 'warning',
  summary: 'outputs depend on later tokens: `select: expert_choice`, or `capacity_in_evaluation` with `first_choice` and `top_k` above 1',
  check({ experiment }) {
    const routed = routerOf(experiment);
    if (!routed || experiment.model.objective === 'masked' || !hasRoutedLayer(experiment)) return undefined;
    const { moe, router: options } = routed;
    const consequence = "so this model's perplexity cannot be compared with that of a causal one";
    if (options.select === 'expert_choice') {
      return violation(
        `With \`select: expert_choice\` whether an expert takes a token depends on later tokens, ${consequence}; use \`select: top_k\` for that.`,
        select,
      );
    }
    const drops = options.capacity_factor !== undefined && options.capacity_in_evaluation;
    if (!drops || options.capacity_priority !== 'first_choice' || moe.top_k === 1) return undefined;
    return violation(
      `With \`capacity_in_evaluation\`, \`capacity_priority: first_choice\` and \`top_k\` ${moe.top_k}, the first choices of later tokens displace the other choices of earlier ones, ${consequence}; use \`capacity_priority: position\`, or remove \`capacity_in_evaluation\`.`,
      atKey(...router, 'capacity_in_evaluation'),
      atKey(...router, 'capacity_priority'),
      atValue('model', 'moe', 'top_k'),
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
    return withoutEffect(input, router, ['dimension', 'temperature', 'learn_temperature'], {
      why: 'a linear router has neither a reduced input nor a temperature',
      instead: 'use `type: cosine`',
      elsewhere: [atValue(...router, 'type')],
    });
  },
};

export const onlyForBiased: Rule = {
  code: 'only-for-top-k-biased',
  severity: 'warning',
  summary: '`bias_rate` or `bias_update` is set, but only `select: top_k_biased` has a bias',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed || routed.select === 'top_k_biased') return undefined;
    return withoutEffect(input, router, ['bias_rate', 'bias_update'], {
      why: `\`select: ${routed.select}\` has no bias`,
      instead: 'use `select: top_k_biased`',
      elsewhere: [select],
    });
  },
};

/** The control experiment for what routing learns: worth a word, since its figures look like any other's. */
export const frozenRouter: Rule = {
  code: 'frozen-router',
  severity: 'warning',
  summary: '`frozen`: the router stays random',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (!routed?.frozen || routed.select === 'top_k_biased') return undefined;
    const balances = routed.balance !== 'none' && routed.balance !== 'loss_free' && routed.balance_weight > 0;
    const pulling = [...(balances ? ['`balance: none`'] : []), ...(routed.z_loss_weight > 0 ? ['`z_loss_weight: 0`'] : [])];
    const advice = pulling.length === 0 ? '' : `; its losses still pull at the layers below, so add ${pulling.join(' and ')}`;
    return violation(
      `With \`router.frozen\` the router stays as it was initialised, which is the control experiment for what routing learns${advice}.`,
      atKey(...router, 'frozen'),
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
    return violation(
      '`router.frozen` cannot be used with `select: top_k_biased`, whose bias would still move; use `select: top_k` with `balance: none`.',
      atKey(...router, 'frozen'),
      select,
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
    return withoutEffect(input, router, ['learn_temperature'], {
      why: 'the router is frozen',
      instead: 'remove `frozen`',
      elsewhere: [atKey(...router, 'frozen')],
    });
  },
};
