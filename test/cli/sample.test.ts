import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

const configs = ['dense.moe.yaml', 'mh-moe.moe.yaml', 'smoe.moe.yaml'];

describe('moe-lab sample', () => {
  it('writes text and configs that count without a finding, and says what comes next', async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await runCli(cwd, 'sample', 'a b');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${join(cwd, 'a b')}: 12 files written.\nNext: moe-lab run "${join('a b', 'mh-moe.moe.yaml')}"\n`);
    expect(readdirSync(join(cwd, 'a b')).sort()).toEqual(['README.md', 'corpus', ...configs]);
    expect(await runCli(join(cwd, 'a b'), 'count', ...configs)).toMatchObject({ code: 0, stderr: '' });
  });

  it('overwrites nothing', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'smoe.moe.yaml'), 'mine');
    const { code, stdout } = await runCli(cwd, 'sample', '.');
    expect(code).toBe(0);
    expect(stdout).toBe(`${cwd}: 11 files written, 1 file that was there left as it was.\nNext: moe-lab run mh-moe.moe.yaml\n`);
    expect(readFileSync(join(cwd, 'smoe.moe.yaml'), 'utf8')).toBe('mine');
    const again = z
      .strictObject({ schemaVersion: z.literal(1), folder: z.string(), written: z.array(z.string()), existed: z.array(z.string()) })
      .parse(JSON.parse((await runCli(cwd, 'sample', '.', '--json')).stdout));
    expect(again).toMatchObject({ folder: cwd, written: [] });
    expect(again.existed).toHaveLength(12);
    expect((await runCli(cwd, 'sample', '.')).stdout).toContain('nothing was written');
  });

  it('says where it cannot write, and what is wrong use', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'file'), '');
    const { code, stderr } = await runCli(cwd, 'sample', 'file');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^moe-lab: The sample could not be written into .*file: .*\n {2}Choose a folder that can be written\.\n$/);
    for (const args of [[], ['a', 'b']]) {
      expect(await runCli(cwd, 'sample', ...args)).toEqual({
        code: 2,
        stdout: '',
        stderr: 'moe-lab: Name one folder, as in moe-lab sample try; it is made if it is not there.\n',
      });
    }
    expect(readdirSync(cwd)).toEqual(['file']);
  });
});
