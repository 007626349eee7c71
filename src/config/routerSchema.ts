import * as z from 'zod';
import { count, most } from './schemaBounds';

export const routerSchema = z
  .strictObject({
    type: z
      .enum(['linear', 'cosine'])
      .default('linear')
      .describe(
        'linear: logits are W x. cosine: logits are the cosine of a reduced input W x and the expert vectors, over a temperature (X-MoE, 2204.09179; used by 2404.15045).',
      ),
    dimension: count(most.width)
      .default(16)
      .describe('cosine: width of the reduced input and of the expert vectors. 2404.15045 uses 16, and 16 / heads for MH-MoE.'),
    temperature: z
      .number()
      .min(0.001)
      .max(1000)
      .default(0.3)
      .describe('cosine: the temperature at the start. 2404.15045 uses 0.3 for softmax, 0.07 for sigmoid.'),
    learn_temperature: z.boolean().default(true).describe('cosine: train the temperature (its logarithm).'),
    score: z
      .enum(['softmax', 'sigmoid'])
      .default('softmax')
      .describe('How logits become scores, over all experts. A chosen expert weighs with its score.'),
    select: z
      .enum(['top_k', 'top_k_biased', 'expert_choice', 'dynamic', 'top_p'])
      .default('top_k')
      .describe(
        'top_k: each unit takes its k best experts. top_k_biased: the k best of score + bias, the bias learnt without a loss (2408.15664); weights stay unbiased. expert_choice: each expert takes its best units, k per unit on average (2202.09368); not causal. dynamic: a token takes more experts the more `importance` attention gives it; aims at top_k on average, exactly with `budget`, and a run says how many (own definition, in the style of 2409.06669). top_p: a unit takes its best experts until their scores add up to `top_p` (2403.07652), and counts assume that it takes top_k.',
      ),
    importance: z
      .enum(['received', 'cls_row', 'row_max', 'entropy'])
      .default('entropy')
      .describe(
        'dynamic: what of the attention in the same layer makes a token important, mean over the heads and relative to the mean of the window, or of the tokens so far where causal. Aims at top_k experts on average; exactly with `budget`, and a run says how many. received: attention that it gets; cls_row: attention that the first token pays it; both only with `objective: masked`. row_max: how far the largest weight of its own attention is above even attention, by the logarithm; entropy: how concentrated its own attention is, 1 - entropy / log(tokens it sees). While attention is even, every token takes top_k.',
      ),
    k_min: count(most.experts).default(1).describe('dynamic: the fewest experts that a unit takes, at most top_k.'),
    k_max: count(most.experts)
      .optional()
      .describe(
        'dynamic, top_p: the most experts that a unit takes, at least top_k. Where absent, with dynamic 2 top_k or as many as there are, with top_p as many as there are.',
      ),
    budget: z
      .boolean()
      .default(false)
      .describe(
        'dynamic: scale the importance in each window so that its units take top_k on average exactly; not causal, since later tokens decide what is left for earlier ones.',
      ),
    top_p: z.number().positive().max(1).default(0.4).describe('top_p: the sum of scores that the chosen experts must reach.'),
    entropy_weight: z
      .number()
      .nonnegative()
      .max(most.lossWeight)
      .default(0)
      .describe(
        "top_p: weight of the mean entropy of a unit's scores in the loss, summed over layers; without it the router can spread its scores to get more experts. 2403.07652 uses 0.0001.",
      ),
    expert_dropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'In training each expert is passed over for a unit with this probability, while enough are left, without rescaling (2310.10837).',
      ),
    renormalize: z.boolean().default(false).describe('Scale the chosen weights to sum 1. Off is what the released MH-MoE code does.'),
    balance: z
      .enum(['none', 'switch', 'gshard_first', 'top_k', 'entropy', 'loss_free'])
      .default('gshard_first')
      .describe(
        'Load balancing. switch: E sum(F P), F from the one choice (2101.03961, k = 1). gshard_first: F from first choices (2006.16668). top_k: F from all k choices, over k. entropy: sum(p log p) of the mean softmax (2310.10837). loss_free: only the bias of `select: top_k_biased`. P is the mean score, normalised over the experts.',
      ),
    balance_weight: z
      .number()
      .nonnegative()
      .max(most.lossWeight)
      .default(0.01)
      .describe('Weight of the balance loss of each routed layer; summed over layers.'),
    balance_scope: z
      .enum(['micro', 'global'])
      .default('micro')
      .describe(
        'Over what F and P are averaged: each microbatch, or the whole optimiser step (2501.11873), which then equals one big batch exactly and costs another forward pass.',
      ),
    bias_rate: z.number().positive().max(1).default(0.001).describe('top_k_biased: how far a step moves the bias of an expert.'),
    bias_update: z
      .enum(['sign', 'error'])
      .default('sign')
      .describe(
        'top_k_biased: the bias moves by rate * sign(mean load - load), or by rate * (mean load - load) / mean load, which suits softmax.',
      ),
    z_loss_weight: z
      .number()
      .nonnegative()
      .max(most.lossWeight)
      .default(0)
      .describe('Weight of the router z-loss mean(logsumexp(logits)^2) of each routed layer (2202.08906); summed over layers.'),
    jitter: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('In training the router input is multiplied by uniform noise in [1 - jitter, 1 + jitter) (2101.03961).'),
    capacity_factor: z
      .number()
      .min(0.001)
      .max(most.experts)
      .optional()
      .describe(
        'An expert takes at most ceil(factor * top_k * units / experts) units of a microbatch; the rest is dropped. Dropless where absent.',
      ),
    capacity_priority: z
      .enum(['first_choice', 'position'])
      .default('first_choice')
      .describe(
        'Who is kept: all first choices in order of position, then all second choices (GShard); or position by position, each with all its choices.',
      ),
    capacity_in_evaluation: z
      .boolean()
      .default(false)
      .describe(
        'Drop in evaluation too. Perplexity then depends on what else is in the batch, and with first_choice and k > 1 on later tokens.',
      ),
    frozen: z.boolean().default(false).describe('Keep the router as it was initialised: the control experiment for what routing learns.'),
  })
  .describe('How routed units find their experts.');
