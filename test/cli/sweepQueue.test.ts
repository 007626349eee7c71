import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { initialStatus } from '../../src/worker/runStatus';
import type { RunState } from '../../src/runs/format';
import { runFiles } from '../../src/runs/runFiles';
import { writeStatus } from '../../src/runs/runWriter';
import { writeSweepQueue } from '../../src/runs/sweepQueue';
import { temporaryFolder } from '../runs/fixtures';
import { createTinyRun } from '../worker/experiments';
import { runCli } from './runCli';

/** A run that is over, behind which one member waits and one could not be started. */
async function runWithQueue(state: RunState = 'finished') {
  const folder = temporaryFolder();
  const { run, description } = await createTinyRun(folder);
  writeStatus(run, { ...initialStatus(6, Date.now()), state, step: 6, pid: 0 });
  const { configFile, configSource, experiment } = description;
  const problem = { message: 'This run needs about 9 TiB of memory.', advice: 'Make it smaller.' };
  writeSweepQueue(run, {
    schemaVersion: 1,
    configFile,
    configSource,
    waiting: [
      { member: 'experts=9', changes: { 'model.moe.experts': 9 }, experiment, problem },
      { member: 'top_k=2', changes: { 'model.moe.top_k': 2 }, experiment, problem: null },
    ],
    halted: null,
  });
  return { folder, run, runs: ['--runs', dirname(run)] };
}

const waits = '1 more waits, 1 member was not started';
const expected = {
  waiting: ['top_k=2'],
  refused: [{ member: 'experts=9', message: 'This run needs about 9 TiB of memory.', advice: 'Make it smaller.' }],
  halted: null,
  goesOn: false,
};

describe('what waits behind a run', () => {
  it('stands in the list of runs, which is as ever where nothing waits', async () => {
    const { folder, run, runs } = await runWithQueue();
    const [heading, row] = (await runCli(folder, 'runs', ...runs)).stdout.split('\n');
    expect(heading).toMatch(/ sweep$/);
    expect(row).toMatch(new RegExp(` ${waits}$`));
    const json = JSON.parse((await runCli(folder, 'runs', '--json', ...runs)).stdout) as { runs: unknown[] };
    expect(json.runs).toMatchObject([{ sweep: expected, follows: null }]);
    await runCli(folder, 'stop', '--sweep', basename(run), ...runs);
    expect((await runCli(folder, 'runs', ...runs)).stdout.split('\n')[0]).not.toContain('sweep');
  });

  it('is shown with the run, with why some is not trained', async () => {
    const { folder, run, runs } = await runWithQueue();
    const { stdout } = await runCli(folder, 'show', basename(run), ...runs);
    expect(stdout).toContain(
      `\nsweep    ${waits}: top_k=2\n         experts=9 was not started: This run needs about 9 TiB of memory. Make it smaller.\n`,
    );
    const json = JSON.parse((await runCli(folder, 'show', basename(run), '--json', ...runs)).stdout) as { runs: unknown[] };
    expect(json.runs).toMatchObject([{ sweep: expected }]);
  });

  it('is dropped by stop --sweep, also where the run is over', async () => {
    const { folder, run, runs } = await runWithQueue('stopped');
    expect(await runCli(folder, 'stop', basename(run), ...runs)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not train'),
    });
    expect(existsSync(runFiles.sweep(run))).toBe(true);
    expect(await runCli(folder, 'stop', '--sweep', basename(run), ...runs)).toMatchObject({
      code: 0,
      stdout: 'Dropped what waited behind it: 2 members.\n',
    });
    expect(existsSync(runFiles.sweep(run))).toBe(false);
    expect(await runCli(folder, 'stop', '--sweep', basename(run), ...runs)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/does not train: it is stopped, and nothing waits behind it\.\n$/),
    });
  });

  it('is not passed over in silence where it cannot be read', async () => {
    const { folder, run, runs } = await runWithQueue();
    writeFileSync(runFiles.sweep(run), '{');
    expect((await runCli(folder, 'runs', ...runs)).stdout).toMatch(/ what waits cannot be read$/m);
    expect((await runCli(folder, 'show', basename(run), ...runs)).stdout).toMatch(
      /\nsweep {4}what waits cannot be read\n {9}The next is not started: sweep\.json/,
    );
    expect(await runCli(folder, 'stop', '--sweep', basename(run), ...runs)).toMatchObject({
      code: 0,
      stdout: 'Dropped what waited behind it.\n',
    });
    expect(existsSync(runFiles.sweep(run))).toBe(false);
  });
});
