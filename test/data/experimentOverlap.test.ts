import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { experimentFiles, experimentOverlap } from '../../src/data/experimentOverlap';
import { temporaryFolder } from '../runs/fixtures';

const text = Array.from({ length: 900 }, (_, index) => `${index * 7919} is what ${index} becomes.`).join('\n');

describe('the text of an experiment', () => {
  it('is resolved as a run resolves it; what is not there is left to that', async () => {
    const folder = temporaryFolder();
    for (const name of ['a.txt', 'b.txt', 'v.txt']) writeFileSync(join(folder, name), `${name} ${text}`);
    const data = { train: ['[ab].txt', 'gone/*.txt'], validation: { copy: ['v.txt', 'gone.txt'], same: ['b.txt'] } };
    const { training, validation } = await experimentFiles({ data, folder });
    expect(training).toEqual([join(folder, 'a.txt'), join(folder, 'b.txt')]);
    expect(validation).toEqual({ copy: [join(folder, 'v.txt')], same: [join(folder, 'b.txt')] });
    expect(await experimentOverlap({ data, folder })).toMatchObject([
      { set: 'same', sameFile: true },
      { set: 'copy', sameFile: false, trainingFile: join(folder, 'a.txt') },
    ]);
  });

  it('has a stamp that changes with its files', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.txt'), text);
    const stamp = async (train: string[]) => (await experimentFiles({ data: { train, validation: {} }, folder })).stamp;
    const before = await stamp(['a.txt']);
    expect(await stamp(['*.txt'])).toBe(before);
    appendFileSync(join(folder, 'a.txt'), 'more');
    expect(await stamp(['a.txt'])).not.toBe(before);
  });
});
