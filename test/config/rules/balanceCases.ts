import type { Case } from './changes';
import { router } from './changes';

export const balanceCases: readonly Case[] = [
  {
    of: 'top-k-biased-balance',
    changes: router({ select: 'top_k_biased' }),
    says: '[top_k_biased] error top-k-biased-balance: `select: top_k_biased` balances by its bias, but `balance` is `gshard_first` where absent; add `balance: loss_free`, or name the loss that you want beside the bias.',
  },
  {
    of: 'top-k-biased-balance',
    changes: router({ select: 'top_k_biased', balance: 'none' }),
    says: '[none] error top-k-biased-balance: `select: top_k_biased` balances by its bias, so `balance: none` contradicts it; use `balance: loss_free`, or `select: top_k`.',
  },
  {
    of: 'loss-free-select',
    changes: router({ balance: 'loss_free' }),
    says: '[loss_free] error loss-free-select: `balance: loss_free` balances by the bias of `select: top_k_biased`, which `select: top_k` does not have; add `select: top_k_biased`.',
  },
  {
    of: 'switch-top-k',
    changes: router({ balance: 'switch' }),
    says: '[switch] error switch-top-k: `balance: switch` is for `top_k: 1`, and here it is 2; use `balance: top_k` to count all choices, or `gshard_first` to count the first.',
  },
  {
    of: 'balance-without-loss',
    changes: router({ balance: 'none', balance_weight: 0.02, balance_scope: 'global' }),
    says: [
      '[none] warning no-balance: With `balance: none` nothing balances the load of experts: those that are chosen early learn more and are chosen more, until few are used; use a balance loss, or `select: top_k_biased` with `balance: loss_free`.',
      '[balance_weight] warning balance-without-loss: `moe.router.balance_weight: 0.02` and `moe.router.balance_scope: global` have no effect, because `balance: none` has no loss; name a balance loss, or remove them.',
    ],
  },
  {
    of: 'balance-weight-0',
    changes: router({ balance: 'entropy', balance_weight: 0 }),
    says: '[0] warning balance-weight-0: `balance: entropy` is only measured, because `balance_weight` is 0; give it a weight above 0, or use `balance: none`.',
  },
  {
    of: 'balance-weight-0',
    changes: router({ select: 'top_k_biased', balance: 'top_k', balance_weight: 0 }),
    says: '[0] warning balance-weight-0: `balance: top_k` is only measured, because `balance_weight` is 0; give it a weight above 0, or use `balance: loss_free`.',
  },
  {
    of: 'global-weight-0',
    changes: router({ balance_weight: 0, balance_scope: 'global' }),
    says: [
      '[0] warning no-balance: With `balance_weight: 0` nothing balances the load of experts: those that are chosen early learn more and are chosen more, until few are used; use a balance loss, or `select: top_k_biased` with `balance: loss_free`.',
      '[balance_scope] warning global-weight-0: `moe.router.balance_scope: global` changes only what is measured, because `balance_weight` is 0; give it a weight above 0, or remove the scope.',
    ],
  },
  {
    of: 'balance-without-loss',
    changes: {
      ...router({ select: 'expert_choice', balance: 'none', balance_weight: 0.1 }),
      'model.objective': 'masked',
      'model.vocabulary': 257,
    },
    says: '[balance_weight] warning balance-without-loss: `moe.router.balance_weight: 0.1` has no effect, because `balance: none` has no loss; use `select: top_k` with a balance loss, or remove it.',
  },
  {
    of: 'global-of-one',
    changes: { ...router({ balance_scope: 'global' }), 'train.batch_tokens': 32 },
    says: '[balance_scope] warning global-of-one: `moe.router.balance_scope: global` has no effect, because `batch_tokens` is one microbatch; accumulate over several, or remove it.',
  },
  {
    of: 'no-balance',
    changes: router({ balance: 'none' }),
    says: '[none] warning no-balance: With `balance: none` nothing balances the load of experts: those that are chosen early learn more and are chosen more, until few are used; use a balance loss, or `select: top_k_biased` with `balance: loss_free`.',
  },
  {
    of: 'no-balance',
    changes: router({ balance: 'none', z_loss_weight: 0.001 }),
    says: '[none] warning no-balance: With `balance: none` nothing balances the load of experts (the z-loss only keeps logits small): those that are chosen early learn more and are chosen more, until few are used; use a balance loss, or `select: top_k_biased` with `balance: loss_free`.',
  },
  {
    of: 'no-balance',
    changes: router({ balance_weight: 0 }),
    says: '[0] warning no-balance: With `balance_weight: 0` nothing balances the load of experts: those that are chosen early learn more and are chosen more, until few are used; use a balance loss, or `select: top_k_biased` with `balance: loss_free`.',
  },
  {
    of: 'bias-and-loss',
    changes: router({ select: 'top_k_biased', balance: 'top_k' }),
    says: '[top_k] warning bias-and-loss: The bias of `select: top_k_biased` and `balance: top_k` with weight 0.01 both balance, so that neither is what explains the result, and the loss bends the router, which the bias is there to avoid (2408.15664); use `balance: loss_free` for the bias alone.',
  },
  {
    of: 'bias-and-loss',
    // DeepSeek-V3.
    changes: router({ select: 'top_k_biased', balance: 'top_k', balance_weight: 0.0001, score: 'sigmoid' }),
    says: '[top_k] information bias-and-loss: The bias of `select: top_k_biased` and `balance: top_k` with weight 0.0001 both balance, so that neither is what explains the result; a weight as small as this is usual against extremes only; use `balance: loss_free` for the bias alone.',
  },
];
