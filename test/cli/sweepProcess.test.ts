import { execFile } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isLive, isProcessAlive } from '../../src/runs/liveness';
import { readDescription, readStatus } from '../../src/runs/readRun';
import { summariseRun, type RunSummary } from '../../src/runs/runIndex';
import { writeDescription } from '../../src/runs/runWriter';
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

/** The run once it has ended, with its process. */
async function over(run: string): Promise<RunSummary> {
  for (;;) {
    const [summary, status] = [await summariseRun(run), await readStatus(run)];
    if (summary !== undefined && status !== undefined && !isLive(summary.state) && !isProcessAlive(status.pid)) return summary;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
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

  it('trains one member alone', async () => {
    const folder = family('sweep:\n  - { model.moe.top_k: 1 }\n  - { model.moe.top_k: 2, train.seed: 9 }\n');
    const { code, stdout } = await cli(folder, 'run', 'tiny.moe.yaml', '--member', 'top_k=2, seed=9', '--json', '--steps', '1');
    expect(code).toBe(0);
    expect(finished(stdout)).toHaveLength(1);
    expect((await readDescription(finished(stdout)[0]?.run ?? ''))?.seed).toBe(9);
    expect(await cli(folder, 'run', 'tiny.moe.yaml', '--member', '7')).toMatchObject({ code: 2 });
  });

  it('goes on by itself with what waits behind a run that is resumed, when the training here is over', async () => {
    const folder = family('sweep: { train.seed: [3, 4] }\n');
    const detached = await cli(folder, 'run', 'tiny.moe.yaml', '--detach', '--steps', '3000');
    const run = detached.stdout.trim();
    expect(await cli(folder, 'stop', run)).toMatchObject({ code: 0 });
    const stopped = await over(run);
    expect(stopped).toMatchObject({ state: 'stopped', sweep: { waiting: ['seed=4'], goesOn: false } });
    // Not to its end: the same steps in less time.
    const description = await readDescription(run);
    if (description === undefined) throw new Error('no run.json');
    const experiment = description.experiment as { train: object };
    const totalSteps = stopped.step + 2;
    writeDescription(run, { ...description, totalSteps, experiment: { ...experiment, train: { ...experiment.train, steps: totalSteps } } });
    const resumed = await cli(folder, 'run', '--resume', run);
    expect(resumed).toMatchObject({ code: 0, stderr: expect.stringContaining('the next member of the sweep trains: ') });
    const next = /trains: (.*)/.exec(resumed.stderr)?.[1] ?? '';
    expect((await readDescription(next))?.sweep).toEqual({ member: 'seed=4', changes: { 'train.seed': 4 }, follows: basename(run) });
    expect(await cli(folder, 'stop', '--sweep', next)).toMatchObject({ code: 0, stdout: `Asked ${next} to stop.\n` });
    await over(next);
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
