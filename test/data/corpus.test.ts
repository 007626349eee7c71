import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/data/byteTokenizer';
import { loadCorpus } from '../../src/data/corpus';
import { DataError } from '../../src/data/dataError';
import { resolveFiles } from '../../src/data/resolveFiles';

const configPath = ['data', 'train'];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'moe-data-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), content);
}

const names = async (...patterns: string[]) => (await resolveFiles(patterns, folder, configPath)).map((file) => relative(folder, file));
const load = (...patterns: string[]) => loadCorpus({ name: 'train', patterns, folder, configPath });

async function refusal(...patterns: string[]): Promise<DataError> {
  const error = await load(...patterns).catch((caught: unknown) => caught);
  if (!(error instanceof DataError)) throw new Error(`Expected a DataError, got ${String(error)}`);
  return error;
}

describe('files of a corpus', () => {
  beforeEach(async () => {
    for (const path of ['b.txt', 'a.txt', 'Z.txt', 'ä.txt', 'a.md', 'deep/c.txt', 'deep/er/d.txt', 'deep/er/e.md']) await put(path, path);
  });

  it('sorts the matches of a pattern by code unit, on every machine alike', async () => {
    expect(await names('*.txt')).toEqual(['Z.txt', 'a.txt', 'b.txt', 'ä.txt']);
  });

  it('understands *, **, ? and braces', async () => {
    expect(await names('**/*.txt')).toEqual(['Z.txt', 'a.txt', 'b.txt', 'deep/c.txt', 'deep/er/d.txt', 'ä.txt']);
    expect(await names('?.md')).toEqual(['a.md']);
    expect(await names('deep/**/*.{txt,md}')).toEqual(['deep/c.txt', 'deep/er/d.txt', 'deep/er/e.md']);
  });

  it('keeps the order of the patterns and names a file once', async () => {
    expect(await names('b.txt', '*.txt')).toEqual(['b.txt', 'Z.txt', 'a.txt', 'ä.txt']);
  });

  it('takes the exact name of a file literally, even with glob characters', async () => {
    await put('draft[1].txt', 'x');
    expect(await names('draft[1].txt')).toEqual(['draft[1].txt']);
  });

  it('reaches outside the folder by .. and by an absolute path', async () => {
    const inner = join(folder, 'deep', 'er');
    const found = await resolveFiles(['../*.txt', join(folder, 'b.txt')], inner, configPath);
    expect(found).toEqual([join(folder, 'deep', 'c.txt'), join(folder, 'b.txt')]);
  });
});

describe('corpus', () => {
  it('is the bytes of its files one after another, with their fingerprint', async () => {
    await put('1.txt', 'héllo\n');
    await put('2.txt', 'world');
    const corpus = await load('*.txt');
    expect(Buffer.from(corpus.tokens).toString()).toBe('héllo\nworld');
    expect(corpus.tokens).toBeInstanceOf(Uint8Array);
    expect(corpus.sha256).toBe(createHash('sha256').update('héllo\nworld').digest('hex'));
    expect(corpus.files).toEqual([join(folder, '1.txt'), join(folder, '2.txt')]);
    expect(corpus.largestToken).toBe(0xc3);
  });

  it('reads a file of several chunks whole', async () => {
    const text = encodeBytes('0123456789abcdef'.repeat((9 << 20) / 16));
    await put('big.txt', text);
    const { tokens } = await load('big.txt');
    expect(Buffer.compare(tokens, text)).toBe(0);
  });

  it('accepts text with some bytes that are not UTF-8, such as Latin-1 prose', async () => {
    await put('latin1.txt', Buffer.from('Der Bär läuft über die Brücke. '.repeat(50), 'latin1'));
    expect((await load('latin1.txt')).tokens.length).toBe(31 * 50);
  });
});

describe('text that cannot be trained on', () => {
  it.each([
    ['a missing file', 'missing.txt', 'no file "missing.txt"'],
    ['a pattern without match', 'missing/*.txt', 'No file matches "missing/*.txt"'],
  ])('%s', async (_, pattern, message) => {
    await put('good.txt', 'good');
    const error = await refusal('good.txt', pattern);
    expect(error.message).toContain(message);
    expect(error.configPath).toEqual(['data', 'train', 1]);
    expect(error.advice).toContain('relative to the folder of the config');
  });

  it('a folder, with a pattern to use instead', async () => {
    await put('corpus/a.txt', 'a');
    const error = await refusal('corpus/');
    expect(error.advice).toContain('"corpus/**/*.txt"');
  });

  it('empty files', async () => {
    await put('a.txt', '');
    expect((await refusal('a.txt')).message).toContain('is empty');
    await put('b.txt', '');
    expect((await refusal('*.txt')).message).toBe('The 2 files of the train text are empty.');
  });

  it('a file with NUL bytes, and one that is mostly not UTF-8', async () => {
    await put('zero.bin', Buffer.concat([Buffer.from('abc'), Buffer.alloc(4)]));
    expect((await refusal('zero.bin')).message).toContain('NUL byte at offset 3');
    await put(
      'noise.bin',
      Uint8Array.from({ length: 3000 }, (_, at) => 1 + ((at * 97 + (at >> 3)) % 255)),
    );
    const error = await refusal('noise.bin');
    expect(error.message).toMatch(/\d+ % of its bytes are not UTF-8/);
    expect(error.message).toContain('noise.bin');
  });

  it('a file that may not be read', async ({ skip }) => {
    await put('secret.txt', 'secret');
    await chmod(join(folder, 'secret.txt'), 0);
    skip(process.getuid?.() === 0 || process.platform === 'win32', 'this user may read every file, so there is no unreadable one to try');
    expect((await refusal('secret.txt')).message).toContain('cannot be read');
  });
});
