import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MetricsLine } from '../../src/runs/format';
import { isProcessAlive } from '../../src/runs/liveness';
import { readStatus } from '../../src/runs/readRun';
import { readMetrics, start } from '../../src/runs/runReader';
import { temporaryFolder } from '../runs/fixtures';
import { builtBundles } from '../worker/bundles';
import { writeTinyExperiment, type TinyExperiment } from '../worker/experiments';

const bundleFolder = builtBundles();

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function cli(cwd: string, ...args: string[]): Promise<Ended> {
  return cliIn(process.env, cwd, ...args);
}

function cliIn(env: NodeJS.ProcessEnv, cwd: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(bundleFolder, 'cli.js'), ...args], { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

function experiment(settings: TinyExperiment = {}): string {
  const folder = temporaryFolder();
  writeTinyExperiment(folder, settings);
  return folder;
}

const jsonLines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

interface Finished {
  readonly type: string;
  readonly run: string;
  readonly state: string;
  readonly step: number;
}

async function ended(run: string): Promise<void> {
  for (;;) {
    const status = await readStatus(run);
    if (status !== undefined && ['finished', 'stopped', 'failed'].includes(status.state) && !isProcessAlive(status.pid)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe('moe-lab run', () => {
  it('prints the metrics lines as they stand in the run directory, and a last line about the end', async () => {
    const folder = experiment();
    const { code, stdout, stderr } = await cli(folder, 'run', 'tiny.moe.yaml', '--json', '--steps', '4');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = jsonLines(stdout);
    const last = lines.at(-1) as Finished;
    expect(last).toMatchObject({
      type: 'finished',
      schemaVersion: 1,
      state: 'finished',
      step: 4,
      totalSteps: 4,
      failure: null,
      causal: true,
      notCausal: [],
    });
    expect(last.run.startsWith(join(folder, '.moe-lab', 'runs'))).toBe(true);
    expect(lines.slice(0, -1)).toEqual((await readMetrics(last.run, start)).records);
  });

  it('shows progress in plain lines where there is no terminal', async () => {
    const { code, stdout } = await cli(experiment({ steps: 20, evaluateEvery: 10 }), 'run', 'tiny.moe.yaml');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^step 20 {2}validation perplexity {2}prose \d/m);
    expect(stdout).toMatch(/^ {2}layer 1 {2}[·░▒▓█]{4} {2}busiest \d\.\dx/m);
    expect(stdout).toContain('finished at step 20 of 20');
    expect(stdout).not.toContain('\u001b');
  });

  it('says of a model that is not causal that it is, and its warnings once, as count does', async () => {
    const folder = experiment({ router: '{ select: expert_choice, balance: none, balance_weight: 0.5 }' });
    const { stderr: warnings } = await cli(folder, 'count', 'tiny.moe.yaml');
    expect(warnings).toMatch(/^tiny\.moe\.yaml:8:\d+: warning not-causal: .*\ntiny\.moe\.yaml:8:\d+: warning balance-without-loss: .*\n$/);

    const text = await cli(folder, 'run', 'tiny.moe.yaml');
    expect(text).toMatchObject({ code: 0, stderr: warnings });
    const lines = text.stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^Tiny MH-MoE: /);
    expect(lines[1]).toMatch(/^Not causal: with `select: expert_choice` /);
    expect(lines.at(-1)).toMatch(/^finished at step 6 of 6 after .*; not causal: its perplexity cannot be compared with /);

    const told = { causal: false, notCausal: [{ path: ['model', 'moe', 'router', 'select'], reason: lines[1] }] };
    const json = await cli(folder, 'run', 'tiny.moe.yaml', '--json');
    expect(json).toMatchObject({ code: 0, stderr: warnings });
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ type: 'finished', state: 'finished', ...told });
    const detached = await cli(folder, 'run', 'tiny.moe.yaml', '--detach', '--json');
    expect(detached).toMatchObject({ code: 0, stderr: warnings });
    expect(jsonLines(detached.stdout)).toMatchObject([{ type: 'started', ...told }]);
    await ended((jsonLines(detached.stdout)[0] as Finished).run);
  });

  it('stops with a checkpoint when its terminal closes, or whoever reads its output goes', async () => {
    for (const leave of ['SIGHUP', 'close'] as const) {
      const folder = experiment({ steps: 100_000, evaluateEvery: 1_000_000, checkpointEvery: 1_000_000 });
      const child = spawn(process.execPath, [join(bundleFolder, 'cli.js'), 'run', 'tiny.moe.yaml', '--json'], { cwd: folder });
      child.stdout.once('data', () => (leave === 'close' ? child.stdout.destroy() : child.kill(leave)));
      expect(await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))).toBe(0);
      const { runs } = JSON.parse((await cli(folder, 'runs', '--json')).stdout) as { runs: { state: string; directory: string }[] };
      expect(runs).toMatchObject([{ state: 'stopped' }]);
      expect(existsSync(join(runs[0]?.directory ?? '', 'checkpoints'))).toBe(true);
    }
  });

  it('stops with a checkpoint on Ctrl-C, and goes on from there with --resume', async () => {
    const folder = experiment({ steps: 1500, evaluateEvery: 1_000_000, checkpointEvery: 1_000_000 });
    const child = spawn(process.execPath, [join(bundleFolder, 'cli.js'), 'run', 'tiny.moe.yaml', '--json'], { cwd: folder });
    let stdout = '';
    child.stdout.on('data', (data: Buffer) => {
      if (!stdout.includes('"step":5,') && `${stdout}${data.toString()}`.includes('"step":5,')) child.kill('SIGINT');
      stdout += data.toString();
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    const stopped = jsonLines(stdout).at(-1) as Finished;
    expect(stopped.state).toBe('stopped');
    expect(existsSync(join(stopped.run, 'checkpoints', `step-${stopped.step}`))).toBe(true);

    const id = stopped.run.split('/').at(-1) ?? '';
    const resumed = await cli(folder, 'run', '--resume', id.slice(-4), '--json');
    const last = jsonLines(resumed.stdout).at(-1) as Finished;
    expect(last).toMatchObject({ run: stopped.run, state: 'finished', step: 1500 });
    expect((jsonLines(resumed.stdout)[0] as MetricsLine).step).toBe(stopped.step + 1);
    expect((await cli(folder, 'run', '--resume', id)).stderr).toContain('has finished its 1500 steps');
  });

  it('exits 1 where it diverges, with the reason and the run', async () => {
    const { code, stdout, stderr } = await cli(
      experiment({ learningRate: 1000, checkpointEvery: 1, steps: 20 }),
      'run',
      'tiny.moe.yaml',
      '--json',
    );
    expect(code).toBe(1);
    expect(jsonLines(stdout).at(-1)).toMatchObject({
      type: 'finished',
      state: 'failed',
      failure: { message: expect.stringContaining('Diverged') },
    });
    // After what the config is warned of: a rate that nobody uses.
    expect(stderr).toMatch(/warning learning-rate-range: [^\n]*\nmoe-lab: Diverged: the (loss|gradient norm) is/);
  });

  it.each<[string, (folder: string) => void, RegExp]>([
    ['a config with errors', (folder) => writeFileSync(join(folder, 'tiny.moe.yaml'), 'model: ['), /^tiny\.moe\.yaml:\d+:\d+: error /],
    ['a missing corpus', (folder) => rmSync(join(folder, 'corpus', 'train.txt')), /^moe-lab: There is no file "corpus\/train\.txt"/],
    ['an empty corpus', (folder) => writeFileSync(join(folder, 'corpus', 'train.txt'), ''), /^moe-lab: .*is empty/],
    [
      'a binary corpus',
      (folder) => writeFileSync(join(folder, 'corpus', 'train.txt'), Buffer.alloc(5000)),
      /^moe-lab: .*does not look like text/,
    ],
    [
      'one shorter than a batch',
      (folder) => writeFileSync(join(folder, 'corpus', 'train.txt'), 'short'),
      /^moe-lab: .*fewer than one batch/,
    ],
    ['a runs folder that cannot be made', (folder) => writeFileSync(join(folder, '.moe-lab'), ''), /^moe-lab: Cannot write .*\.moe-lab/],
  ])('exits 1 with one message for %s, and makes no run', async (_, spoil, message) => {
    const folder = experiment();
    spoil(folder);
    const { code, stdout, stderr } = await cli(folder, 'run', 'tiny.moe.yaml', '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(existsSync(join(folder, '.moe-lab', 'runs'))).toBe(false);
  });

  it('exits 2 for wrong use', async () => {
    const folder = experiment();
    for (const args of [[], ['a', 'b'], ['tiny.moe.yaml', '--steps', 'few'], ['tiny.moe.yaml', '--device', 'tpu'], ['--resume', 'none']]) {
      expect(await cli(folder, 'run', ...args)).toMatchObject({ code: 2, stdout: '' });
    }
  });
});

describe('a detached run', () => {
  it('is started, listed, shown, stopped and listed again', async () => {
    const folder = experiment({ steps: 1_000_000, evaluateEvery: 1_000_000, checkpointEvery: 1_000_000 });
    const { code, stdout } = await cli(folder, 'run', 'tiny.moe.yaml', '--detach');
    expect(code).toBe(0);
    const run = stdout.trim();
    onTestFinished(async () => {
      // Detached on purpose: nothing else would end it if an expectation failed.
      const status = await readStatus(run);
      if (status !== undefined && isProcessAlive(status.pid)) process.kill(status.pid, 'SIGKILL');
    });
    const running = JSON.parse((await cli(folder, 'runs', '--json')).stdout) as { runs: unknown[] };
    expect(running).toMatchObject({ schemaVersion: 1, runs: [{ directory: run, name: 'Tiny MH-MoE', state: 'running' }] });

    expect((await cli(folder, 'stop', run)).code).toBe(0);
    await ended(run);
    const again = await cli(folder, 'stop', run);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('it is stopped');
    expect((await cli(folder, 'runs')).stdout).toMatch(/Tiny MH-MoE +stopped +\d+\/1000000/);

    const shown = await cli(folder, 'show', run);
    expect(shown.stdout).toContain('parameters');
    expect(shown.stdout).toMatch(/Checkpoint of step \d+\./);
    const json = JSON.parse((await cli(folder, 'show', run, '--json')).stdout) as unknown;
    expect(json).toMatchObject({ schemaVersion: 1, runs: [{ directory: run, state: 'stopped', description: { name: 'Tiny MH-MoE' } }] });
    expect(readFileSync(join(run, 'run.json'), 'utf8')).toContain('"chosen": true');
  });
});

describe('where WebGPU has no GPU', () => {
  it.runIf(process.platform === 'linux').each([[[]], [['--detach']]])(
    'a small model is refused in one sentence, before there is anything of the run: %j',
    async (more) => {
      const folder = experiment();
      // A list of drivers that are not there hides those that are.
      const env = { ...process.env, VK_ICD_FILENAMES: join(folder, 'none.json') };
      const { code, stdout, stderr } = await cliIn(env, folder, 'run', 'tiny.moe.yaml', '--device', 'webgpu', ...more);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(
        /^moe-lab: WebGPU finds no GPU on this machine( \([^)]*\))?\.\n {2}Install a Vulkan loader and a driver for the GPU \([^)]*\), or set engine\.device to cpu\.\n$/,
      );
      expect(existsSync(join(folder, '.moe-lab'))).toBe(false);
    },
  );
});

describe('moe-lab devices', () => {
  it('says of every device whether it can train', async () => {
    const { code, stdout } = await cli(temporaryFolder(), 'devices', '--json');
    expect(code).toBe(0);
    const { devices } = JSON.parse(stdout) as { devices: { device: string; detail: string }[] };
    expect(devices.map(({ device }) => device)).toEqual(['cpu', 'webgpu']);
    expect(devices[0]).toMatchObject({ available: true });
    expect(devices.every(({ detail }) => detail !== '')).toBe(true);
  });
});
