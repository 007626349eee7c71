import { nearestDivisors, nearestDivisorUpTo, nearestMultiples, nearestThatFit } from '../divisibility';
import { isoMacWidening, matricesPerExpert, projectionsLeftOut } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import type { MoeConfig } from '../schema';
import { mended, setting } from './remedies';
import type { Rule } from './rule';
import { violation } from './rule';
import { withoutEffect } from './withoutEffect';

export const moeHeads: Rule = {
  code: 'moe-heads',
  severity: 'error',
  summary: '`d_model` is not divisible by `moe.heads`',
  check({ experiment: { model } }) {
    const { moe } = model;
    if (moe?.kind !== 'mh-moe' || model.d_model % moe.heads === 0) return undefined;
    return mended(
      violation(
        `\`model.d_model\` ${model.d_model} is not divisible by \`moe.heads\` ${moe.heads}, so a token cannot be split into that many sub-tokens; use ${nearestDivisors(model.d_model, moe.heads)} heads, or a width of ${nearestMultiples(model.d_model, moe.heads)}.`,
        atValue('model', 'moe', 'heads'),
        atValue('model', 'd_model'),
      ),
      ...nearestThatFit(moe.heads, model.d_model, (count) => count > 1 && model.d_model % count === 0).map((count) =>
        setting(['model', 'moe', 'heads'], count),
      ),
    );
  },
};

/** What smoe does without: a key matters where it differs from that. */
const plainMoe = {
  heads: 1,
  head_layer: true,
  merge_layer: true,
  projection_bias: false,
  inner_residual: false,
  ablation: 'remove_only',
} satisfies Partial<MoeConfig>;

const multiHeadKeys = Object.keys(plainMoe) as readonly (keyof typeof plainMoe)[];

export const onlyForMultiHead: Rule = {
  code: 'only-for-mh-moe',
  severity: 'warning',
  summary: `${multiHeadKeys.map((key) => `\`${key}\``).join(', ')}: one is set, but \`kind: smoe\` does not use it`,
  check(input) {
    const { model } = input.experiment;
    const { moe } = model;
    if (moe?.kind !== 'smoe') return undefined;
    const set = multiHeadKeys.filter((key) => moe[key] !== plainMoe[key]);
    return withoutEffect(input, ['model', 'moe'], set, {
      why: '`kind: smoe` routes whole tokens',
      instead: 'use `kind: mh-moe`',
      elsewhere: [atValue('model', 'moe', 'kind')],
      remedies: [model.d_model % moe.heads === 0 ? setting(['model', 'moe', 'kind'], 'mh-moe') : undefined],
    });
  },
};

/** The number of experts needs no rule: that it never falls below k, `resultingExperts` says. */
export const isoMacWidth: Rule = {
  code: 'iso-mac-width',
  severity: 'error',
  summary: '`ablation: iso_mac` would widen the experts by a fraction',
  check({ experiment: { model } }) {
    const { moe } = model;
    if (moe?.kind !== 'mh-moe' || moe.ablation !== 'iso_mac') return undefined;
    const left = projectionsLeftOut(moe);
    const matrices = matricesPerExpert(model);
    const { freed, shared } = isoMacWidening(model, moe);
    if (freed % shared === 0) return undefined;
    const near = freed % matrices === 0 ? nearestDivisorUpTo(freed / matrices, moe.top_k, moe.experts) : undefined;
    const use =
      near === undefined ? `a \`d_model\` that ${shared} divides` : `a \`top_k\` of ${near}, or a \`d_model\` that ${shared} divides`;
    return mended(
      violation(
        `\`ablation: iso_mac\` would widen each expert by ${left} d_model / (${matrices} top_k) = ${freed} / ${shared}, which is no whole number; use ${use}, or \`ablation: remove_only\`.`,
        atValue('model', 'moe', 'ablation'),
        atValue('model', 'moe', 'top_k'),
      ),
      near === undefined ? undefined : setting(['model', 'moe', 'top_k'], near),
      setting(['model', 'moe', 'ablation'], 'remove_only'),
    );
  },
};

export const nothingLeftOut: Rule = {
  code: 'ablation-without-effect',
  severity: 'warning',
  summary: '`ablation: iso_mac` changes nothing while both the head and the merge layer are there',
  check(input) {
    const { moe } = input.experiment.model;
    if (moe?.kind !== 'mh-moe' || moe.ablation !== 'iso_mac' || projectionsLeftOut(moe) > 0) return undefined;
    return withoutEffect(input, ['model', 'moe'], ['ablation'], {
      why: 'both the head and the merge layer are there',
      instead: 'say `head_layer: false` or `merge_layer: false`',
      elsewhere: [],
    });
  },
};

export const biasOfNothing: Rule = {
  code: 'projection-bias',
  severity: 'warning',
  summary: '`projection_bias` is set, but neither the head nor the merge layer is there',
  check(input) {
    const { moe } = input.experiment.model;
    if (moe?.kind !== 'mh-moe' || !moe.projection_bias || projectionsLeftOut(moe) < 2) return undefined;
    return withoutEffect(input, ['model', 'moe'], ['projection_bias'], {
      why: 'both the head and the merge layer are left out',
      instead: 'keep one of them',
      elsewhere: [atKey('model', 'moe', 'head_layer'), atKey('model', 'moe', 'merge_layer')],
    });
  },
};
