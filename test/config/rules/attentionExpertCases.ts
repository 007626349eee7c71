import type { Case } from './changes';
import { attentionExperts, masked, router } from './changes';

export const attentionExpertCases: readonly Case[] = [
  {
    of: 'attention-top-k',
    changes: attentionExperts({ top_k: 5 }),
    says: '[5] error attention-top-k: `attention.moe.top_k` 5 is more than the 4 experts of a head; use at most 4.',
  },
  {
    of: 'attention-projections',
    changes: attentionExperts({ projections: ['value', 'output', 'value'] }),
    says: '[value] error attention-projections: `attention.moe.projections` names value twice; leave one out.',
  },
  {
    of: 'attention-experts-kv-heads',
    changes: attentionExperts({}, { kv_heads: 2 }),
    says: '[kv_heads] error attention-experts-kv-heads: With experts for value every head selects its own, so `attention.kv_heads` 2 cannot be less than `heads` 4; remove it, or give experts to query and output only.',
  },
  {
    of: 'attention-experts-kv-heads',
    changes: attentionExperts({ projections: ['key', 'value', 'output'] }, { kv_heads: 2 }),
    says: '[kv_heads] error attention-experts-kv-heads: With experts for key and value every head selects its own, so `attention.kv_heads` 2 cannot be less than `heads` 4; remove it, or give experts to query and output only.',
  },
  {
    of: 'attention-experts-bitnet',
    changes: { ...attentionExperts({}), 'model.bitnet': {} },
    says: '[moe] error attention-experts-bitnet: `bitnet` cannot be used with `attention.moe`: how experts of attention are quantised is defined nowhere; remove one of them.',
  },
  {
    of: 'shared-selection',
    changes: attentionExperts({ projections: ['value'], shared_selection: true }),
    says: '[shared_selection] warning shared-selection: `attention.moe.shared_selection: true` has no effect, because only value has experts, and there is one selection for each head anyway; give experts to output or query too, or remove it.',
  },
  {
    of: 'shared-selection',
    changes: attentionExperts({ projections: ['query', 'output'], shared_selection: true }),
    says: '[shared_selection] warning shared-selection: `attention.moe.shared_selection: true` has no effect, because only query and output have experts, and there is one selection for each head anyway; give experts to value or key too, or remove it.',
  },
  {
    of: 'expert-dropout-all',
    changes: attentionExperts({ top_k: 4, expert_dropout: 0.1 }),
    says: '[expert_dropout] warning expert-dropout-all: `attention.moe.expert_dropout: 0.1` has no effect, because every token uses each of the 4 experts of a head; use a smaller `top_k`, or remove it.',
  },
  {
    of: 'expert-dropout-all',
    changes: { ...router({ expert_dropout: 0.1 }), 'model.moe.top_k': 8 },
    says: '[expert_dropout] warning expert-dropout-all: `moe.router.expert_dropout: 0.1` has no effect, because every unit uses each of the 8 experts; use a smaller `top_k`, or remove it.',
  },
  {
    of: 'expert-choice-dropout',
    changes: { ...router({ expert_dropout: 0.1, select: 'expert_choice', balance: 'none' }), ...masked },
    says: '[expert_dropout] error expert-choice-dropout: `router.expert_dropout` passes over experts when units choose them, and with `select: expert_choice` experts choose units; remove it.',
  },
];
