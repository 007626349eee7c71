import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { DataError } from '../../src/data/dataError';
import type { MetricsLine, RunStatus } from '../../src/runs/format';
import { isProcessAlive } from '../../src/runs/liveness';
import { readDescription, readStatus } from '../../src/runs/readRun';
import { runFiles } from '../../src/runs/runFiles';
import { deleteRun, RunIndex, RunIsLive, summariseRun } from '../../src/runs/runIndex';
import { applyIncrement, readExperts, readMetrics, start } from '../../src/runs/runReader';
import { RunStorageError } from '../../src/runs/storageError';
import { requestStop, RunClient } from '../../src/worker/client';
import { probeDevice } from '../../src/worker/chooseNode';
import { resumeRun, startRun } from '../../src/worker/launch';
import { ConfigRejected, LaunchError } from '../../src/worker/runFailure';
import { temporaryFolder } from '../runs/fixtures';
import { builtBundles } from './bundles';
import { writeTinyExperiment, type TinyExperiment } from './experiments';

const bundleFolder = builtBundles();
const workers = new Set<number>();

// Workers are detached on purpose: whatever a failed test leaves is ended by the pid in its run directory.
afterAll(() => {
  for (const pid of workers) if (isProcessAlive(pid)) process.kill(pid, 'SIGKILL');
});

const long: TinyExperiment = { steps: 1_000_000, checkpointEvery: 20, evaluateEvery: 1_000_000 };

async function started(experiment: TinyExperiment, folder = temporaryFolder()) {
  const configFile = writeTinyExperiment(folder, experiment);
  const launched = await startRun({ configFile, readText: readTextFromDisk, runsDirectory: join(folder, 'runs'), bundleFolder });
  workers.add(launched.status.pid);
  onTestFinished(async () => {
    // Before the folder is removed under it.
    const status = await readStatus(launched.run);
    if (status !== undefined && status.pid !== process.pid && isProcessAlive(status.pid)) process.kill(status.pid, 'SIGKILL');
    await until(() => status === undefined || status.pid === process.pid || !isProcessAlive(status.pid));
  });
  return { folder, ...launched };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 25));
}

async function settled(run: string): Promise<RunStatus> {
  let status = await readStatus(run);
  await until(async () => {
    status = await readStatus(run);
    return status !== undefined && ['finished', 'stopped', 'failed'].includes(status.state);
  });
  if (status === undefined) throw new Error('no status');
  const { pid } = status;
  await until(() => !isProcessAlive(pid));
  return status;
}

async function reached(run: string, step: number): Promise<void> {
  await until(async () => ((await readStatus(run))?.step ?? 0) >= step);
}

async function client(run: string): Promise<RunClient> {
  const connected = await RunClient.connect(run);
  if (connected === undefined) throw new Error('no worker answers');
  onTestFinished(() => connected.dispose());
  return connected;
}

describe('a worker process', () => {
  it('trains detached to the end, and says who it was', async () => {
    const { run, description, status } = await started({ steps: 30 });
    expect(status.pid).not.toBe(process.pid);
    expect(description.launch.filter((rung) => rung.chosen)).toHaveLength(1);
    expect(description.launch.at(-1)?.reason).toContain('onnxruntime');
    expect(description.data.map((corpus) => corpus.name)).toEqual(['train', 'validation.prose']);
    expect(description.versions.node).toMatch(/^\d+\./);
    expect(await settled(run)).toMatchObject({ state: 'finished', step: 30, failure: null, address: null });
    expect((await readMetrics(run, start)).records.filter((line) => line.train !== undefined)).toHaveLength(30);
    expect(readFileSync(runFiles.log(run), 'utf8')).toContain('finished at step 30');
  });

  it('is watched by several clients, of which any may leave and come back, without a gap', async () => {
    const { run, status } = await started(long);
    const first = await client(run);
    const second = await client(run);
    expect(first.greeting.pid).toBe(status.pid);
    const held: MetricsLine[] = [];
    let increment = await readMetrics(run, start);
    applyIncrement(held, increment);
    first.dispose();
    await reached(run, (held.at(-1)?.step ?? 0) + 5);
    const again = await client(run);
    expect(again.greeting.pid).toBe(status.pid);
    await again.stop();
    const closed = new Promise<void>((resolve) => second.onClosed(resolve));
    const last = await settled(run);
    await closed;
    increment = await readMetrics(run, increment.cursor);
    applyIncrement(held, increment);
    expect(last).toMatchObject({ state: 'stopped', pid: status.pid });
    expect(held.filter((line) => line.train !== undefined).map((line) => line.step)).toEqual(
      Array.from({ length: last.step }, (_, index) => index + 1),
    );
    expect(existsSync(join(runFiles.checkpoints(run), `step-${last.step}`))).toBe(true);
  });

  it('is found as a file when the socket is gone, and makes a new socket', async () => {
    const { run, status } = await started(long);
    const address = status.address?.path ?? '';
    rmSync(dirname(address), { recursive: true });
    await until(async () => ((await readStatus(run))?.address?.path ?? address) !== address);
    expect((await client(run)).greeting.pid).toBe(status.pid);
    const renewed = (await readStatus(run))?.address?.path ?? '';
    rmSync(dirname(renewed), { recursive: true });
    expect(await requestStop(run)).toBe('file');
    expect((await settled(run)).state).toBe('stopped');
  });

  it('stops with a checkpoint when asked to end, and ignores that its terminal closed', async () => {
    const { run, status } = await started(long);
    process.kill(status.pid, 'SIGHUP');
    const { step } = (await readStatus(run)) ?? { step: 0 };
    await reached(run, step + 3);
    process.kill(status.pid, 'SIGTERM');
    const last = await settled(run);
    expect(last.state).toBe('stopped');
    expect(existsSync(join(runFiles.checkpoints(run), `step-${last.step}`))).toBe(true);
  });

  it('is seen as lost when it was killed, and taken up again with the same losses', async () => {
    const { run, status } = await started(long);
    await expect(deleteRun(run)).rejects.toThrow(RunIsLive);
    await expect(resumeRun(run, { bundleFolder })).rejects.toThrow(/is running on/);
    await reached(run, 45);
    process.kill(status.pid, 'SIGKILL');
    await until(() => !isProcessAlive(status.pid));
    const before = (await readMetrics(run, start)).records.filter((line) => line.train !== undefined);
    const [lost] = await new RunIndex(dirname(run)).refresh();
    expect(lost?.state).toBe('lost');

    const left = dirname(status.address?.path ?? '');
    expect(existsSync(left)).toBe(true);
    const resumed = await resumeRun(run, { bundleFolder });
    expect(existsSync(left)).toBe(false);
    expect(resumed.status.pid).not.toBe(status.pid);
    await reached(run, (before.at(-1)?.step ?? 0) + 1);
    await requestStop(run);
    const last = await settled(run);
    const after = (await readMetrics(run, start)).records.filter((line) => line.train !== undefined);
    expect(after.map((line) => line.step)).toEqual(Array.from({ length: last.step }, (_, index) => index + 1));
    expect(after.slice(0, before.length).map((line) => line.train)).toEqual(before.map((line) => line.train));
    expect(
      (await readExperts(run, start)).records.map((frame) => frame.step).every((step, index, steps) => step > (steps[index - 1] ?? 0)),
    ).toBe(true);
    await deleteRun(run);
    expect(existsSync(run)).toBe(false);
  });

  it('fails where it diverges, and the reason is there for whoever looks', async () => {
    const { run } = await started({ steps: 50, learningRate: 1000, checkpointEvery: 1 }).catch((error: unknown) => {
      // Diverged before the launcher looked.
      if (error instanceof LaunchError && error.run !== undefined) return { run: error.run };
      throw error;
    });
    const status = await settled(run);
    expect(status).toMatchObject({ state: 'failed', failure: { message: expect.stringMatching(/^Diverged: the /) } });
    expect((await summariseRun(run))?.failure?.advice).toContain('learning_rate');
    expect(existsSync(join(runFiles.checkpoints(run), `step-${(status.failure?.step ?? 0) - 1}`))).toBe(true);
  });
});

describe('starting a run is refused', () => {
  const options = (folder: string) => ({ readText: readTextFromDisk, runsDirectory: join(folder, 'runs'), bundleFolder });

  it('where the config has errors, at their place', async () => {
    const folder = temporaryFolder();
    const configFile = writeTinyExperiment(folder);
    writeFileSync(configFile, readFileSync(configFile, 'utf8').replace('heads: 2 }', 'heads: 3 }'));
    const failure = await startRun({ configFile, ...options(folder) }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConfigRejected);
    expect(failure).toMatchObject({ message: expect.stringContaining(`${configFile}:6:`) });
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('where its text is missing, before there is a run directory', async () => {
    const folder = temporaryFolder();
    const configFile = writeTinyExperiment(folder);
    rmSync(join(folder, 'corpus', 'train.txt'));
    await expect(startRun({ configFile, ...options(folder) })).rejects.toThrow(DataError);
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('where the runs folder cannot be made', async () => {
    const folder = temporaryFolder();
    const configFile = writeTinyExperiment(folder);
    writeFileSync(join(folder, 'file'), '');
    const attempt = startRun({ configFile, ...options(folder), runsDirectory: join(folder, 'file', 'runs') });
    await expect(attempt).rejects.toThrow(RunStorageError);
  });

  it('where no Node can train, with what each said', async () => {
    const folder = temporaryFolder();
    const configFile = writeTinyExperiment(folder);
    copyFileSync(join(bundleFolder, 'dataThread.js'), join(folder, 'dataThread.js'));
    writeFileSync(join(folder, 'probe.js'), 'throw new Error("the runtime is not for this machine")');
    const attempt = startRun({ configFile, ...options(folder), bundleFolder: folder, nodePath: join(folder, 'no-node') });
    await expect(attempt).rejects.toThrow(/no-node: there is no such program\n.*Error: the runtime is not for this machine/);
  });

  it('where the worker cannot start: the run says so as well', async () => {
    const folder = temporaryFolder();
    const configFile = writeTinyExperiment(folder);
    copyFileSync(join(bundleFolder, 'dataThread.js'), join(folder, 'dataThread.js'));
    writeFileSync(join(folder, 'probe.js'), 'console.log(JSON.stringify({ available: true, detail: "fine" }))');
    writeFileSync(join(folder, 'worker.js'), 'throw new Error("broken bundle")');
    const failure = await startRun({ configFile, ...options(folder), bundleFolder: folder }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LaunchError);
    expect(failure).toMatchObject({ message: expect.stringContaining('broken bundle') });
    const [run] = await new RunIndex(join(folder, 'runs')).refresh();
    expect(run).toMatchObject({ state: 'failed', failure: { message: expect.stringContaining('broken bundle') } });
  });
});

describe('the rungs of the ladder', () => {
  it('are passed over with a reason until one holds, and run.json says so', async () => {
    const folder = temporaryFolder();
    const configFile = writeTinyExperiment(folder, { steps: 2 });
    const nodePath = join(folder, 'no-node');
    const { run } = await startRun({ configFile, readText: readTextFromDisk, runsDirectory: join(folder, 'runs'), bundleFolder, nodePath });
    const launch = (await readDescription(run))?.launch;
    expect(launch?.[0]).toEqual({ rung: 'setting', executable: nodePath, chosen: false, reason: 'there is no such program' });
    expect(launch?.at(-1)?.chosen).toBe(true);
    await settled(run);
  });

  it('tell which devices there are', async () => {
    expect(await probeDevice('cpu', { bundleFolder })).toMatchObject({ device: 'cpu', available: true });
    const webgpu = await probeDevice('webgpu', { bundleFolder });
    expect(webgpu.detail).not.toBe('');
  });

  it('give the worker nothing of the editor', async ({ skip }) => {
    if (!existsSync('/proc/self/environ')) {
      console.log('skipped: this system does not show the environment of a process');
      return skip('no /proc');
    }
    process.env['VSCODE_OF_A_TEST'] = '1';
    onTestFinished(() => void delete process.env['VSCODE_OF_A_TEST']);
    const { run, status } = await started(long);
    const environment = readFileSync(`/proc/${status.pid}/environ`, 'utf8').split('\0');
    expect(environment).toContain('ORT_DISABLE_TELEMETRY=1');
    expect(environment.filter((entry) => /^(VSCODE_|ELECTRON_|NODE_OPTIONS=)/.test(entry))).toEqual([]);
    await requestStop(run);
    await settled(run);
  });
});
