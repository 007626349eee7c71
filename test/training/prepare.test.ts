import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataError';
import { dataFingerprints, microbatchesPerStep, prepareCorpora, sessionOptions } from '../../src/training/prepare';
import { tinyExperiment } from './tinyExperiment';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moe-prepare-'));
  await writeFile(join(folder, 'prose.txt'), 'It was a dark and stormy night. '.repeat(20));
  await writeFile(join(folder, 'lists.txt'), 'one, two, three');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function refusal(experiment = tinyExperiment()): Promise<DataError> {
  const error = await prepareCorpora(experiment, folder).catch((caught: unknown) => caught);
  if (!(error instanceof DataError)) throw new Error(`Expected a DataError, got ${String(error)}`);
  return error;
}

describe('preparing the text of an experiment', () => {
  it('loads training and validation text, with a fingerprint of each', async () => {
    const corpora = await prepareCorpora(tinyExperiment(), folder);
    expect(dataFingerprints(corpora).map(({ name, bytes }) => [name, bytes])).toEqual([
      ['train', 640],
      ['validation.prose', 640],
      ['validation.lists', 15],
    ]);
    expect(dataFingerprints(corpora)[2]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('wants more training text than one batch', async () => {
    await writeFile(join(folder, 'prose.txt'), 'x'.repeat(256));
    const error = await refusal();
    expect(error.message).toContain('256 tokens, fewer than one batch of 256');
    expect(error.configPath).toEqual(['data', 'train']);
    await writeFile(join(folder, 'prose.txt'), 'x'.repeat(257));
    await expect(prepareCorpora(tinyExperiment(), folder)).resolves.toBeDefined();
  });

  it('says which validation text is missing or too short', async () => {
    await writeFile(join(folder, 'lists.txt'), '1');
    expect((await refusal()).configPath).toEqual(['data', 'validation', 'lists']);
    await rm(join(folder, 'lists.txt'));
    expect((await refusal()).configPath).toEqual(['data', 'validation', 'lists', 0]);
  });

  it('wants every byte to be in the vocabulary', async () => {
    const experiment = tinyExperiment();
    const ascii = { ...experiment, model: { ...experiment.model, vocabulary: 128 } };
    await expect(prepareCorpora(ascii, folder)).resolves.toBeDefined();
    await writeFile(join(folder, 'lists.txt'), 'drei, fünf');
    const error = await refusal(ascii);
    expect(error.configPath).toEqual(['model', 'vocabulary']);
    expect(error.message).toContain('byte 195');
  });

  it('wants whole microbatches and proposes some', async () => {
    const error = await refusal(tinyExperiment({ batch_tokens: 300 }));
    expect(error.configPath).toEqual(['train', 'batch_tokens']);
    expect(error.advice).toContain('256');
    expect(microbatchesPerStep(tinyExperiment({ batch_tokens: 512 }))).toBe(4);
    expect(sessionOptions(tinyExperiment())).toEqual({ batch: 4, time: 32, microbatches: 2, seed: 3, threads: 1 });
  });
});
