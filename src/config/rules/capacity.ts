import { canDrop, isIsoMac, mostChoices, resultingExperts } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import { hasRoutedLayer } from '../placement';
import { changing, mended, removing, set } from './remedies';
import type { Rule } from './rule';
import { routerOf, routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

export const capacityOfExpertChoice: Rule = {
  code: 'expert-choice-capacity',
  severity: 'error',
  summary: '`capacity_factor` with `select: expert_choice`, where every expert takes as many units',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'expert_choice' || routed.capacity_factor === undefined) return undefined;
    return mended(
      violation(
        '`router.capacity_factor` cannot be used with `select: expert_choice`, where every expert takes `top_k` * units / `experts` units; remove it, and choose `top_k` instead.',
        atKey(...routerPath, 'capacity_factor'),
        atValue(...routerPath, 'select'),
      ),
      removing([...routerPath, 'capacity_factor']),
    );
  },
};

export const onlyWithCapacity: Rule = {
  code: 'only-with-capacity',
  severity: 'warning',
  summary: '`capacity_priority` or `capacity_in_evaluation` is set, but without `capacity_factor` nothing is dropped',
  check(input) {
    const routed = routerOf(input.experiment)?.router;
    if (!routed || routed.capacity_factor !== undefined) return undefined;
    const keys = ['capacity_priority', ...(routed.capacity_in_evaluation ? ['capacity_in_evaluation'] : [])];
    return withoutEffect(input, routerPath, keys, {
      why: 'without `capacity_factor` nothing is dropped',
      instead: 'add `capacity_factor`',
      elsewhere: [],
    });
  },
};

export const ampleCapacity: Rule = {
  code: 'ample-capacity',
  severity: 'warning',
  summary: '`capacity_factor` is so large that nothing is ever dropped',
  check(input) {
    const routed = routerOf(input.experiment);
    if (!routed || routed.router.capacity_factor === undefined || routed.router.select === 'expert_choice') return undefined;
    const { model } = input.experiment;
    const { moe } = routed;
    const { experts } = resultingExperts(model, moe);
    if (moe.top_k > experts || canDrop(model, moe)) return undefined;
    const count = isIsoMac(moe) ? `the ${experts} experts of \`ablation: iso_mac\`` : '`experts`';
    return withoutEffect(input, routerPath, ['capacity_factor'], {
      why: `from ${count} / \`top_k\` = ${Number((experts / moe.top_k).toPrecision(4))} on an expert could take every unit`,
      instead: 'use less',
      elsewhere: [atValue('model', 'moe', 'top_k')],
    });
  },
};

export const priorityOfOne: Rule = {
  code: 'capacity-priority-top-1',
  severity: 'warning',
  summary: '`capacity_priority: position` with `top_k: 1`, where both orders are the same',
  check(input) {
    const routed = routerOf(input.experiment);
    if (!routed || routed.router.capacity_factor === undefined) return undefined;
    if (mostChoices(input.experiment.model, routed.moe) > 1 || routed.router.capacity_priority === 'first_choice') return undefined;
    return withoutEffect(input, routerPath, ['capacity_priority'], {
      why: 'with `top_k: 1` every choice is a first one',
      instead: 'use a `top_k` of at least 2',
      elsewhere: [atValue('model', 'moe', 'top_k')],
    });
  },
};

/** Training and evaluation then run different models; the released code of 2411.16205 drops in both. */
export const capacityInTrainingOnly: Rule = {
  code: 'evaluation-capacity',
  severity: 'information',
  summary: '`capacity_factor` drops units in training, and without `capacity_in_evaluation` none in evaluation',
  check({ experiment: { model }, states }) {
    const { moe } = model;
    if (!moe || moe.router.capacity_in_evaluation || !hasRoutedLayer(model) || !canDrop(model, moe)) return undefined;
    const { capacity_factor: factor, capacity_priority: priority } = moe.router;
    const path = (key: string): readonly string[] => [...routerPath, key];
    // Else first choices of later tokens displace other choices of earlier ones.
    const byPosition = model.objective === 'causal' && priority === 'first_choice' && mostChoices(model, moe) > 1;
    return mended(
      violation(
        `\`capacity_factor\` ${factor ?? ''} drops units in training and none in evaluation, so what is validated is not quite what is trained (the released code of 2411.16205 drops in both); remove it to drop nowhere, or add \`capacity_in_evaluation: true\`${byPosition ? ' with `capacity_priority: position`' : ''}.`,
        atKey(...routerPath, 'capacity_factor'),
      ),
      changing(
        `Drop in evaluation too${byPosition ? ', by position' : ''}`,
        set(path('capacity_in_evaluation'), true),
        ...(byPosition ? [set(path('capacity_priority'), 'position')] : []),
      ),
      removing(...['capacity_factor', 'capacity_priority'].filter((key) => states(...routerPath, key)).map(path)),
    );
  },
};
