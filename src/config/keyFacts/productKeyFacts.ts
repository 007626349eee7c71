import type { KeyFacts } from './keyFact';

export const productKeyFacts: KeyFacts = {
  'model.product_keys.kind': {
    formula: 'peer: 2 N d parameters (glu 3 N d); pkm: N d. MACs per token peer: 2 h k d (glu 3), pkm: h k d',
    effect: 'Both find their experts in the same way, by the best sums of two sub-keys.',
    source: '2407.04153 section 2; 1907.05242',
  },
  'model.product_keys.layers': { effect: 'Each such layer has tables of its own.', source: '2407.04153 section 3: the middle one' },
  'model.product_keys.experts': {
    formula: 'N = n_s^2; tables 2 N d parameters (pkm 1, glu 3), sub-keys n_s key_width',
    effect: 'Parameters grow in proportion, MACs only by the scores of the sub-keys, h n_s key_width.',
    source: '2407.04153 section 3: 1024^2',
  },
  'model.product_keys.heads': {
    formula: 'queries d h key_width; scores h n_s key_width; experts 2 h k d MACs per token (pkm 1, glu 3)',
    effect: 'All MACs of the layer grow in proportion. The granularity is h k.',
    source: '2407.04153 section 3: 8',
  },
  'model.product_keys.top_k': {
    formula: 'experts 2 h k d MACs per token (pkm 1, glu 3)',
    effect: 'MACs of the experts grow in proportion, parameters stay.',
    source: '2407.04153 section 3: 16, PKM 32',
  },
  'model.product_keys.key_width': {
    formula: 'queries d h key_width, scores h n_s key_width MACs; n_s key_width parameters of sub-keys',
    effect: 'What finding experts costs.',
    source: '2407.04153 section 2, its value not printed',
  },
  'model.product_keys.query_norm': {
    formula: 'q = (q - mean) / sqrt(variance + epsilon), per feature',
    effect: 'No cost. With batch more of the experts are used, and more evenly.',
    source: '2407.04153 Table 2',
  },
  'model.product_keys.score': {
    formula: 'softmax over the k of a head; sigmoid: 1 / (1 + exp(-s)) of each',
    effect: 'No cost.',
    source: '2407.04153 Algorithm 1: softmax',
  },
  'model.product_keys.activation': {
    formula: 'glu: 3 N d parameters, 3 h k d MACs',
    effect: 'glu has half as many parameters and MACs again.',
    source: '2407.04153 section 2',
  },
  'model.product_keys.optimizer': {
    formula: 'rows updated in a step: dense N, lazy at most h k batch_tokens',
    effect: 'lazy: a step costs as much as it uses; dense: as much as the tables are large.',
  },
  'model.product_keys.learning_rate_scale': {
    formula: 'rate of the tables = learning_rate_scale * rate(t)',
    effect: 'No cost. Rows are updated rarely, which a higher rate can make up for.',
  },
};
