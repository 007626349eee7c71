import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunState } from '../../src/runs/format';
import { summariseRun } from '../../src/runs/runIndex';
import { runFiles } from '../../src/runs/runFiles';
import { writeDescription, writeStatus } from '../../src/runs/runWriter';
import { dropSweepQueue, writeSweepQueue } from '../../src/runs/sweepQueue';
import { initialStatus } from '../../src/worker/runStatus';
import { stopSweep, whereItStands } from '../../src/worker/stopSweep';
import { handOn } from '../../src/worker/sweepTurns';
import { takeUp } from '../../src/worker/takeUp';
import { temporaryFolder } from '../runs/fixtures';
import { createTinyRun } from './experiments';

/** A run of a folder, in a state. `follows`: the directory of the run that it waited for. */
async function runIn(folder: string, state: RunState, follows?: string): Promise<string> {
  const { run, description } = await createTinyRun(folder);
  if (follows !== undefined)
    writeDescription(run, { ...description, sweep: { member: 'seed=4', changes: {}, follows: basename(follows) } });
  writeStatus(run, { ...initialStatus(6, Date.now()), state, step: 3 });
  return run;
}

async function letOneWait(run: string): Promise<void> {
  const { configFile, configSource, experiment } = JSON.parse(readFileSync(runFiles.description(run), 'utf8')) as {
    configFile: string;
    configSource: string;
    experiment: unknown;
  };
  const waiting = [{ member: 'seed=5', changes: { 'train.seed': 5 }, experiment, problem: null }];
  writeSweepQueue(run, { schemaVersion: 1, configFile, configSource, waiting, halted: null });
}

describe('stopping a sweep', () => {
  it('goes after it: what waits has moved to the run that followed, which is stopped', async () => {
    const folder = temporaryFolder();
    const first = await runIn(folder, 'finished');
    const second = await runIn(folder, 'finished', first);
    const third = await runIn(folder, 'running', second);
    await letOneWait(third);
    expect(await stopSweep(first)).toMatchObject({ run: { directory: third }, dropped: 1, route: 'file' });
    expect(existsSync(runFiles.sweep(third))).toBe(false);
    expect(existsSync(`${runFiles.requests(third)}/stop`)).toBe(true);
    // The last of it trains still.
    expect(await stopSweep(first)).toMatchObject({ run: { directory: third }, dropped: 0, route: 'file' });
    writeStatus(third, { ...initialStatus(6, Date.now()), state: 'stopped', step: 3 });
    expect(await stopSweep(first)).toBeUndefined();
  });

  it('leaves other runs alone', async () => {
    const folder = temporaryFolder();
    const [over, other] = [await runIn(folder, 'finished'), await runIn(folder, 'running')];
    await letOneWait(other);
    expect(await stopSweep(over)).toBeUndefined();
    expect(existsSync(runFiles.sweep(other))).toBe(true);
    expect(dirname(other)).toBe(dirname(over));
  });

  it('comes to an end where runs follow each other in a circle', () => {
    const run = (id: string, follows: string) => ({ id, follows, state: 'finished', sweep: null }) as const;
    expect(whereItStands([run('a', 'b'), run('b', 'a')], 'a')).toBeUndefined();
  });
});

describe.each([
  ['damaged', '{"schemaVersion": 1, "waiting": ['],
  ['empty', ''],
  ['of a newer version', JSON.stringify({ schemaVersion: 2, members: [1, 2] })],
])('what waits behind a run, where it is %s', (_, text) => {
  it('is told, and kept until somebody drops it', async () => {
    const run = await runIn(temporaryFolder(), 'stopped');
    writeFileSync(runFiles.sweep(run), text);
    const { sweep } = (await summariseRun(run)) ?? {};
    expect(sweep).toMatchObject({ waiting: [], halted: { message: expect.stringContaining('sweep.json') }, goesOn: false });

    const said: string[] = [];
    expect(await handOn(run, { state: 'finished' }, { bundleFolder: '/none', log: (message) => said.push(message) })).toBeUndefined();
    expect(said).toEqual([expect.stringContaining('sweep.json')]);
    await takeUp(run, []);
    expect(readFileSync(runFiles.sweep(run), 'utf8')).toBe(text);

    expect(dropSweepQueue(run)).toBe(true);
    expect(dropSweepQueue(run)).toBe(false);
    expect((await summariseRun(run))?.sweep).toBeNull();
  });
});
