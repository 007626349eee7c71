import { spawn } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { isLive, isProcessAlive } from '../../src/runs/liveness';
import { readDescription, readStatus } from '../../src/runs/readRun';
import { runFiles } from '../../src/runs/runFiles';
import { RunIndex, type RunSummary } from '../../src/runs/runIndex';
import { dropSweepQueue, writeSweepQueue } from '../../src/runs/sweepQueue';
import { requestStop } from '../../src/worker/client';
import { resumeRun, startRun } from '../../src/worker/launch';
import { LaunchError } from '../../src/worker/runFailure';
import { SweepTaken } from '../../src/worker/sweepTurns';
import { temporaryFolder } from '../runs/fixtures';
import { builtBundles } from './bundles';
import { writeTinyExperiment } from './experiments';

const bundleFolder = builtBundles();
/** Without what takes time besides training. */
const plain = { checkpointEvery: 1000, evaluateEvery: 1000 };
const folders: string[] = [];

// Workers are detached on purpose: whatever a failed test leaves is ended by the pid in its run directory.
afterAll(async () => {
  for (const folder of folders)
    for (const { directory } of await runsOf(folder)) {
      const pid = (await readStatus(directory))?.pid;
      if (pid !== undefined && pid !== process.pid && isProcessAlive(pid)) process.kill(pid, 'SIGKILL');
    }
});

/** A folder with a config of that sweep. */
function family(sweep: string, steps: number): string {
  const folder = temporaryFolder();
  folders.push(folder);
  appendFileSync(writeTinyExperiment(folder, { ...plain, steps }), `sweep: ${sweep}\n`);
  return folder;
}

function start(folder: string, members: readonly number[], bundles = bundleFolder) {
  const [member = 0, ...thenMembers] = members;
  return startRun({
    configFile: join(folder, 'tiny.moe.yaml'),
    readText: readTextFromDisk,
    runsDirectory: join(folder, 'runs'),
    bundleFolder: bundles,
    member,
    thenMembers,
  });
}

/** Oldest first. */
async function runsOf(folder: string): Promise<readonly RunSummary[]> {
  return (await new RunIndex(join(folder, 'runs')).refresh()).toReversed();
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 25));
}

/** The runs once so many are over, and their processes gone. */
async function whenOver(folder: string, count: number): Promise<readonly RunSummary[]> {
  await until(async () => {
    const runs = await runsOf(folder);
    if (runs.length < count || runs.some(({ state }) => isLive(state))) return false;
    const statuses = await Promise.all(runs.map(({ directory }) => readStatus(directory)));
    return statuses.every((status) => status !== undefined && (status.pid === process.pid || !isProcessAlive(status.pid)));
  });
  return runsOf(folder);
}

const seeds = async (runs: readonly RunSummary[]) =>
  Promise.all(runs.map(async ({ directory }) => (await readDescription(directory))?.seed));

/** As the programs ship, but with a worker that cannot start. */
function brokenBundles(folder: string): string {
  const broken = join(folder, 'broken');
  mkdirSync(broken);
  copyFileSync(join(bundleFolder, 'dataThread.js'), join(broken, 'dataThread.js'));
  writeFileSync(join(broken, 'probe.js'), 'console.log(JSON.stringify({ available: true, detail: "fine" }))');
  writeFileSync(join(broken, 'worker.js'), 'throw new Error("broken bundle")');
  return broken;
}

describe('a sweep', () => {
  it('goes on member by member after the process that started it is gone, as it was when it was started', async () => {
    const folder = family('{ train.seed: [3, 4, 5] }', 150);
    // A process of its own, as an editor that is closed.
    const cli = spawn(process.execPath, [join(bundleFolder, 'cli.js'), 'run', 'tiny.moe.yaml', '--detach', '--runs', 'runs'], {
      cwd: folder,
      stdio: 'ignore',
    });
    expect(await new Promise((resolve) => cli.once('exit', resolve))).toBe(0);
    expect(isProcessAlive(cli.pid ?? 0)).toBe(false);
    const [first, ...others] = await runsOf(folder);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ state: 'running', sweep: { waiting: ['seed=4', 'seed=5'], refused: [], halted: null, goesOn: true } });
    // What becomes of the config no longer matters.
    writeFileSync(join(folder, 'tiny.moe.yaml'), 'model: [');

    const runs = await whenOver(folder, 3);
    expect(runs.map(({ name, state, step }) => [name, state, step])).toEqual(
      ['seed=3', 'seed=4', 'seed=5'].map((member) => [`Tiny MH-MoE, ${member}`, 'finished', 150]),
    );
    const described = await Promise.all(runs.map(({ directory }) => readDescription(directory)));
    expect(described.map((one) => one?.sweep)).toEqual([
      { member: 'seed=3', changes: { 'train.seed': 3 } },
      { member: 'seed=4', changes: { 'train.seed': 4 }, follows: runs[0]?.id },
      { member: 'seed=5', changes: { 'train.seed': 5 }, follows: runs[1]?.id },
    ]);
    expect(described[2]).toMatchObject({ seed: 5, configSource: described[0]?.configSource, configFile: described[0]?.configFile });
    expect(runs.map(({ sweep }) => sweep)).toEqual([null, null, null]);
    expect(runs.map(({ directory }) => existsSync(runFiles.sweep(directory)))).toEqual([false, false, false]);
    // Each only once the one before was over.
    for (const [index, { directory, createdAt }] of runs.entries()) {
      const before = runs[index - 1];
      if (before === undefined) continue;
      const ended = readFileSync(runFiles.events(before.directory), 'utf8').match(/"time":"([^"]+)"[^\n]*"kind":"finished"/)?.[1] ?? '';
      expect(ended <= createdAt, directory).toBe(true);
    }
  });

  it('goes on after a member that fails', async () => {
    const folder = family('{ train.learning_rate: [1.0e+6, 2.0e-3] }', 20);
    await start(folder, [0, 1]).catch((error: unknown) => {
      // Diverged before the launcher looked.
      if (!(error instanceof LaunchError && error.run !== undefined)) throw error;
    });
    const runs = await whenOver(folder, 2);
    expect(runs.map(({ state, failure }) => [state, failure?.cause])).toEqual([
      ['failed', 'diverged'],
      ['finished', undefined],
    ]);
  });

  it('waits where its run is stopped, and goes on when that is resumed', async () => {
    const folder = family('{ train.seed: [3, 4] }', 400);
    const { run } = await start(folder, [0, 1]);
    await requestStop(run);
    const [stopped, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(stopped).toMatchObject({ state: 'stopped', sweep: { waiting: ['seed=4'], goesOn: false } });
    await resumeRun(run, { bundleFolder });
    const runs = await whenOver(folder, 2);
    expect(runs.map(({ state, step }) => [state, step])).toEqual([
      ['finished', 400],
      ['finished', 400],
    ]);
  });

  it('waits where its worker was killed, and goes on when that is resumed', async () => {
    const folder = family('{ train.seed: [3, 4] }', 400);
    const { run, status } = await start(folder, [0, 1]);
    process.kill(status.pid, 'SIGKILL');
    const [lost, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(lost).toMatchObject({ state: 'lost', sweep: { waiting: ['seed=4'], goesOn: false } });
    await resumeRun(run, { bundleFolder });
    expect((await whenOver(folder, 2)).map(({ state }) => state)).toEqual(['finished', 'finished']);
  });

  it('ends with the member that trains where what waits was dropped', async () => {
    const folder = family('{ train.seed: [3, 4] }', 60);
    const { run } = await start(folder, [0, 1]);
    dropSweepQueue(run);
    const runs = await whenOver(folder, 1);
    expect(runs.map(({ state, sweep }) => [state, sweep])).toEqual([['finished', null]]);
    await expect(resumeRun(run, { bundleFolder })).rejects.toThrow(/has finished its 60 steps/);
  });
});

describe('a member that cannot be started', () => {
  /** No machine has the memory for the second. */
  const far =
    '[{ model.moe.experts: 4 }, { model.moe.experts: 1048576, model.moe.expert_width: 512, model.layers: 64 }, { model.moe.experts: 8 }]';
  const tooLarge = 'experts=1048576, expert_width=512, layers=64';

  it('is passed over, kept with the reason and tried again when somebody resumes the last run', async () => {
    const folder = family(far, 20);
    await start(folder, [0, 1, 2]);
    const runs = await whenOver(folder, 2);
    expect(runs.map(({ name, state }) => [name, state])).toEqual([
      ['Tiny MH-MoE, experts=4', 'finished'],
      ['Tiny MH-MoE, experts=8', 'finished'],
    ]);
    expect(runs[0]?.sweep).toBeNull();
    expect(runs[1]?.sweep).toMatchObject({
      waiting: [],
      refused: [
        {
          member: tooLarge,
          message: expect.stringMatching(/^This run needs about .* of memory/),
          advice: expect.stringMatching(/\./),
        },
      ],
      halted: null,
      goesOn: false,
    });
    expect(readFileSync(runFiles.log(runs[0]?.directory ?? ''), 'utf8')).toContain(`${tooLarge} was not started: This run needs about`);
    await expect(resumeRun(runs[1]?.directory ?? '', { bundleFolder })).rejects.toThrow(/^This run needs about/);
    expect((await runsOf(folder))[1]?.sweep?.refused).toHaveLength(1);
  });

  it('is passed over when it is the first of all, too', async () => {
    const folder = family(far, 5);
    const warnings: string[] = [];
    await startRun({
      configFile: join(folder, 'tiny.moe.yaml'),
      readText: readTextFromDisk,
      runsDirectory: join(folder, 'runs'),
      bundleFolder,
      member: 1,
      thenMembers: [0],
      onWarning: (message) => warnings.push(message),
    });
    const [run] = await whenOver(folder, 1);
    expect(run).toMatchObject({ name: 'Tiny MH-MoE, experts=4', sweep: { refused: [{ member: tooLarge }] } });
    expect(warnings.join('\n')).toContain(`${tooLarge} was not started: `);
  });

  it('halts the sweep where two in a row cannot for the same reason, until that is mended', async () => {
    const folder = family('{ train.seed: [3, 4, 5, 6] }', 200);
    const { run } = await start(folder, [0, 1, 2, 3]);
    renameSync(join(folder, 'corpus', 'train.txt'), join(folder, 'elsewhere.txt'));
    const [finished, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(finished).toMatchObject({
      state: 'finished',
      sweep: {
        waiting: ['seed=4', 'seed=5', 'seed=6'],
        refused: [],
        halted: { message: expect.stringContaining('train.txt'), advice: expect.stringMatching(/./) },
        goesOn: false,
      },
    });
    renameSync(join(folder, 'elsewhere.txt'), join(folder, 'corpus', 'train.txt'));
    await resumeRun(run, { bundleFolder });
    const runs = await whenOver(folder, 4);
    expect(await seeds(runs)).toEqual([3, 4, 5, 6]);
    expect(runs.map(({ state, sweep }) => [state, sweep])).toEqual(runs.map(() => ['finished', null]));
  });

  it('halts it where no worker can start, with the rest kept', async () => {
    const folder = family('{ train.seed: [3, 4, 5] }', 6);
    await expect(start(folder, [0, 1, 2], brokenBundles(folder))).rejects.toThrow(/broken bundle/);
    const runs = await runsOf(folder);
    expect(runs.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(runs.map(({ sweep }) => sweep)).toEqual([
      null,
      {
        waiting: ['seed=5'],
        refused: [],
        halted: expect.objectContaining({ message: expect.stringContaining('broken bundle') }),
        goesOn: false,
      },
    ]);
    await resumeRun(runs[1]?.directory ?? '', { bundleFolder });
    expect((await whenOver(folder, 3)).map(({ state }) => state)).toEqual(['failed', 'finished', 'finished']);
  });

  it('halts it where the programs were replaced by an update meanwhile', async () => {
    const folder = family('{ train.seed: [3, 4] }', 200);
    // Inside the repository, where the runtime is found.
    const old = join(bundleFolder, 'old');
    mkdirSync(old);
    for (const name of ['worker', 'engineThread', 'dataThread', 'probe'])
      copyFileSync(join(bundleFolder, `${name}.js`), join(old, `${name}.js`));
    const { run } = await start(folder, [0, 1], old);
    rmSync(old, { recursive: true });
    const [finished, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(finished).toMatchObject({
      state: 'finished',
      sweep: { waiting: ['seed=4'], halted: { message: expect.stringContaining('updated') } },
    });
    await resumeRun(run, { bundleFolder });
    expect((await whenOver(folder, 2)).map(({ state, sweep }) => [state, sweep])).toEqual([
      ['finished', null],
      ['finished', null],
    ]);
  });
});

describe('the next member is started once', () => {
  it('whoever is first, and nothing is left of the others', async () => {
    const folder = family('{ train.seed: [3, 4, 5] }', 20);
    const { run } = await start(folder, [0]);
    await whenOver(folder, 1);
    const queue = await queueLike(run, ['seed=4', 'seed=5']);
    writeSweepQueue(run, queue);
    const attempts = await Promise.allSettled([resumeRun(run, { bundleFolder }), resumeRun(run, { bundleFolder })]);
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [rejected] = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason as unknown] : []));
    expect(rejected).toBeInstanceOf(SweepTaken);
    const runs = await whenOver(folder, 3);
    expect(runs.map(({ state }) => state)).toEqual(['finished', 'finished', 'finished']);
    expect(await seeds(runs)).toEqual([3, 4, 5]);
  });

  /** Members that wait behind a run, made like it but for their seed. */
  async function queueLike(run: string, members: readonly string[]) {
    const description = await readDescription(run);
    if (description === undefined) throw new Error(`nothing in ${basename(run)}`);
    const { configFile, configSource, experiment } = description;
    const waiting = members.map((member) => {
      const seed = Number(member.replace('seed=', ''));
      const own = experiment as { name: string; train: object };
      const changed = { ...own, name: own.name.replace('seed=3', member), train: { ...own.train, seed } };
      return { member, changes: { 'train.seed': seed }, experiment: changed, problem: null };
    });
    return { schemaVersion: 1, configFile, configSource, waiting, halted: null } as const;
  }
});
