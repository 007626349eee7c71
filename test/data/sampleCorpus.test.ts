import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCorpus } from '../../src/data/corpus';
import { choiceOf, Listener, Speaker } from '../../src/data/sample/voice';
import { generateSampleCorpus, sampleKinds, scoreSampleText } from '../../src/data/sampleCorpus';
import { writeSampleWorkspace } from '../../src/data/sampleWorkspace';

const corpus = generateSampleCorpus(1, 1 << 18);
const textOf = (path: string) => corpus.files.find((file) => file.path === path)?.text ?? '';

describe('text of known probability', () => {
  it('refuses a choice that could be read in two ways', () => {
    expect(() => choiceOf(['1', '12'])).toThrow('"1" begins "12"');
    expect(() => choiceOf(['a', 'a'])).toThrow();
    expect(() => choiceOf(['mar', 'may', 'march'])).toThrow();
    expect(() => choiceOf(['1 ', '12 '])).not.toThrow();
  });

  it('draws each option with its stated probability', () => {
    const speaker = new Speaker(11);
    const choice = choiceOf(['a', 'b', 'c'], [6, 3, 1]);
    const draws = 20_000;
    const counts = [0, 0, 0];
    for (let draw = 0; draw < draws; draw++) {
      const index = speaker.pick(choice);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    // Pearson's chi-squared with 2 degrees of freedom: 13.8 is exceeded by chance once in a thousand seeds.
    const chi = counts.reduce(
      (sum, count, at) => sum + (count - draws * (choice.probabilities[at] ?? 0)) ** 2 / (draws * (choice.probabilities[at] ?? 0)),
      0,
    );
    expect(chi).toBeLessThan(13.8);
  });

  it('knows when text is not of the grammar', () => {
    expect(() => scoreSampleText('arithmetic', '2 + 2 = 5\n')).toThrow('Expected " = 4');
    expect(() => new Listener('xyz').pick(choiceOf(['a', 'b']))).toThrow('None of the 2 options');
  });
});

describe('sample corpus', () => {
  it('is a function of the seed; training and validation text differ', () => {
    expect(generateSampleCorpus(1, 1 << 18).files).toEqual(corpus.files);
    expect(generateSampleCorpus(2, 1 << 18).files.map(({ text }) => text)).not.toEqual(corpus.files.map(({ text }) => text));
    for (const kind of sampleKinds)
      expect(textOf(`corpus/train/${kind}.txt`).startsWith(textOf(`corpus/validation/${kind}.txt`).slice(0, 200))).toBe(false);
  });

  it.each(sampleKinds)('%s: the grammar itself, reading the text, needs exactly the stated nats', (kind) => {
    for (const part of ['train', 'validation'] as const) {
      const text = textOf(`corpus/${part}/${kind}.txt`);
      const stated = corpus.entropy[kind][part];
      const read = scoreSampleText(kind, text);
      expect(read.nats).toBeCloseTo(stated.nats, 6);
      expect(read.bytes).toBe(Buffer.byteLength(text));
      expect(stated.bytes).toBe(read.bytes);
      expect(stated.perplexity).toBeCloseTo(2 ** stated.bitsPerByte, 10);
    }
  });

  it.each(sampleKinds)('%s: neither a compressor nor a fitted n-gram model gets below the stated entropy', (kind) => {
    const { bitsPerByte } = corpus.entropy[kind].train;
    const text = Buffer.from(textOf(`corpus/train/${kind}.txt`));
    expect((8 * brotliCompressSync(text).length) / text.length).toBeGreaterThan(bitsPerByte);
    const validation = Buffer.from(textOf(`corpus/validation/${kind}.txt`));
    for (const order of [1, 2, 4, 6])
      expect(nGramBits(text, validation, order)).toBeGreaterThan(corpus.entropy[kind].validation.bitsPerByte);
  });

  it('states the entropy that sums with unlike grammars must have', () => {
    // A sum draws 3 operators and two digits: ln 300 nats, exactly; its length varies with the answer.
    const text = textOf('corpus/train/arithmetic.txt');
    expect(corpus.entropy.arithmetic.train.nats).toBeCloseTo(text.trimEnd().split('\n').length * Math.log(300), 4);
    for (const line of text.trimEnd().split('\n').slice(0, 500)) {
      const [, a = '', sign = '', b = '', result = ''] = /^(\d) ([-+*]) (\d) = (-?\d+)$/.exec(line) ?? [];
      expect(Number(result)).toBe(sign === '+' ? +a + +b : sign === '-' ? +a - +b : +a * +b);
    }
  });
});

/**
 * Bits per byte of `text` under an n-gram model of bytes with `order` bytes of context, fitted on `training`, each order backing off into
 * the one below.
 */
function nGramBits(training: Uint8Array, text: Uint8Array, order: number): number {
  const counts = new Map<string, Map<number, number>>();
  const contextAt = (bytes: Uint8Array, at: number, length: number) => Buffer.from(bytes.subarray(at - length, at)).toString('latin1');
  for (let at = order; at < training.length; at++) {
    for (let length = 0; length <= order; length++) {
      const context = contextAt(training, at, length);
      const next = counts.get(context) ?? new Map<number, number>();
      next.set(training[at] ?? 0, (next.get(training[at] ?? 0) ?? 0) + 1);
      counts.set(context, next);
    }
  }
  let bits = 0;
  for (let at = order; at < text.length; at++) {
    let probability = 1 / 256;
    for (let length = 0; length <= order; length++) {
      const next = counts.get(contextAt(text, at, length));
      if (next === undefined) break;
      const total = [...next.values()].reduce((sum, count) => sum + count, 0);
      // Witten-Bell smoothing.
      probability = ((next.get(text[at] ?? 0) ?? 0) + next.size * probability) / (total + next.size);
    }
    bits -= Math.log2(probability);
  }
  return bits / (text.length - order);
}

describe('sample workspace', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'moe-sample-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('has configs, corpus and README, and its corpus loads', async () => {
    const { written, existed, entropy } = await writeSampleWorkspace(join(folder, 'new'));
    expect(existed).toEqual([]);
    for (const name of ['smoe.moe.yaml', 'mh-moe.moe.yaml', 'dense.moe.yaml', 'README.md']) {
      expect(written).toContain(join(folder, 'new', name));
      await access(join(folder, 'new', name));
    }
    const train = await loadCorpus({ name: 'train', patterns: ['corpus/train/*.txt'], folder: join(folder, 'new'), configPath: [] });
    expect(train.files).toHaveLength(4);
    expect(train.tokens.length).toBe(sampleKinds.reduce((sum, kind) => sum + entropy[kind].train.bytes, 0));
    expect(await readFile(join(folder, 'new', 'README.md'), 'utf8')).toContain(entropy.prose.validation.perplexity.toFixed(3));
  });

  it('never overwrites', async () => {
    await writeFile(join(folder, 'smoe.moe.yaml'), 'mine');
    const first = await writeSampleWorkspace(folder);
    expect(first.existed).toEqual([join(folder, 'smoe.moe.yaml')]);
    expect(await readFile(join(folder, 'smoe.moe.yaml'), 'utf8')).toBe('mine');
    const second = await writeSampleWorkspace(folder);
    expect(second.written).toEqual([]);
  });
});
