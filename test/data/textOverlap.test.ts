import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textOverlap } from '../../src/data/textOverlap';
import { temporaryFolder } from '../runs/fixtures';
import { writeSampleWorkspace } from '../../src/data/sampleWorkspace';

/** Text of random words, reproducible. */
function prose(seed: number, words: number): string {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const word = (): string => Array.from({ length: 2 + next(7) }, () => String.fromCharCode(97 + next(26))).join('');
  return Array.from({ length: words }, (_, index) => word() + (index % 11 === 10 ? '.\n' : ' ')).join('');
}

function written(files: Readonly<Record<string, string>>): (name: string) => string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return (name) => join(folder, name);
}

describe('validation text in the training text', () => {
  const [one, two, three] = [prose(1, 20_000), prose(2, 20_000), prose(3, 5_000)];

  it('is none where they are different texts', async () => {
    const at = written({ 'a.txt': one, 'b.txt': two, 'v.txt': three });
    expect(await textOverlap({ training: [at('a.txt'), at('b.txt')], validation: { prose: [at('v.txt')] } })).toEqual([]);
  });

  it('is found by its path, without reading', async () => {
    const [overlap, ...others] = await textOverlap({ training: ['/nowhere/v.txt'], validation: { prose: ['/nowhere/v.txt'] } });
    expect(others).toEqual([]);
    expect(overlap).toMatchObject({ set: 'prose', sameFile: true, trainingFile: '/nowhere/v.txt' });
  });

  it('is found as a copy under another name, in the midst of a large file, with other line ends and indentation', async () => {
    const changed = three.replaceAll('\n', '\r\n    ');
    const at = written({ 'a.txt': one, 'b.txt': `${two}${changed}${one}`, 'v.txt': three });
    const [overlap, ...others] = await textOverlap({ training: [at('a.txt'), at('b.txt')], validation: { prose: [at('v.txt')] } });
    expect(others).toEqual([]);
    expect(overlap).toMatchObject({ set: 'prose', sameFile: false, validationFile: at('v.txt'), trainingFile: at('b.txt') });
    // But for the last one, which reaches beyond the end.
    expect(overlap?.found).toBe(overlap?.windows);
    expect(overlap?.windows).toBeGreaterThan(100);
  });

  it('is found where only one file of a set leaked, and of several sets the one that did', async () => {
    const parts = Array.from({ length: 20 }, (_, index) => prose(100 + index, 500));
    const files = Object.fromEntries(parts.map((part, index) => [`v${index}.txt`, part]));
    const at = written({ 'a.txt': `${one}${parts[7] ?? ''}`, 'w.txt': three, ...files });
    const all = Object.keys(files).map(at);
    const overlaps = await textOverlap({ training: [at('a.txt')], validation: { clean: [at('w.txt')], leaked: all } });
    expect(overlaps).toMatchObject([{ set: 'leaked', validationFile: at('v7.txt'), trainingFile: at('a.txt') }]);
    const share = (overlaps[0]?.found ?? 0) / (overlaps[0]?.windows ?? 1);
    expect(share).toBeGreaterThan(0.03);
    expect(share).toBeLessThan(0.07);
  });

  it('is not a line that every text has', async () => {
    const ruler = `${'-'.repeat(200)}\n`;
    const at = written({
      'a.txt': `${ruler}${one}${ruler}`,
      'v.txt': Array.from({ length: 50 }, (_, index) => `${ruler}${prose(index, 5)}`).join(''),
    });
    expect(await textOverlap({ training: [at('a.txt')], validation: { prose: [at('v.txt')] } })).toEqual([]);
  });

  it('says nothing of files that cannot be read, nor of empty ones', async () => {
    const at = written({ 'a.txt': one, 'empty.txt': '' });
    const validation = { gone: [at('gone.txt')], empty: [at('empty.txt')] };
    expect(await textOverlap({ training: [at('a.txt'), at('missing.txt')], validation })).toEqual([]);
  });

  it('ends when it is told to', async () => {
    const at = written({ 'a.txt': one, 'v.txt': three });
    const signal = AbortSignal.abort(new Error('Enough.'));
    await expect(textOverlap({ training: [at('a.txt')], validation: { prose: [at('v.txt')] }, signal })).rejects.toThrow('Enough.');
  });

  it('is none in the sample workspace, whose texts are made by the same rules', async () => {
    const folder = temporaryFolder();
    const { written: files } = await writeSampleWorkspace(folder);
    const below = (part: string): string[] => files.filter((file) => file.startsWith(join(folder, 'corpus', part)));
    const validation = Object.fromEntries(below('validation').map((file) => [file, [file]]));
    expect([below('train').length > 0, Object.keys(validation).length]).toEqual([true, 4]);
    expect(await textOverlap({ training: below('train'), validation })).toEqual([]);
  });
});
