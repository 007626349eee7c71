import type { KeyFacts } from './keyFact';

/** Keys outside `model`. */
export const runFacts: KeyFacts = {
  name: { effect: 'Only what is shown.' },
  extends: {
    effect: 'What a variant does not state cannot come to differ from its base: the shorter the variant, the surer the comparison.',
  },
  parity: {
    formula: 'residual = ours / baseline - 1, of parameters and of MACs per token, each with and without the router',
    effect: 'Only what is shown and checked: the count and the training stay as they are.',
    source: '2411.16205 Eq. 6-10 leave the router out; 2404.15045 App. D.1 counts it',
  },
  sweep: {
    formula: 'members = product of the lengths of the lists, or as many as are listed',
    effect: 'Each member is a run: time and disk in proportion. The config itself is what members are laid over.',
  },
  lint: { effect: 'Only what is shown and what a build refuses: the count and the training stay as they are.' },
  'train.steps': {
    formula: 'tokens = steps * batch_tokens',
    effect: 'Time in proportion. Models are compared at equal tokens.',
    source: '2411.16205 section 3.1: 100,000',
  },
  'train.batch_tokens': {
    formula: 'microbatches = batch_tokens / (micro_batch * context)',
    effect: 'Time of a step in proportion, memory not.',
    source: '2411.16205 section 3.1: half a million',
  },
  'train.micro_batch': {
    formula: 'windows at once; microbatches = batch_tokens / (micro_batch * context)',
    effect: 'Memory of activations grows in proportion. Balance with `balance_scope: micro` and capacities are per microbatch.',
  },
  'train.learning_rate': {
    formula: 'rate(t) = learning_rate * t / warmup, then as the schedule says down to min_learning_rate',
    effect: 'Too high diverges, too low has not converged at the end: both look like a worse architecture.',
    source: '6e-4 at d = 768 (2411.16205, released code); 4e-4 at 2048 (2409.02060); 2.5e-4 (2312.07987)',
  },
  'train.min_learning_rate': { formula: 'the rate at the last step', effect: 'No cost.', source: '2411.16205, released code: 3e-5' },
  'train.warmup': {
    formula: 'rate(t) = learning_rate * t / warmup',
    effect: 'No cost. As long as the training, and the peak is never reached.',
    source: '2411.16205, released code: 375 of 100,000',
  },
  'train.schedule': {
    formula: 'cosine: m + (p - m) (1 + cos(pi t)) / 2; linear: p + (m - p) t; t from 0 after the warm-up to 1',
    effect: 'No cost. Models are compared at the end of their schedule, not in the middle of it.',
    source: '1608.03983 Eq. 5 (cosine)',
  },
  'train.betas': {
    formula: 'm = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2',
    effect: 'No cost.',
    source: '1711.05101; 0.9 and 0.95 in 2411.16205, released code',
  },
  'train.epsilon': {
    formula: 'm / (sqrt(v) + epsilon)',
    effect: 'No cost. Too large slows rows whose gradients are small.',
    source: '1711.05101',
  },
  'train.weight_decay': { formula: 'w -= rate * weight_decay * w', effect: 'No cost.', source: '1711.05101' },
  'train.clip': { formula: 'g * min(1, clip / |g|)', effect: 'No cost.', source: '2411.16205, released code: 2' },
  'train.masking.probability': { effect: 'More hidden tokens teach more per step, from less context each.', source: '1810.04805: 0.15' },
  'train.masking.mask_share': { effect: 'No cost.', source: '1810.04805: 0.8' },
  'train.masking.random_share': { effect: 'No cost.', source: '1810.04805: 0.1' },
  'train.seed': { effect: 'One seed has no error bar: small differences need several.', source: '2411.16205 prints one run for each cell' },
  'data.tokenizer': {
    formula: 'bits per byte = NLL / (ln 2 * bytes)',
    effect: 'Perplexities compare at equal tokenizers only; bits per byte compare across them.',
  },
  'data.train': { effect: 'Text of the validation in here makes its perplexity worthless.' },
  'data.validation': {
    formula: 'perplexity = exp(sum of NLL / predicted tokens), of all of the text',
    effect: 'Each set takes time at every validation.',
  },
  'evaluate.every': { formula: 'validations = ceil(steps / every) + 1', effect: 'Time for validation grows as it falls.' },
  'checkpoint.every': {
    formula: 'checkpoints written = ceil(steps / every)',
    effect: 'What is lost at most when a machine fails, against time to write.',
  },
  'checkpoint.keep': { formula: 'disk = (keep + 1) checkpoints, the one that is being written included', effect: 'Disk in proportion.' },
  'engine.device': { effect: 'The same program on both; times differ.' },
  'engine.threads': { effect: 'Time only. Sums in another order differ in their last bits.' },
};
