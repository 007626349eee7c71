import { nearestDivisors, nearestDivisorUpTo, nearestMultiples, nearestThatFit } from '../divisibility';
import { isoMacWidening, matricesPerExpert, projectionsLeftOut, resultingExperts } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import type { MoeConfig } from '../schema';
import { changing, mended, remove, set, setting } from './remedies';
import type { Rule } from './rule';
import { violation } from './rule';
import { listed, withoutEffect } from './withoutEffect';

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

/**
 * Of one head every token is one sub-token. The released command of 2411.16205 never passes the number of heads, and trains an SMoE; rows
 * of its Table 4, SMoE between two projections, are meant so.
 */
export const oneHead: Rule = {
  code: 'mh-moe-one-head',
  severity: 'warning',
  summary: '`kind: mh-moe` with one head, which splits nothing: an SMoE between two projections',
  check({ experiment: { model }, states }) {
    const { moe } = model;
    // Of a single expert another rule speaks.
    if (moe?.kind !== 'mh-moe' || moe.heads > 1 || resultingExperts(model, moe).experts < 2) return undefined;
    const path = (key: string): readonly string[] => ['model', 'moe', key];
    const projections = ['no projections', 'one projection', 'two projections'][2 - projectionsLeftOut(moe)] ?? '';
    const stated = states(...path('heads'));
    const idle = multiHeadKeys.filter((key) => states(...path(key)));
    return mended(
      violation(
        `\`kind: mh-moe\` ${stated ? 'with `heads: 1`' : 'without `heads` has one head and'} splits no token, so this is an SMoE with ${projections} around it, as the released command of 2411.16205 trains, which passes no number of heads; ${stated ? 'use' : 'state'} \`heads\` of at least 2, or use \`kind: smoe\`.`,
        atValue(...path('heads')),
        atValue(...path('kind')),
      ),
      ...[2, 3, 4].filter((count) => model.d_model % count === 0).map((count) => setting(path('heads'), count)),
      changing(
        `Set moe.kind to smoe${idle.length === 0 ? '' : ` and remove ${listed(idle)}`}`,
        set(path('kind'), 'smoe'),
        ...idle.map((key) => remove(path(key))),
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
