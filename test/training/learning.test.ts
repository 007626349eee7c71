import { beforeAll, describe, expect, it } from 'vitest';
import { textEntropy } from '../../reproduce/entropy';
import { spreadOf } from '../../reproduce/statistics';
import { encodeBytes } from '../../src/data/byteTokenizer';
import { generateSampleCorpus } from '../../src/data/sampleCorpus';
import { experimentOf, routerTrial, trialText, type RouterTrial } from './learningSetup';

/**
 * The short form of learningRealText.test.ts, on text of the sample corpus, which is made here: every layer is routed to one of 32 experts
 * of width 8, so small that a model has little but its routing to tell contexts apart with.
 */
const { files } = generateSampleCorpus(5, 1 << 19);
const textOf = (part: 'train' | 'validation') =>
  encodeBytes(files.flatMap(({ path, text }) => (path.includes(`/${part}/`) ? [text] : [])).join(''));
const [train, validation] = [textOf('train'), textOf('validation')];
const entropy = textEntropy(validation);

const experimentFor = (router: { readonly frozen: boolean }, seed: number) =>
  experimentOf(
    {
      d_model: 32,
      layers: 2,
      context: 64,
      attention: { heads: 2 },
      ffn: { width: 8 },
      moe: { kind: 'smoe', every: 1, experts: 32, top_k: 1, expert_width: 8, router },
    },
    { steps: 800, batch_tokens: 512, micro_batch: 8, learning_rate: 8e-3, min_learning_rate: 4e-4, warmup: 80, seed },
  );

describe('it learns, and the experts do it', () => {
  let trial: RouterTrial;
  beforeAll(async () => {
    trial = await routerTrial(experimentFor, [1, 2, 3], train, validation);
    console.log(`Sample corpus: ${trialText(trial, entropy)}.`);
  }, 300_000);

  it('the loss falls below the bigram entropy of the validation text, so that more than the byte before is used', () => {
    for (const loss of trial.trained) expect(loss).toBeLessThan(0.6 * entropy.bigram);
  });

  it('taking the routed experts out of a trained model costs more than half a nat', () => {
    trial.silenced.forEach((loss, seed) => expect(loss - (trial.trained[seed] ?? Number.NaN)).toBeGreaterThan(0.5));
  });

  it('a router frozen at random is worse, by the mean of three seeds', () => {
    expect(spreadOf(trial.frozen).mean - spreadOf(trial.trained).mean).toBeGreaterThan(0.04);
  });
});
