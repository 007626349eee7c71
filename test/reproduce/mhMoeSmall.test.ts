import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mhMoeSmall, type SmallOptions } from '../../reproduce/mhMoeSmall/mhMoeSmall';
import { countedAtParity, smallModels } from '../../reproduce/mhMoeSmall/models';
import { plans } from '../../reproduce/mhMoeSmall/plan';
import { Interrupted, Problem } from '../../reproduce/problem';
import { prepareTexts } from '../../reproduce/text';
import { generateSampleCorpus } from '../../src/data/sampleCorpus';
import { createEngine } from '../../src/engine/onnx/createEngine';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moe-reproduce-'));
  await writeDataFolder(join(scratch, 'data'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Text in the publishers' formats: ten documents as RedPajama has them, one of web text, no Wikipedia. */
async function writeDataFolder(folder: string): Promise<void> {
  const { files } = generateSampleCorpus(2, 1 << 16);
  const text = (files.find(({ path }) => path === 'corpus/train/prose.txt')?.text ?? '').slice(0, 12_000);
  const documents = Array.from({ length: 10 }, (_, at) => ({
    text: `Document ${at}. ${text.slice(at * 1200, (at + 1) * 1200)}`,
    meta: {},
  }));
  await mkdir(join(folder, 'redpajama'), { recursive: true });
  await mkdir(join(folder, 'c4'), { recursive: true });
  await writeFile(join(folder, 'redpajama', 'some.jsonl'), documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
  await writeFile(join(folder, 'c4', 'web.jsonl'), `${JSON.stringify({ text: 'Web text, with ü. '.repeat(60), url: '' })}\n`);
}

describe('parity of the small models', () => {
  it('is proven by their counts: MACs equal to the unit, routed parameters to one percent', () => {
    const models = countedAtParity(smallModels(plans.small));
    expect(models.map(({ name }) => name)).toEqual(['Dense', 'SMoE', 'Fine-grained SMoE', 'MH-MoE (head=2)', 'MH-MoE (head=3)']);
    expect(new Set(models.map(({ macs }) => macs)).size).toBe(1);
    const routed = models.map(({ routedParameters }) => routedParameters / 96 ** 2);
    // Two routed layers of n f E = 64 d^2; two heads: 3/2 41 + 2 = 63.5 d^2.
    expect(routed).toEqual([0, 128, 128, 127, 128]);
  });

  it('scales the paper: at its width the expert widths are its own, the numbers of experts those of exact parity', () => {
    const at768 = smallModels({ ...plans.small, width: 768 }).map(({ model: { ffn, moe } }) => [
      ffn.width,
      moe?.expert_width,
      moe?.experts,
    ]);
    expect(at768).toEqual([
      [2048, undefined, undefined],
      [2048, 2048, 8],
      [2048, 1024, 16],
      [2048, 768, 41],
      [2048, 512, 93],
    ]);
  });

  it('is refused where a model costs more, or holds more than one percent more', () => {
    const [dense, smoe, ...others] = smallModels(plans.tiny);
    if (dense === undefined || smoe?.model.moe === undefined) throw new Error('The models are there.');
    const larger = (changes: object) => ({ ...smoe, slug: 'larger', model: { ...smoe.model, moe: { ...smoe.model.moe, ...changes } } });
    expect(() => countedAtParity([dense, smoe, larger({ top_k: 2 }) as typeof smoe, ...others])).toThrow(Problem);
    expect(() => countedAtParity([dense, smoe, larger({ experts: 9 }) as typeof smoe, ...others])).toThrow(
      '1.1250 times the routed parameters',
    );
  });
});

describe('texts', () => {
  it('hold whole documents out, for validation and for the learning rates', async () => {
    const folder = join(scratch, 'texts');
    const texts = await prepareTexts(join(scratch, 'data'), folder, 1000);
    const read = async (file: string) =>
      [...(await readFile(join(folder, file), 'utf8')).matchAll(/Document (\d)\./g)].map(([, digit]) => Number(digit));
    expect(await read(texts.train.file)).toEqual([0, 1, 2, 5, 6, 7, 8, 9]);
    expect(await read(texts.tuning.file)).toEqual([4]);
    expect(await read(texts.validation['RedPajama']?.file ?? '')).toEqual([3]);
    expect(texts.validation['C4']?.bytes).toBeLessThanOrEqual(1000);
    expect(await readFile(join(folder, texts.validation['C4']?.file ?? ''), 'utf8')).not.toContain('�');
    expect(texts.missing).toEqual([expect.stringContaining('Wiki')]);
  });

  it('are missed with a word on what to do', async () => {
    await expect(prepareTexts(join(scratch, 'nothing'), join(scratch, 'texts'), 1000)).rejects.toThrow('--data');
  });
});

describe('mh-moe-small --size tiny', () => {
  const lines: string[] = [];
  let interrupt = new AbortController();
  let engines = 0;
  const options = (): SmallOptions => ({
    size: 'tiny',
    data: join(scratch, 'data'),
    folder: join(scratch, 'tiny'),
    engine: () => {
      // The fourth training is stopped before it begins, the ones before are done.
      if (++engines === 4) interrupt.abort();
      return createEngine('cpu');
    },
    parallel: 2,
    print: (line) => void lines.push(line),
    signal: interrupt.signal,
  });
  const runs = async () => (await readdir(join(scratch, 'tiny', 'runs'))).filter((name) => !name.startsWith('.')).sort();

  it('stops when interrupted, and goes on to a whole result without training anything twice', async () => {
    await expect(mhMoeSmall(options())).rejects.toThrow(Interrupted);
    const before = await runs();
    expect(before.length).toBeLessThan(6);

    interrupt = new AbortController();
    const { models, texts } = await mhMoeSmall(options());
    const { rates, seeds } = plans.tiny;
    const after = await runs();
    expect(after).toHaveLength(5 * (rates.length + seeds.length));
    expect(after).toEqual(expect.arrayContaining(before));
    expect(models).toHaveLength(5);
    for (const model of models) {
      expect(model.macs).toBe(models[0]?.macs);
      expect(model.sweep.map(({ rate }) => rate)).toEqual(rates);
      expect(model.sweep.find(({ rate }) => rate === model.rate)?.loss).toBe(Math.min(...model.sweep.map(({ loss }) => loss ?? Infinity)));
      expect(model.seeds.map(({ seed }) => seed)).toEqual(seeds);
      for (const { losses } of model.seeds) {
        expect(Object.keys(losses ?? {})).toEqual(Object.keys(texts.validation));
        for (const loss of Object.values(losses ?? {})) expect(loss).toBeLessThan(Math.log(256) + 0.1);
      }
    }

    const result = await readFile(join(scratch, 'tiny', 'result.json'), 'utf8');
    engines = 1000;
    await mhMoeSmall(options());
    expect(engines).toBe(1000);
    expect(await runs()).toEqual(after);
    expect(await readFile(join(scratch, 'tiny', 'result.json'), 'utf8')).toBe(result);
  });

  it('says the parity and reports every set beside the paper', async () => {
    expect(lines.join('\n')).toMatch(/MH-MoE \(head=2\): \d+ MACs per token and \d+ of routers, .* \(0\.9922 of SMoE\)/);
    const report = await readFile(join(scratch, 'tiny', 'report.md'), 'utf8');
    expect(report).toContain('Not scored, since the data folder lacks it: Wiki');
    expect(report).toMatch(/\| MH-MoE \(head=3\) \| [\d.]+ ± [\d.]+ \([\d.]+ to [\d.]+\) \| \d \| 11\.45 \/ 10\.51 \| 1 \|/);
    expect(report).toMatch(/\| Dense \| .* \| 17\.41 \/ 16\.21 \| 5 \|/);
  });
});
