import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDescription } from '../../src/runs/readRun';
import { temporaryFolder } from '../runs/fixtures';
import { builtBundles } from '../worker/bundles';
import { writeTinyExperiment } from '../worker/experiments';

const bundleFolder = builtBundles();

function cli(cwd: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(bundleFolder, 'cli.js'), ...args], { cwd, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function family(sweep: string): string {
  const folder = temporaryFolder();
  appendFileSync(writeTinyExperiment(folder), sweep);
  return folder;
}

const finished = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type?: string; run: string; state: string; failure: { cause?: string } | null })
    .filter(({ type }) => type === 'finished');

describe('moe-lab run of a sweep', () => {
  it('trains every member in turn, each a run that says what it is', async () => {
    const folder = family('sweep: { model.moe.top_k: [1, 2], train.seed: [3, 4] }\n');
    const { code, stdout } = await cli(folder, 'run', 'tiny.moe.yaml', '--json', '--steps', '2');
    expect(code).toBe(0);
    const runs = finished(stdout);
    expect(runs.map(({ state }) => state)).toEqual(['finished', 'finished', 'finished', 'finished']);
    const descriptions = await Promise.all(runs.map(({ run }) => readDescription(run)));
    expect(descriptions.map((one) => [one?.name, one?.seed, one?.routedLayers[0]?.k])).toEqual([
      ['Tiny MH-MoE, top_k=1, seed=3', 3, 1],
      ['Tiny MH-MoE, top_k=1, seed=4', 4, 1],
      ['Tiny MH-MoE, top_k=2, seed=3', 3, 2],
      ['Tiny MH-MoE, top_k=2, seed=4', 4, 2],
    ]);
    expect(descriptions[1]?.sweep).toEqual({ member: 'top_k=1, seed=4', changes: { 'model.moe.top_k': 1, 'train.seed': 4 } });
    expect(descriptions[1]?.experiment).not.toHaveProperty('sweep');
    // A member goes on by itself.
    const resumed = await cli(folder, 'run', '--resume', runs[1]?.run ?? '', '--json');
    expect(resumed.stderr).toMatch(/finished/);
  });

  it('trains one member alone, also detached; all of them only in turn', async () => {
    const folder = family('sweep:\n  - { model.moe.top_k: 1 }\n  - { model.moe.top_k: 2, train.seed: 9 }\n');
    const { code, stdout } = await cli(folder, 'run', 'tiny.moe.yaml', '--member', 'top_k=2, seed=9', '--json', '--steps', '1');
    expect(code).toBe(0);
    expect(finished(stdout)).toHaveLength(1);
    expect((await readDescription(finished(stdout)[0]?.run ?? ''))?.seed).toBe(9);
    expect(await cli(folder, 'run', 'tiny.moe.yaml', '--detach')).toMatchObject({ code: 2, stderr: expect.stringContaining('--member') });
    expect(await cli(folder, 'run', 'tiny.moe.yaml', '--member', '7')).toMatchObject({ code: 2 });
  });

  it('goes on after a member that diverges, and says so with its exit code', async () => {
    const folder = family('sweep: { train.learning_rate: [1.0e-3, 1.0e+6, 2.0e-3] }\n');
    const { code, stdout } = await cli(folder, 'run', 'tiny.moe.yaml', '--json');
    expect(code).toBe(1);
    expect(finished(stdout).map(({ state, failure }) => [state, failure?.cause])).toEqual([
      ['finished', undefined],
      ['failed', 'diverged'],
      ['finished', undefined],
    ]);
  });

  it('trains nothing where a member has errors', async () => {
    const folder = family('sweep: { model.moe.top_k: [1, 5] }\n');
    const { code, stdout, stderr } = await cli(folder, 'run', 'tiny.moe.yaml', '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/error sweep-member: top_k=5: /);
    expect(await cli(folder, 'run', 'tiny.moe.yaml', '--member', '1', '--json', '--steps', '1')).toMatchObject({ code: 0 });
  });

  it('ends with the members side by side', async () => {
    const folder = family('sweep: { model.moe.top_k: [1, 2] }\n');
    const { stdout } = await cli(folder, 'run', 'tiny.moe.yaml', '--steps', '1');
    expect(stdout).toContain('Member 1 of 2\nTiny MH-MoE, top_k=1: ');
    expect(stdout).toMatch(/\n +Tiny MH-MoE, top_k=1 +Tiny MH-MoE, top_k=2\nparameters /);
  });
});
