import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDescription } from '../../src/runs/format';
import { readDescription, readStatus } from '../../src/runs/readRun';
import { writeDescription, writeStatus } from '../../src/runs/runWriter';
import { leaveRequest, takeRequests } from '../../src/worker/requestFiles';
import { LaunchError } from '../../src/worker/runFailure';
import { StatusKeeper } from '../../src/worker/runStatus';
import { takeUp } from '../../src/worker/takeUp';
import { aDescription, anExperiment, aStatus, temporaryFolder } from '../runs/fixtures';

const launch = [{ rung: 'foreground', executable: 'node', chosen: true, reason: 'a test' }];

const { model } = anExperiment;

function aStoppedRun(changes: Partial<RunDescription> = {}): string {
  const run = temporaryFolder();
  mkdirSync(join(run, 'requests'));
  writeDescription(run, aDescription(changes));
  writeStatus(run, aStatus({ state: 'stopped', step: 40 }));
  return run;
}

describe('taking a run up', () => {
  it('gives it to one of several that resume it at the same time', async () => {
    const run = aStoppedRun();
    leaveRequest(run, 'stop');
    const attempts = await Promise.allSettled(Array.from({ length: 4 }, () => takeUp(run, launch)));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(String(attempt.reason)).toMatch(/being resumed by another process|is starting/);
    }
    expect(await readStatus(run)).toMatchObject({ state: 'starting', step: 40, pid: process.pid });
    expect(await readDescription(run)).toMatchObject({ launch });
    expect(takeRequests(run)).toEqual([]);
    await expect(takeUp(run, launch)).rejects.toThrow('is starting');
    expect(readdirSync(run)).not.toContain('taking-up');
  });

  it('works where a power cut has emptied the status', async () => {
    const run = aStoppedRun();
    writeFileSync(join(run, 'status.json'), '');
    await takeUp(run, launch);
    expect(await readStatus(run)).toMatchObject({ state: 'starting', totalSteps: aDescription().totalSteps });
  });

  it('works where an earlier version wrote the config, with keys where they were then', async () => {
    const moe = { ...model.moe, renormalize: false, balance_weight: 0.01 };
    const old = { ...anExperiment, model: { ...model, moe } };
    const run = aStoppedRun({ experiment: old });
    await takeUp(run, launch);
    expect(await readDescription(run)).toMatchObject({ launch, experiment: old });
  });

  it.each<[string, unknown, RegExp, RegExp]>([
    [
      'another version',
      { ...anExperiment, model: { ...model, mixer: {} } },
      /^MoE Lab \S+ does not understand `model\.mixer` in the config of 20260301-120000-smoe-abcd, which MoE Lab 9\.8\.7 wrote\.$/,
      /^Resume it with MoE Lab 9\.8\.7, or /,
    ],
    ['no version', 'none', /does not understand the config of/, /^Resume it with/],
    ['one that only counts', { model }, /has no `train`/, /^Start the experiment again/],
  ])('refuses a config of %s that cannot be understood, and leaves the run as it was', async (_, unknown, message, advice) => {
    const run = aStoppedRun({ experiment: unknown, versions: { moeLab: '9.8.7', node: '20', onnxruntime: '1' } });
    const before = [await readDescription(run), await readStatus(run)];
    const refusal = await takeUp(run, launch).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(LaunchError);
    expect(refusal).toMatchObject({ message: expect.stringMatching(message), advice: expect.stringMatching(advice) });
    expect([await readDescription(run), await readStatus(run)]).toEqual(before);
    expect(readdirSync(run)).not.toContain('taking-up');
  });

  it('passes over a claim that a crash left, and waits for no fresh one', async () => {
    const run = aStoppedRun();
    const claim = join(run, 'taking-up');
    writeFileSync(claim, '');
    await expect(takeUp(run, launch)).rejects.toThrow('is being resumed by another process');
    utimesSync(claim, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    expect((await takeUp(run, launch)).id).toBe(aDescription().id);
    expect(existsSync(claim)).toBe(false);
  });
});

describe('request files', () => {
  it('may be folders, too', () => {
    const run = aStoppedRun();
    mkdirSync(join(run, 'requests', 'stop', 'deep'), { recursive: true });
    expect(takeRequests(run)).toEqual(['stop']);
    expect(takeRequests(run)).toEqual([]);
  });
});

describe('the status of a run that trains', () => {
  it('is written on also after the clock was set back', async () => {
    const run = aStoppedRun();
    let [time, elapsed] = [Date.parse('2026-03-01T12:00:00Z'), 0];
    const keeper = new StatusKeeper(
      run,
      100,
      () => time,
      () => elapsed,
    );
    keeper.change({ state: 'running', step: 1 });
    time -= 3_600_000;
    elapsed += 5_000;
    keeper.advance(2);
    expect(await readStatus(run)).toMatchObject({ step: 2, heartbeat: '2026-03-01T11:00:00.000Z' });
    elapsed += 5_000;
    time += 5_000;
    keeper.heartbeat();
    expect((await readStatus(run))?.heartbeat).toBe('2026-03-01T11:00:05.000Z');
  });
});
