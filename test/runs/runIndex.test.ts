import { cpSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDescription, RunStatus } from '../../src/runs/format';
import { observe, thisHost, type Here } from '../../src/runs/liveness';
import { readStatus } from '../../src/runs/readRun';
import { runFiles } from '../../src/runs/runFiles';
import { deleteRun, RunIndex, RunIsLive, summariseRun } from '../../src/runs/runIndex';
import { readRunResult } from '../../src/runs/runResult';
import { RunWriter, writeDescription, writeStatus } from '../../src/runs/runWriter';
import { aDescription, aLine, aStatus, noon, temporaryFolder } from './fixtures';

const here: Here = { host: 'here', bootId: 'boot', isAlive: (pid) => pid === 77, startedAt: () => noon - 60_000 };
const minute = 60_000;

function addRun(runs: string, id: string, description: Partial<RunDescription> = {}, status: Partial<RunStatus> = {}): string {
  const directory = join(runs, id);
  mkdirSync(directory);
  writeDescription(directory, aDescription({ id, ...description }));
  writeStatus(directory, aStatus(status));
  return directory;
}

describe('the state of a run', () => {
  const dead = { pid: 78 };
  it.each([
    ['finished stays finished, whoever is gone', { state: 'finished', ...dead }, 1000 * minute, 'finished'],
    ['alive with a fresh heartbeat', {}, 5_000, 'running'],
    ['alive but silent: suspended or asleep', {}, 60 * minute, 'running'],
    ['dead, even right after its heartbeat', dead, 1_000, 'lost'],
    ['dead while starting', { state: 'starting', ...dead }, 1_000, 'lost'],
    ['the pid is alive, but the host has booted since', { bootId: 'another' }, 60 * minute, 'lost'],
    ['on another host, heard of lately', { host: 'there', ...dead }, minute, 'running'],
    ['on another host, silent for long', { host: 'there', ...dead }, 6 * minute, 'lost'],
    ['a heartbeat that is no time', { heartbeat: 'yesterday' }, minute, 'running'],
  ] as const)('%s', (_, status, silence, expected) => {
    expect(observe(aStatus(status), here, noon + silence)).toBe(expected);
  });

  it('does not take a recycled pid for the worker', () => {
    const recycled: Here = { ...here, startedAt: () => noon + minute };
    expect(observe(aStatus(), recycled, noon + 60 * minute)).toBe('lost');
  });

  it('knows boots by the minute where the system gives them no name', () => {
    const booted: Here = { ...here, bootId: 'booted-1000' };
    expect(observe(aStatus({ bootId: 'booted-1001' }), booted, noon + 10 * minute)).toBe('running');
    expect(observe(aStatus({ bootId: 'booted-1100' }), booted, noon + 10 * minute)).toBe('lost');
  });

  it('is told from the real system', () => {
    const real = thisHost();
    expect(real.isAlive(process.pid)).toBe(true);
    expect(real.isAlive(2 ** 30)).toBe(false);
    expect(real.isAlive(0)).toBe(false);
    expect(real.bootId).not.toBe('');
    const startedAt = real.startedAt(process.pid);
    if (startedAt !== undefined) expect(Math.abs(startedAt - (Date.now() - process.uptime() * 1000))).toBeLessThan(10_000);
    else expect(process.platform).not.toBe('linux');
  });
});

describe('the index of runs', () => {
  it('lists runs, newest first, with their last perplexities', async () => {
    const runs = temporaryFolder();
    const directory = addRun(runs, '20260301-120000-smoe-abcd');
    addRun(runs, '20260302-120000-dense-abcd', { name: 'Dense' }, { state: 'failed', failure: { message: 'no', advice: 'do', step: 4 } });
    mkdirSync(join(runs, 'not-a-run'));
    writeFileSync(join(runs, '.gitignore'), '*');
    const writer = new RunWriter(directory, { routedLayers: [], retrievals: [] });
    writer.metrics(aLine(1, 0));
    writer.metrics({ step: 1, time: 0, tokens: 0, validation: { prose: { loss: 1, perplexity: 3.5 } } });
    writer.metrics(aLine(2, Math.log(2)));
    writer.close();

    const [dense, smoe, ...rest] = await new RunIndex(runs, here, () => noon).refresh();
    expect(rest).toEqual([]);
    expect(dense).toMatchObject({ name: 'Dense', state: 'failed', failure: { step: 4 }, trainPerplexity: null });
    expect(smoe).toMatchObject({ state: 'running', step: 3, validationPerplexity: { prose: 3.5 }, tokensPerSecond: 20, remote: false });
    expect(smoe?.trainPerplexity).toBeCloseTo(2, 12);
    expect(await summariseRun(directory, here, noon)).toEqual(smoe);
  });

  it('names a run by its folder, also after that was renamed or copied', async () => {
    const runs = temporaryFolder();
    renameSync(addRun(runs, '20260301-120000-smoe-abcd'), join(runs, 'best'));
    cpSync(join(runs, 'best'), join(runs, 'copy of best'), { recursive: true });
    addRun(runs, '20260302-120000-outside-abcd', { id: '../../outside' });
    const found = await new RunIndex(runs, here, () => noon).refresh();
    expect(found.map(({ id }) => id)).toEqual(['copy of best', 'best', '20260302-120000-outside-abcd']);
    expect(found.map(({ id }) => join(runs, id))).toEqual(found.map(({ directory }) => directory));
  });

  it('takes the last word of a worker that ends between its status and the look for it', async () => {
    const runs = temporaryFolder();
    const directory = addRun(runs, '20260301-120000-smoe-abcd');
    // Whoever looks for the worker comes a moment too late: it has written how it ended, and is gone.
    const ending: Here = {
      ...here,
      isAlive: () => {
        writeStatus(directory, aStatus({ state: 'finished', step: 100 }));
        return false;
      },
    };
    expect(await new RunIndex(runs, ending, () => noon).refresh()).toMatchObject([{ state: 'finished', step: 100 }]);
    writeStatus(directory, aStatus());
    expect(await summariseRun(directory, ending, noon)).toMatchObject({ state: 'finished', step: 100 });
  });

  it('lists a run whose status a power cut has emptied as lost', async () => {
    const runs = temporaryFolder();
    const directory = addRun(runs, '20260301-120000-smoe-abcd');
    const index = new RunIndex(runs);
    for (const garbage of ['', '\0\0\0', '{"schemaVersion":1}', '[]']) {
      writeFileSync(runFiles.status(directory), garbage);
      expect(await summariseRun(directory)).toMatchObject({ state: 'lost', remote: false, totalSteps: 100 });
      expect(await index.refresh()).toMatchObject([{ state: 'lost' }]);
      expect(await readRunResult(directory)).toMatchObject({ state: 'lost' });
    }
    rmSync(runFiles.status(directory));
    expect(await summariseRun(directory)).toBeUndefined();
  });

  it('takes in what is new, also when a resume took back what was newest', async () => {
    const runs = temporaryFolder();
    const directory = addRun(runs, '20260301-120000-smoe-abcd');
    const writer = new RunWriter(directory, { routedLayers: [], retrievals: [] });
    writer.metrics(aLine(5, Math.log(4)));
    writer.metrics(aLine(6, Math.log(3)));
    const index = new RunIndex(runs, here, () => noon);
    expect((await index.refresh())[0]?.trainPerplexity).toBeCloseTo(3, 12);
    writer.rewind(5);
    writeStatus(directory, aStatus({ step: 5, pid: 78 }));
    const [resumed] = await index.refresh();
    expect(resumed?.trainPerplexity).toBeCloseTo(4, 12);
    expect(resumed?.state).toBe('lost');
    await deleteRun(directory, here, noon);
    expect(await index.refresh()).toEqual([]);
  });

  it('reads nothing again while a status is as it was', async () => {
    const runs = temporaryFolder();
    const directory = addRun(runs, '20260301-120000-smoe-abcd');
    const file = runFiles.status(directory);
    utimesSync(file, 1, 1);
    const index = new RunIndex(runs, here, () => noon);
    await index.refresh();
    // The metrics have grown but the status has not been touched: the proof that they were not looked at.
    const writer = new RunWriter(directory, { routedLayers: [], retrievals: [] });
    writer.metrics(aLine(1));
    writer.close();
    expect((await index.refresh())[0]?.trainPerplexity).toBeNull();
    utimesSync(file, 2, 2);
    expect((await index.refresh())[0]?.trainPerplexity).toBeCloseTo(Math.E, 12);
  });

  it('is empty where there is no runs folder', async () => {
    expect(await new RunIndex(join(temporaryFolder(), 'none')).refresh()).toEqual([]);
  });

  it('reads a status with fields of a later version, and none from a torn file', async () => {
    const run = temporaryFolder();
    writeFileSync(runFiles.status(run), JSON.stringify({ ...aStatus(), later: 1 }));
    expect(await readStatus(run)).toEqual(aStatus());
    writeFileSync(runFiles.status(run), '{"schemaVersion":1,"sta');
    expect(await readStatus(run)).toBeUndefined();
  });

  it('refuses to delete a run that trains', async () => {
    const directory = addRun(temporaryFolder(), '20260301-120000-smoe-abcd');
    await expect(deleteRun(directory, here, noon)).rejects.toThrow(RunIsLive);
    expect(existsSync(directory)).toBe(true);
  });
});
