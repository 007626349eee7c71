import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textEntropy } from '../../reproduce/entropy';
import { spreadOf } from '../../reproduce/statistics';
import { experimentOf, routerTrial, trialText } from './learningSetup';
import { choiceTrial, mechanisms, memoryTrial } from './mechanisms';

/**
 * The full form of learning.test.ts, on Tiny Shakespeare (samples/tinyshakespeare/README.md says where it comes from), some minutes long:
 *   MOE_LAB_DATA=FOLDER npm run unit -- learningRealText     FOLDER holds tinyshakespeare/input.txt
 */
const folder = process.env['MOE_LAB_DATA'];
const seeds = [1, 2, 3];

const absent = 'MOE_LAB_DATA does not name a folder with tinyshakespeare/input.txt; learning.test.ts is the short form';
const timeout = 1_800_000;

interface Gate {
  readonly k: number;
  readonly renormalize: boolean;
  /** Sub-tokens per byte, with head and merge layer. */
  readonly heads?: number;
}

const experimentFor = (gate: Gate) => (router: { readonly frozen: boolean }, seed: number) =>
  experimentOf(
    {
      d_model: 32,
      // MH-MoE has four matrices in series, which at this width start all but at 0 under the usual deviation.
      ...(gate.heads === undefined ? {} : { initial_std: 0.1 }),
      layers: 2,
      context: 64,
      attention: { heads: 2 },
      ffn: { width: 8 },
      moe: {
        ...(gate.heads === undefined ? { kind: 'smoe' } : { kind: 'mh-moe', heads: gate.heads }),
        ...{ every: 1, experts: 32, top_k: gate.k, expert_width: 8 },
        router: { ...router, renormalize: gate.renormalize },
      },
    },
    { steps: 1500, batch_tokens: 1024, micro_batch: 16, learning_rate: 5e-3, min_learning_rate: 2.5e-4, warmup: 150, seed },
  );

async function shakespeare(data: string) {
  const all = await readFile(join(data, 'tinyshakespeare', 'input.txt'));
  // As samples/tinyshakespeare splits it; of the rest the first 40,000 bytes are scored.
  const [train, validation] = [all.subarray(0, 1_003_854), all.subarray(1_003_854, 1_043_854)];
  const entropy = textEntropy(validation);
  const text = { train, validation };
  const trial = async (what: string, gate: Gate) => {
    const found = await routerTrial(experimentFor(gate), seeds, train, validation);
    console.log(`Tiny Shakespeare, ${what}: ${trialText(found, entropy)}.`);
    return found;
  };
  return { entropy, trial, text };
}

describe('on real text it learns, and the experts do it', () => {
  it('falls below the bigram entropy, needs its experts, and routes better than at random', { timeout }, async ({ skip }) => {
    if (folder === undefined) return skip(absent);
    const { entropy, trial } = await shakespeare(folder);
    const { trained, silenced, frozen } = await trial('one expert', { k: 1, renormalize: false });
    for (const loss of trained) expect(loss).toBeLessThan(entropy.bigram);
    silenced.forEach((loss, seed) => expect(loss - (trained[seed] ?? Number.NaN)).toBeGreaterThan(0.5));
    expect(spreadOf(frozen).mean - spreadOf(trained).mean).toBeGreaterThan(0.02);
  });

  it('so does MH-MoE, by its sub-tokens; what its routing is worth is printed, not asserted', { timeout }, async ({ skip }) => {
    if (folder === undefined) return skip(absent);
    const { entropy, trial } = await shakespeare(folder);
    const { trained, silenced } = await trial('MH-MoE, two heads', { k: 1, renormalize: false, heads: 2 });
    for (const loss of trained) expect(loss).toBeLessThan(entropy.bigram);
    silenced.forEach((loss, seed) => expect(loss - (trained[seed] ?? Number.NaN)).toBeGreaterThan(0.2));
  });

  it(
    'with two experts of weights that sum to 1 it does too; what its routing is then worth is printed, not asserted',
    { timeout },
    async ({ skip }) => {
      if (folder === undefined) return skip(absent);
      const { entropy, trial } = await shakespeare(folder);
      const { trained, silenced } = await trial('two experts, weights scaled to sum 1', { k: 2, renormalize: true });
      for (const loss of trained) expect(loss).toBeLessThan(entropy.bigram);
      silenced.forEach((loss, seed) => expect(loss - (trained[seed] ?? Number.NaN)).toBeGreaterThan(0.5));
    },
  );

  const train = { steps: 1500, batch_tokens: 1024, micro_batch: 32, learning_rate: 5e-3, min_learning_rate: 2.5e-4, warmup: 150, seed: 1 };

  it.for(mechanisms)('so does $name, by what it chooses', { timeout }, async (mechanism, { skip }) => {
    if (folder === undefined) return skip(absent);
    const { entropy, text } = await shakespeare(folder);
    const { loss, moved } = await choiceTrial(mechanism, train, text);
    console.log(
      `Tiny Shakespeare, ${mechanism.name}: bigram entropy ${entropy.bigram.toFixed(3)} nats per byte, loss ${loss.toFixed(3)}, by other experts than chosen ${moved.toFixed(3)}.`,
    );
    expect(loss).toBeLessThan(entropy.bigram);
    expect(moved - loss).toBeGreaterThan(0.2);
  });

  it('so does Transformer-XL, which loses by forgetting the window before', { timeout }, async ({ skip }) => {
    if (folder === undefined) return skip(absent);
    const { entropy, text } = await shakespeare(folder);
    const { loss, forgetting } = await memoryTrial(train, text);
    console.log(
      `Tiny Shakespeare, Transformer-XL: bigram entropy ${entropy.bigram.toFixed(3)} nats per byte, loss ${loss.toFixed(3)}, without memory ${forgetting.toFixed(3)}.`,
    );
    expect(loss).toBeLessThan(entropy.bigram);
    expect(forgetting - loss).toBeGreaterThan(0.02);
  });
});
