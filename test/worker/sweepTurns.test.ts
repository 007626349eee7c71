import { spawn } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { isLive, isProcessAlive } from '../../src/runs/liveness';
import { readDescription, readStatus } from '../../src/runs/readRun';
import { runFiles } from '../../src/runs/runFiles';
import { writeDescription } from '../../src/runs/runWriter';
import { RunIndex, type RunSummary } from '../../src/runs/runIndex';
import { dropSweepQueue, writeSweepQueue } from '../../src/runs/sweepQueue';
import { requestStop } from '../../src/worker/client';
import { resumeRun, startRun } from '../../src/worker/launch';
import { LaunchError } from '../../src/worker/runFailure';
import { handOn, SweepTaken } from '../../src/worker/sweepTurns';
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
    const folder = family('[{ train.seed: 3, train.steps: 800 }, { train.seed: 4 }, { train.seed: 5 }]', 5);
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
    expect(runs.map(({ name, state, step }) => [name, state, step])).toEqual([
      ['Tiny MH-MoE, seed=3, steps=800', 'finished', 800],
      ['Tiny MH-MoE, seed=4', 'finished', 5],
      ['Tiny MH-MoE, seed=5', 'finished', 5],
    ]);
    const described = await Promise.all(runs.map(({ directory }) => readDescription(directory)));
    expect(described.map((one) => one?.sweep)).toEqual([
      { member: 'seed=3, steps=800', changes: { 'train.seed': 3, 'train.steps': 800 } },
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
      expect(ended).not.toBe('');
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
    const { folder, run } = await startEndless();
    await requestStop(run);
    const [stopped, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(stopped).toMatchObject({ state: 'stopped', sweep: { waiting: ['steps=5'], goesOn: false } });
    await shorten(run);
    await resumeRun(run, { bundleFolder });
    expect((await whenOver(folder, 2)).map(({ name, state }) => [name, state])).toEqual([
      ['Tiny MH-MoE, steps=1000000', 'finished'],
      ['Tiny MH-MoE, steps=5', 'finished'],
    ]);
  });

  it('waits where its worker was killed, and goes on when that is resumed', async () => {
    const { folder, run, pid } = await startEndless();
    process.kill(pid, 'SIGKILL');
    const [lost, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(lost).toMatchObject({ state: 'lost', sweep: { waiting: ['steps=5'], goesOn: false } });
    await shorten(run);
    await resumeRun(run, { bundleFolder });
    expect((await whenOver(folder, 2)).map(({ state }) => state)).toEqual(['finished', 'finished']);
  });

  it('ends with the member that trains where what waits was dropped', async () => {
    const { folder, run } = await startEndless();
    dropSweepQueue(run);
    await requestStop(run);
    await whenOver(folder, 1);
    await shorten(run);
    await resumeRun(run, { bundleFolder });
    const runs = await whenOver(folder, 1);
    expect(runs.map(({ state, sweep }) => [state, sweep])).toEqual([['finished', null]]);
    await expect(resumeRun(run, { bundleFolder })).rejects.toThrow(/has finished its \d+ steps/);
  });

  it('halts where the programs were replaced by an update meanwhile, until it is resumed', async () => {
    const { folder, run } = await startEndless();
    await requestStop(run);
    await whenOver(folder, 1);
    const log: string[] = [];
    await handOn(run, { state: 'finished' }, { bundleFolder: join(folder, 'gone'), log: (message) => log.push(message) });
    const [held, ...others] = await runsOf(folder);
    expect(others).toEqual([]);
    expect(held).toMatchObject({ sweep: { waiting: ['steps=5'], halted: { message: expect.stringContaining('updated') }, goesOn: false } });
    expect(log.join('\n')).toContain('updated');
    await shorten(run);
    await resumeRun(run, { bundleFolder });
    expect((await whenOver(folder, 2)).map(({ state, sweep }) => [state, sweep])).toEqual([
      ['finished', null],
      ['finished', null],
    ]);
  });

  /** A first member that does not end before something is done with it, and a short one. */
  async function startEndless() {
    const folder = family('[{ train.steps: 1000000 }, { train.steps: 5 }]', 5);
    const { run, status } = await start(folder, [0, 1]);
    return { folder, run, pid: status.pid };
  }

  /** A run that is over has two steps left. */
  async function shorten(run: string): Promise<void> {
    const [description, status] = [await readDescription(run), await readStatus(run)];
    if (description === undefined || status === undefined) throw new Error('no run');
    // A worker that was killed has no checkpoint: it starts again.
    const totalSteps = status.step + 2;
    const experiment = description.experiment as { train: object };
    writeDescription(run, { ...description, totalSteps, experiment: { ...experiment, train: { ...experiment.train, steps: totalSteps } } });
  }
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
    const other = (seed: number) => `{ train.seed: ${seed}, data.train: [other.txt] }`;
    const folder = family(`[{ train.seed: 3 }, ${other(4)}, ${other(5)}, { train.seed: 6 }]`, 5);
    const { run } = await start(folder, [0, 1, 2, 3]);
    const [finished, ...others] = await whenOver(folder, 1);
    expect(others).toEqual([]);
    expect(finished).toMatchObject({
      state: 'finished',
      sweep: {
        waiting: [expect.stringContaining('seed=4'), expect.stringContaining('seed=5'), 'seed=6'],
        refused: [],
        halted: { message: expect.stringContaining('other.txt'), advice: expect.stringMatching(/./) },
        goesOn: false,
      },
    });
    copyFileSync(join(folder, 'corpus', 'train.txt'), join(folder, 'other.txt'));
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
