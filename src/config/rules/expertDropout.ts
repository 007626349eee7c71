import { usesAllExperts } from '../moeShape';
import { atKey, atValue } from '../pathFinding';
import { mended, removing } from './remedies';
import type { Rule, Violation } from './rule';
import { routerOf, routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

const attentionPath = ['model', 'attention', 'moe'] as const;

export const expertChoiceDropout: Rule = {
  code: 'expert-choice-dropout',
  severity: 'error',
  summary: '`expert_dropout` with `select: expert_choice`',
  check({ experiment }) {
    const routed = routerOf(experiment)?.router;
    if (routed?.select !== 'expert_choice' || routed.expert_dropout === 0) return undefined;
    return mended(
      violation(
        '`router.expert_dropout` passes over experts when units choose them, and with `select: expert_choice` experts choose units; remove it.',
        atKey(...routerPath, 'expert_dropout'),
        atValue(...routerPath, 'select'),
      ),
      removing([...routerPath, 'expert_dropout']),
    );
  },
};

/** An expert that is passed over is still taken where fewer than k are left. */
export const dropoutWithoutChoice: Rule = {
  code: 'expert-dropout-all',
  severity: 'warning',
  summary: '`expert_dropout` is set, but every expert is used by every unit',
  check(input) {
    const { model } = input.experiment;
    const { moe } = model;
    const within = model.attention.moe;
    const found: (Violation | undefined)[] = [];
    if (within && within.expert_dropout > 0 && within.top_k === within.experts) {
      found.push(
        withoutEffect(input, attentionPath, ['expert_dropout'], {
          why: `every token uses each of the ${within.experts} experts of a head`,
          instead: 'use a smaller `top_k`',
          elsewhere: [atValue(...attentionPath, 'top_k')],
        }),
      );
    }
    if (moe && moe.router.expert_dropout > 0 && moe.router.select !== 'expert_choice' && usesAllExperts(model, moe)) {
      found.push(
        withoutEffect(input, routerPath, ['expert_dropout'], {
          why: `every unit uses each of the ${moe.top_k} experts`,
          instead: 'use a smaller `top_k`',
          elsewhere: [atValue('model', 'moe', 'top_k')],
        }),
      );
    }
    return found.filter((one) => one !== undefined);
  },
};
