import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textEntropy } from '../../reproduce/entropy';
import { spreadOf } from '../../reproduce/statistics';
import { experimentOf, routerTrial, trialText } from './learningSetup';

/**
 * The full form of learning.test.ts, on Tiny Shakespeare (samples/tinyshakespeare/README.md says where it comes from), some minutes long:
 *   MOE_LAB_DATA=FOLDER npm run unit -- learningRealText     FOLDER holds tinyshakespeare/input.txt
 */
const folder = process.env['MOE_LAB_DATA'];
const seeds = [1, 2, 3];

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
    { steps: 1500, batch_tokens: 1024, micro_batch: 16, learning_rate: 5e-3, min_learning_rate: 2.5e-4, warmup: 150, seed },
  );

describe('on real text it learns, and the experts do it', () => {
  it('falls below the bigram entropy, needs its experts, and routes better than at random', { timeout: 1_800_000 }, async ({ skip }) => {
    if (folder === undefined) {
      skip('MOE_LAB_DATA does not name a folder with tinyshakespeare/input.txt; learning.test.ts is the short form');
      return;
    }
    const text = await readFile(join(folder, 'tinyshakespeare', 'input.txt'));
    // As samples/tinyshakespeare splits it; of the rest the first 40,000 bytes are scored.
    const [train, validation] = [text.subarray(0, 1_003_854), text.subarray(1_003_854, 1_043_854)];
    const entropy = textEntropy(validation);
    const trial = await routerTrial(experimentFor, seeds, train, validation);
    console.log(`Tiny Shakespeare: ${trialText(trial, entropy)}.`);

    for (const loss of trial.trained) expect(loss).toBeLessThan(entropy.bigram);
    trial.silenced.forEach((loss, seed) => expect(loss - (trial.trained[seed] ?? Number.NaN)).toBeGreaterThan(0.3));
    expect(spreadOf(trial.frozen).mean).toBeGreaterThan(spreadOf(trial.trained).mean);
  });
});
