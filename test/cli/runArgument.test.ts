import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runsDirectoryOf } from '../../src/cli/runArgument';
import { temporaryFolder } from '../runs/fixtures';

describe('where the command line keeps runs', () => {
  it('in the working directory, where there are none above', () => {
    const folder = temporaryFolder();
    expect(runsDirectoryOf({}, folder)).toBe(join(folder, '.moe-lab', 'runs'));
  });

  it('in the nearest folder above that has runs, as the editor shows them', () => {
    const folder = temporaryFolder();
    const below = join(folder, 'configs', 'ablation');
    mkdirSync(join(folder, '.moe-lab', 'runs'), { recursive: true });
    mkdirSync(below, { recursive: true });
    expect(runsDirectoryOf({}, below)).toBe(join(folder, '.moe-lab', 'runs'));
  });

  it('where --runs says', () => {
    const folder = temporaryFolder();
    expect(runsDirectoryOf({ runs: 'elsewhere' }, folder)).toBe(join(folder, 'elsewhere'));
  });
});
