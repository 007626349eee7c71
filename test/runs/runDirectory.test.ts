import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRunDirectory, MAXIMUM_ID_LENGTH, runId, slugOf } from '../../src/runs/runDirectory';
import { RunStorageError } from '../../src/runs/storageError';
import { noon, temporaryFolder } from './fixtures';

describe('a run directory', () => {
  it('is named by time, experiment and four letters', () => {
    expect(runId('MH-MoE (head=2)', new Date(noon), 'wxyz')).toBe('20260301-120000-mh-moe-head-2-wxyz');
    expect(slugOf('Größe: π?')).toBe('gro-e');
    expect(slugOf('???')).toBe('run');
  });

  it('has a name that any file system takes, at most 60 characters long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (name) => {
        const id = runId(name, new Date(noon), 'abcd');
        expect(id.length).toBeLessThanOrEqual(MAXIMUM_ID_LENGTH);
        expect(id).toMatch(/^\d{8}-\d{6}-[a-z0-9]+(-[a-z0-9]+)*-abcd$/);
      }),
    );
  });

  it('is made with its subfolders, and keeps the runs folder out of git', () => {
    const runsDirectory = join(temporaryFolder(), 'deep', '.moe-lab', 'runs');
    const { id, directory } = createRunDirectory({ runsDirectory, name: 'SMoE', now: new Date(noon) });
    expect(directory).toBe(join(runsDirectory, id));
    expect(statSync(join(directory, 'requests')).isDirectory()).toBe(true);
    expect(statSync(join(directory, 'checkpoints')).isDirectory()).toBe(true);
    expect(readFileSync(join(runsDirectory, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('is never shared: a taken name is drawn again, and a .gitignore of the user stays', () => {
    const runsDirectory = temporaryFolder();
    writeFileSync(join(runsDirectory, '.gitignore'), 'mine\n');
    const draws = ['aaaa', 'aaaa', 'bbbb'];
    const suffix = () => draws.shift() ?? 'zzzz';
    const first = createRunDirectory({ runsDirectory, name: 'SMoE', now: new Date(noon), suffix });
    const second = createRunDirectory({ runsDirectory, name: 'SMoE', now: new Date(noon), suffix });
    expect([first.id.slice(-4), second.id.slice(-4)]).toEqual(['aaaa', 'bbbb']);
    expect(readFileSync(join(runsDirectory, '.gitignore'), 'utf8')).toBe('mine\n');
  });

  it('says what stands in the way when it cannot be made', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const attempt = () => createRunDirectory({ runsDirectory: join(file, 'runs'), name: 'SMoE', now: new Date(noon) });
    expect(attempt).toThrow(RunStorageError);
    expect(attempt).toThrow(/a part of the path is a file/);
    expect(existsSync(join(file, 'runs'))).toBe(false);
  });
});
