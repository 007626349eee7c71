import type { KeyFacts } from './keyFact';

/** Keys of `model.moe` and of its router. */
export const routedFacts: KeyFacts = {
  'model.moe.kind': {
    formula: 'smoe: n d f k MACs, n d f E parameters; mh-moe: 2 d^2 + n d f k MACs, 2 d^2 + n (d / h) f E parameters',
    effect: 'With h = 1 mh-moe is smoe with two projections around it. At equal MACs mh-moe has narrower experts and more of them.',
    source: '2411.16205 Eq. 1-4, 6-9, for n matrices per expert',
  },
  'model.moe.every': {
    formula: 'routed layers = floor(layers / every)',
    effect: 'Each further routed layer has all its experts as parameters.',
    source: '2411.16205 section 3: 2',
  },
  'model.moe.layers': {
    formula: 'routed layers = as many as are listed',
    effect: 'Each further routed layer has all its experts as parameters.',
    source: '2411.16205 section 3: 1, 3, 5, 7, 9, 11 of 12',
  },
  'model.moe.heads': {
    formula: 'sub-token width = d / h; expert = n (d / h) f parameters; a token makes h k passes through experts of n (d / h) f MACs each',
    effect:
      'MACs of the experts stay as they are. Their parameters fall as 1 / h, so at equal parameters there are about h times as many. heads: 1 is plain SMoE between two projections.',
    source: '2411.16205 Eq. 2-4, 7',
  },
  'model.moe.head_layer': {
    formula: 'd^2 parameters and MACs per token, in each routed layer',
    effect: 'Leaving it out makes the layer cheaper (`remove_only`), or its experts wider (`iso_mac`).',
    source: '2411.16205 Tables 4, 5',
  },
  'model.moe.merge_layer': {
    formula: 'd^2 parameters and MACs per token, in each routed layer',
    effect: 'Leaving it out makes the layer cheaper (`remove_only`), or its experts wider (`iso_mac`).',
    source: '2411.16205 Tables 4, 5',
  },
  'model.moe.projection_bias': {
    formula: 'd parameters for each of the two layers',
    effect: 'No MACs.',
    source: '2411.16205, released code',
  },
  'model.moe.inner_residual': { formula: 'o = x~ + sum p_e E_e(x~)', effect: 'No cost.', source: '2404.15045 Eq. 6' },
  'model.moe.ablation': {
    formula: "iso_mac: f' = f + left d / (n k); E' = round((left d^2 + n (d / h) f E) / (n (d / h) f'))",
    effect: 'Whether an ablation compares models of equal compute (Table 4) or of falling compute (Table 5).',
    source: '2411.16205 Tables 4, 5',
  },
  'model.moe.experts': {
    formula: 'n (d / h) f E parameters; the router (d / h) E parameters and d E MACs per token; h = 1 for smoe',
    effect: 'Parameters grow in proportion. MACs do not, but for the router: 30,720 of them at 40 experts and d = 768.',
    source: '2411.16205 Eq. 7; the router is left out there, and counted in 2404.15045 App. D.1',
  },
  'model.moe.top_k': {
    formula: 'n d f k MACs per token',
    effect: 'MACs of the experts grow in proportion, parameters stay. At equal MACs expert_width falls as 1 / k.',
    source: '2411.16205 Eq. 6',
  },
  'model.moe.expert_width': {
    formula:
      "n d f k MACs; n (d / h) f E parameters. At equal MACs to an SMoE of width f and k experts: f' = (f k - q d / n) / k' with q projections",
    effect: 'Parameters and MACs of the experts grow in proportion.',
    source: '2411.16205 Eq. 8 is this for n = 2',
  },
  'model.moe.shared_width': {
    formula: 'n d f_s parameters and MACs per token, in each routed layer',
    effect: 'The same on both sides of a comparison cancels; only on one side it is what differs.',
    source: '2411.16205 Table 2; 2401.06066',
  },
  'model.moe.router.type': {
    formula: 'linear: (d / h) E parameters; cosine: (d / h) r + r E + 1, r = dimension; MACs h times as many',
    effect: 'A cosine router is cheaper where E is large against r.',
    source: '2204.09179',
  },
  'model.moe.router.dimension': {
    formula: '(d / h) r + r E parameters, h times as many MACs',
    effect: 'Cost of a cosine router; few dimensions keep experts apart.',
    source: '2404.15045 Table 9: 16, and 16 / h for MH-MoE',
  },
  'model.moe.router.temperature': {
    formula: 'logits = cos(W x, e) / temperature',
    effect: 'No cost. Lower is sharper: fewer experts share a token.',
    source: '2204.09179',
  },
  'model.moe.router.learn_temperature': {
    formula: 'logits = cos(W x, e) / exp(t), t trained',
    effect: 'One parameter for each routed layer.',
    source: '2204.09179',
  },
  'model.moe.router.score': {
    formula: 'softmax: exp(z_e) / sum exp(z); sigmoid: 1 / (1 + exp(-z_e))',
    effect: 'No cost. Scores of a softmax add up to 1, so with top_k: 1 the weight says how sure the router is.',
    source: '2408.15664 (sigmoid)',
  },
  'model.moe.router.select': {
    formula: 'MACs are counted at top_k for every choice',
    effect: 'expert_choice and `budget` let later tokens decide about earlier ones: their perplexity is not that of a causal model.',
    source: '2101.03961, 2408.15664, 2202.09368, 2403.07652',
  },
  'model.moe.router.importance': {
    formula: 'received: I_j = mean over heads and queries i of A_ij; r_j = I_j / mean of I',
    effect: 'No parameters. Reading the weights of attention takes a pass over them.',
    source: 'own definition, in the style of 2409.06669',
  },
  'model.moe.router.k_min': {
    formula: 'k_j = clip(round(top_k * r_j), k_min, k_max)',
    effect: 'The nominal count stays at top_k.',
    source: 'own definition, in the style of 2409.06669',
  },
  'model.moe.router.k_max': {
    formula: 'k_j = clip(round(top_k * r_j), k_min, k_max)',
    effect: 'Rows for the most experts are held in memory, taken or not.',
    source: 'own definition, in the style of 2409.06669',
  },
  'model.moe.router.budget': {
    formula: 'sum over a window of k_j = top_k * T',
    effect: 'MACs are exactly those at top_k. Not causal.',
    source: 'own definition, in the style of 2409.06669',
  },
  'model.moe.router.top_p': {
    formula: 'smallest number of experts whose scores reach top_p',
    effect: 'MACs follow the router, not the config: a run says how many experts were taken.',
    source: '2403.07652',
  },
  'model.moe.router.entropy_weight': {
    formula: 'loss + weight * sum over layers of mean H(p)',
    effect: 'Without it the router can spread its scores to get more experts.',
    source: '2403.07652: 0.0001',
  },
  'model.moe.router.expert_dropout': {
    formula: 'score = -inf with this probability, before the choice',
    effect: 'No cost. In training only.',
    source: '2310.10837 section 5',
  },
  'model.moe.router.renormalize': {
    formula: 'w_e = p_e / sum of the chosen p',
    effect: 'With top_k: 1 the weight is always 1 and the router learns nothing from the task.',
    source: '2401.04088 and 2505.09388 do; 2411.16205, released code, does not',
  },
  'model.moe.router.balance': {
    formula: 'gshard_first: E sum_e F_e P_e, F_e the share of units whose first choice is e, P_e the mean score; 1 when even',
    effect: 'No cost. Without any the router may come to use a few experts only, while parameters are still those of all.',
    source: '2006.16668; 2101.03961 Eq. 4-6; 2408.15664; 2310.10837 Eq. 20-21',
  },
  'model.moe.router.balance_weight': {
    formula: 'loss = cross entropy + weight * sum over routed layers of the balance loss',
    effect: 'Conventions differ by factors: over k, and mean or sum over layers. A weight of one does not carry over to another.',
    source: '2101.03961 section 2.2: 0.01',
  },
  'model.moe.router.balance_scope': {
    formula: 'F and P are means over micro_batch * context tokens (micro) or over batch_tokens (global)',
    effect: 'global costs another forward pass, and balances over the whole step in place of each microbatch.',
    source: '2501.11873',
  },
  'model.moe.router.bias_rate': {
    formula: 'b_e += rate * sign(mean load - load_e), after each step',
    effect: 'No cost. Faster follows the load more closely and swings more.',
    source: '2408.15664: 0.001',
  },
  'model.moe.router.bias_update': {
    formula: 'error: b_e += rate * (mean load - load_e) / mean load',
    effect: 'No cost.',
    source: '2408.15664',
  },
  'model.moe.router.z_loss_weight': {
    formula: 'weight * mean(logsumexp(logits)^2)',
    effect: 'No cost. Keeps logits small; it does not balance.',
    source: '2202.08906: 0.001',
  },
  'model.moe.router.jitter': {
    formula: 'x * U[1 - jitter, 1 + jitter)',
    effect: 'No cost. In training only.',
    source: '2101.03961',
  },
  'model.moe.router.capacity_factor': {
    formula: 'capacity = ceil(factor * top_k * units / experts) units of a microbatch',
    effect: 'Counts stay nominal: what is dropped is counted. Below 1 something is always dropped; the more uneven the router, the more.',
    source: '2101.03961 Eq. 3: 1.0 to 1.25',
  },
  'model.moe.router.capacity_priority': {
    formula: 'first_choice: in order of (choice, position); position: of (position, choice)',
    effect: 'No cost. Decides who is dropped where an expert is full.',
    source: '2006.16668',
  },
  'model.moe.router.capacity_in_evaluation': {
    effect: 'A perplexity with drops depends on the batch, and does not compare with one without.',
    source: '2411.16205, released code, drops in evaluation',
  },
  'model.moe.router.frozen': {
    formula: 'W_g stays as it was drawn',
    effect: 'Parameters of the router are there and not trained.',
  },
};
