import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import type { Experiment, RunnableExperiment } from '../../src/config/schema';
import { writeSampleWorkspace } from '../../src/data/sampleWorkspace';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { prepareCorpora } from '../../src/training/prepare';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moe-configs-'));
  await writeSampleWorkspace(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function load(file: string): Experiment {
  const { experiment, findings } = loadConfig(file, readTextFromDisk);
  expect(findings).toEqual([]);
  if (experiment === undefined) throw new Error(`${file} is valid.`);
  return experiment;
}
const loadSample = (name: string) => load(join(folder, name));
const count = (experiment: Experiment) => countModel(buildLanguageModel(experiment), experiment.model);

describe('sample configs', () => {
  it.each(['smoe', 'mh-moe', 'dense'])('%s: loads without findings, and its data is there', async (name) => {
    const experiment = loadSample(`${name}.moe.yaml`);
    const { train, data } = experiment;
    if (train === undefined || data === undefined) throw new Error('It can be run.');
    const corpora = await prepareCorpora({ ...experiment, train, data } satisfies RunnableExperiment, folder);
    expect(Object.keys(corpora.validation)).toEqual(['prose', 'arithmetic', 'lists', 'code']);
    // No window is seen twice: what is learnt is the grammar.
    expect(corpora.train.tokens.length).toBeGreaterThan(train.steps * train.batch_tokens);
  });

  it('the one that the README of the project shows is the one that is written', async () => {
    const [, shown] = /```yaml\n([^]*?)```/.exec(await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')) ?? [];
    expect(shown).toBe(await readFile(join(folder, 'mh-moe.moe.yaml'), 'utf8'));
  });

  it('the twin has exactly the MACs of its baseline, routers apart, and nearly its parameters', () => {
    const [smoe, twin, dense] = [
      count(loadSample('smoe.moe.yaml')),
      count(loadSample('mh-moe.moe.yaml')),
      count(loadSample('dense.moe.yaml')),
    ];
    const withoutRouter = ({ macsPerToken }: typeof smoe) => macsPerToken.total - macsPerToken.router;
    expect(withoutRouter(twin)).toBe(withoutRouter(smoe));
    expect(withoutRouter(dense)).toBe(withoutRouter(smoe));
    expect(Math.abs(twin.parameters.total / smoe.parameters.total - 1)).toBeLessThan(0.03);
  });

  it('all three train on the same batches in the same way', () => {
    const [smoe, twin, dense] = ['smoe', 'mh-moe', 'dense'].map((name) => loadSample(`${name}.moe.yaml`));
    expect(twin?.train).toEqual(smoe?.train);
    expect(dense?.train).toEqual(smoe?.train);
    expect(dense?.data).toEqual(smoe?.data);
  });

  it('Tiny Shakespeare loads, with the size and setting that is compared with', () => {
    const { model, train } = load(join(__dirname, '../../samples/tinyshakespeare/dense.moe.yaml'));
    expect(model).toMatchObject({ d_model: 128, layers: 4, context: 64, ffn: { width: 344 } });
    expect(train).toMatchObject({ steps: 2000, batch_tokens: 12 * 64, betas: [0.9, 0.99], learning_rate: 1e-3, min_learning_rate: 1e-4 });
  });
});
