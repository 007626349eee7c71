import { describe, expect, it } from 'vitest';
import { textEntropy } from '../../reproduce/entropy';
import { encodeBytes } from '../../src/data/byteTokenizer';
import { generateSampleCorpus } from '../../src/data/sampleCorpus';
import { choiceTrial, mechanisms, memoryTrial } from './mechanisms';

/**
 * Every mechanism in small, on text of the sample corpus, which is made here: text that it has not seen costs far less than by the byte
 * before alone, and more when units are given other experts than they chose. learningRealText.test.ts has the full form.
 */
const { files } = generateSampleCorpus(5, 1 << 19);
const textOf = (part: 'train' | 'validation') =>
  encodeBytes(files.flatMap(({ path, text }) => (path.includes(`/${part}/`) ? [text] : [])).join(''));
const text = { train: textOf('train'), validation: textOf('validation').subarray(0, 20_000) };
const { bigram } = textEntropy(text.validation);
const train = { steps: 400, batch_tokens: 512, micro_batch: 16, learning_rate: 8e-3, min_learning_rate: 4e-4, warmup: 40, seed: 1 };

describe('it learns, and what it chooses does it', () => {
  it.each(mechanisms)('$name', { timeout: 600_000 }, async (mechanism) => {
    const { loss, moved } = await choiceTrial(mechanism, train, text);
    console.log(
      `${mechanism.name}: bigram entropy ${bigram.toFixed(3)} nats per byte, loss ${loss.toFixed(3)}, by other experts than chosen ${moved.toFixed(3)}.`,
    );
    expect(loss).toBeLessThan(0.8 * bigram);
    expect(moved - loss).toBeGreaterThan(0.5);
  });

  it('Transformer-XL, which loses by forgetting the window before', { timeout: 600_000 }, async () => {
    const { loss, forgetting } = await memoryTrial(train, text);
    console.log(
      `Transformer-XL: bigram entropy ${bigram.toFixed(3)} nats per byte, loss ${loss.toFixed(3)}, without memory ${forgetting.toFixed(3)}.`,
    );
    expect(loss).toBeLessThan(0.8 * bigram);
    expect(forgetting - loss).toBeGreaterThan(0.3);
  });
});
