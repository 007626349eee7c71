import { execFile, spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { builtBundles } from '../worker/bundles';

const root = join(import.meta.dirname, '../..');
const models = join(root, 'test/fixtures/tables-1-and-2');
const node = promisify(execFile);

/** The command line as it ships: one bundle, in a process of its own. */
describe('the moe-lab program', () => {
  const program = join(builtBundles(), 'cli.js');

  it('counts, with exit code 0 and JSON on stdout alone', async () => {
    const { stdout, stderr } = await node(process.execPath, [program, 'count', 'dense.moe.yaml', '--json'], { cwd: models });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, models: [{ name: 'Dense', parameters: { total: 109_529_856 } }] });
  });

  it('exits 1 for findings and 2 for wrong use', async () => {
    await expect(node(process.execPath, [program, 'count', 'nowhere.moe.yaml'], { cwd: models })).rejects.toMatchObject({ code: 1 });
    await expect(node(process.execPath, [program, 'cuont'], { cwd: models })).rejects.toMatchObject({ code: 2, stdout: '' });
  });

  it('is no failure when its reader closes the pipe early, as head does', async () => {
    const child = spawn(process.execPath, [program, 'count', ...Array<string>(40).fill('mh-moe-3.moe.yaml'), '--json'], { cwd: models });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, stderr]).toEqual([0, '']);
  });

  it.skipIf(process.platform === 'win32')('can be executed by its name (not on Windows, which knows no #! line)', async () => {
    expect(readFileSync(program, 'utf8').split('\n', 1)[0]).toBe('#!/usr/bin/env node');
    chmodSync(program, 0o755);
    expect((await node(program, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
