import type { KeyFacts } from './keyFact';

/** Keys that hold other keys. */
export const sectionFacts: KeyFacts = {
  model: {
    formula: 'x = x + attention(norm(x)); x = x + feed_forward(norm(x)), in each layer',
    effect: 'All that is counted, and all that costs are compared by.',
    source: '2002.04745 section 3 (norms before each part)',
  },
  'model.attention': {
    formula: '(2 heads + 2 kv_heads) head_width d parameters, as many MACs and 2 T heads head_width of the core, in each layer',
    effect: 'The same on both sides of a comparison, it hides a difference in other layers: residuals are those of the part that differs.',
    source: '1706.03762 section 3.2',
  },
  'model.attention.moe': {
    formula: 'y = sum over heads h, and chosen e, of s_he (A_h V_h) W_O^he',
    effect: 'Fewer heads do the work of many: the core costs less, and parameters are kept in experts.',
    source: '2312.07987 section 2.2',
  },
  'model.ffn': {
    formula: 'swiglu: W2 (silu(W3 x) * (W1 x)); else W2 act(W1 x)',
    effect: 'Of a routed model only the layers that are left dense; of a dense model most of its parameters.',
    source: '2002.05202',
  },
  'model.moe': {
    formula: 'y = sum over the chosen e of p_e E_e(x); mh-moe: of each of h slices of x W_head, merged by W_merge',
    effect: 'Parameters of all experts, MACs of those that are chosen.',
    source: '2411.16205 Eq. 1-4',
  },
  'model.moe.router': {
    formula: 'p = softmax(W_g x); chosen are the top_k largest',
    effect: 'A small part of the cost, which papers count or leave out; both are shown. It decides which experts learn anything.',
    source: '2101.03961 section 2.1; 2411.16205 Eq. 1',
  },
  'model.product_keys': {
    formula: 'expert i1 n_s + i2 scores q1 c_i1 + q2 c_i2, with two halves of a query and two sets of n_s sub-keys',
    effect: 'Finding one of N experts costs about as much as sqrt(N) scores, so there can be a million of them.',
    source: '2407.04153 section 2; 1907.05242',
  },
  'model.bitnet': {
    formula: 'y = Q(W) Q(x); gradients pass both roundings unchanged',
    effect: 'No count changes. What it costs in quality is what is measured.',
    source: '2402.17764; 2310.11453',
  },
  train: {
    formula: 'w -= rate * (m / (sqrt(v) + epsilon) + weight_decay * w), m and v corrected for their start',
    effect: 'The same in both of a comparison, or it compares trainings.',
    source: '1711.05101 Algorithm 2',
  },
  'train.masking': {
    formula: 'hidden: probability of all tokens, of which mask_share become the mask token and random_share a random one',
    effect: 'No cost. Only what is hidden is scored, so fewer tokens teach in each step.',
    source: '1810.04805 section 3.1',
  },
  data: { effect: 'Both of a comparison read the same text in the same order, or it compares texts.' },
  evaluate: {
    formula: 'validations = ceil(steps / every) + 1, one of them before the first step',
    effect: 'Time only: training goes on as if nothing had been looked at.',
  },
  checkpoint: {
    formula: 'three float32 for each trained parameter: itself and both moments',
    effect: 'Disk, and a little time. A run that goes on from one gets the same losses.',
  },
  engine: { effect: 'Time and memory. Neither the model nor what it costs by count depends on it.' },
};
