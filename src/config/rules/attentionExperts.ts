import { selectionSides } from '../attentionShape';
import { atKey, atValue } from '../pathFinding';
import { changing, mended, removing, set, setting, sure } from './remedies';
import type { Rule, Violation } from './rule';
import { violation } from './rule';
import { withoutEffect } from './withoutEffect';

const path = ['model', 'attention', 'moe'] as const;

export const attentionTopK: Rule = {
  code: 'attention-top-k',
  severity: 'error',
  summary: "`attention.moe.top_k` is more than a head's `experts`",
  check({ experiment: { model } }) {
    const { moe } = model.attention;
    if (!moe || moe.top_k <= moe.experts) return undefined;
    return mended(
      violation(
        `\`attention.moe.top_k\` ${moe.top_k} is more than the ${moe.experts} experts of a head; use at most ${moe.experts}.`,
        atValue(...path, 'top_k'),
        atValue(...path, 'experts'),
      ),
      setting([...path, 'top_k'], moe.experts),
      setting([...path, 'experts'], moe.top_k),
    );
  },
};

export const projectionList: Rule = {
  code: 'attention-projections',
  severity: 'error',
  summary: '`attention.moe.projections` names one twice',
  check({ experiment: { model } }) {
    const projections = model.attention.moe?.projections ?? [];
    return projections.flatMap((name, index): Violation[] =>
      projections.indexOf(name) === index
        ? []
        : [
            mended(
              violation(`\`attention.moe.projections\` names ${name} twice; leave one out.`, atValue(...path, 'projections', index)),
              sure(
                changing(
                  `Leave out the second ${name}`,
                  set(
                    [...path, 'projections'],
                    projections.filter((_, other) => other !== index),
                  ),
                ),
              ),
            ),
          ],
    );
  },
};

export const expertsOfSharedHeads: Rule = {
  code: 'attention-experts-kv-heads',
  severity: 'error',
  summary: '`kv_heads` below `heads` with experts for keys or values',
  check({ experiment: { model } }) {
    const { moe, heads, kv_heads: shared } = model.attention;
    if (!moe || shared === undefined || shared === heads) return undefined;
    const source = moe.projections.filter((name) => name === 'key' || name === 'value');
    if (source.length === 0) return undefined;
    const others = moe.projections.filter((name) => name !== 'key' && name !== 'value');
    return mended(
      violation(
        `With experts for ${source.join(' and ')} every head selects its own, so \`attention.kv_heads\` ${shared} cannot be less than \`heads\` ${heads}; remove it, or give experts to query and output only.`,
        atKey('model', 'attention', 'kv_heads'),
        atValue(...path, 'projections'),
        atKey(...path),
      ),
      removing(['model', 'attention', 'kv_heads']),
      others.length === 0 ? undefined : setting([...path, 'projections'], others),
    );
  },
};

export const quantisedAttentionExperts: Rule = {
  code: 'attention-experts-bitnet',
  severity: 'error',
  summary: '`bitnet` with `attention.moe`',
  check({ experiment: { model } }) {
    if (!model.bitnet || !model.attention.moe) return undefined;
    return mended(
      violation(
        '`bitnet` cannot be used with `attention.moe`: how experts of attention are quantised is defined nowhere; remove one of them.',
        atKey(...path),
        atKey('model', 'bitnet'),
      ),
      removing(['model', 'bitnet']),
      removing(path),
    );
  },
};

export const sharedSelection: Rule = {
  code: 'shared-selection',
  severity: 'warning',
  summary: '`shared_selection` is set, but only one side of attention has experts',
  check(input) {
    const { moe } = input.experiment.model.attention;
    if (!moe?.shared_selection) return undefined;
    const { source, destination } = selectionSides(moe);
    if (source && destination) return undefined;
    return withoutEffect(input, path, ['shared_selection'], {
      why: `only ${moe.projections.join(' and ')} ${moe.projections.length > 1 ? 'have' : 'has'} experts, and there is one selection for each head anyway`,
      instead: `give experts to ${source ? 'output or query' : 'value or key'} too`,
      elsewhere: [atValue(...path, 'projections')],
    });
  },
};
