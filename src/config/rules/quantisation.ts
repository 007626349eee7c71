import { atValue } from '../pathFinding';
import type { Rule } from './rule';
import { withoutEffect } from './withoutEffect';

export const quantizedProjections: Rule = {
  code: 'quantize-head-merge',
  severity: 'warning',
  summary: '`quantize_head_merge` is set, but there is neither a head nor a merge layer',
  check(input) {
    const { bitnet, moe } = input.experiment.model;
    const present = moe?.kind === 'mh-moe' && (moe.head_layer || moe.merge_layer);
    if (!bitnet?.quantize_head_merge || present) return undefined;
    return withoutEffect(input, ['model', 'bitnet'], ['quantize_head_merge'], {
      why: 'there is neither a head nor a merge layer',
      instead: 'use `kind: mh-moe` with one of them',
      elsewhere: [atValue('model', 'moe', 'kind')],
    });
  },
};
