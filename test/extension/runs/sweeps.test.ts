import { describe, expect, it } from 'vitest';
import { collectFailures, failureMessage } from '../../../src/extension/runs/collectFailures';
import { collectFollowers } from '../../../src/extension/runs/collectFollowers';
import { collectRunItem, isResumable } from '../../../src/extension/runs/runItems';
import { runTooltip } from '../../../src/extension/runs/runTooltip';
import { collectStatus } from '../../../src/extension/runs/statusText';
import { collectSweepNews } from '../../../src/extension/runs/sweepNews';
import type { SweepSummary } from '../../../src/runs/sweepSummary';
import { exampleRun } from './exampleRun';

const waiting: SweepSummary = { waiting: ['top_k=2', 'top_k=4', 'top_k=8'], refused: [], halted: null, goesOn: true };
const problem = { message: 'It needs 9 TiB of memory.', advice: 'Make it smaller.' };
const refused: SweepSummary = { waiting: [], refused: [{ member: 'experts=9', ...problem }], halted: null, goesOn: false };

describe('a run behind which members wait', () => {
  it.each([
    ['trains', { state: 'running' }, waiting, 'step 120/300 · train ppl 8.50 · 40 % · then 3 more', 'run.live.sweep'],
    [
      'is stopped',
      { state: 'stopped' },
      { ...waiting, waiting: ['top_k=2'], goesOn: false },
      'step 120/300 · train ppl 8.50 · stopped · 1 more waits',
      'run.resumable.sweep',
    ],
    ['starts the next', { state: 'finished', step: 300 }, waiting, 'step 300/300 · prose ppl 7.42 · then 3 more', 'run.ended.sweep'],
    [
      'has finished and its process is gone',
      { state: 'finished', step: 300 },
      { ...waiting, goesOn: false },
      'step 300/300 · prose ppl 7.42 · 3 more wait',
      'run.resumable.sweep',
    ],
    [
      'is the last, after one that could not be started',
      { state: 'finished', step: 300 },
      refused,
      'step 300/300 · prose ppl 7.42 · 1 member was not started',
      'run.resumable.sweep',
    ],
  ] as const)('says so where it %s', (_, different, sweep, description, contextValue) => {
    const run = exampleRun({ ...different, sweep });
    expect(collectRunItem(run, false)).toMatchObject({ description, contextValue });
    expect(isResumable(run)).toBe(contextValue.startsWith('run.resumable'));
  });

  it('names them in its tooltip, and what keeps them', () => {
    expect(runTooltip(exampleRun({ sweep: waiting }), undefined)).toContain('| Then | top\\_k=2; top\\_k=4; top\\_k=8 |');
    expect(runTooltip(exampleRun({ sweep: refused }), undefined)).toContain(
      '**Sweep:** experts=9 was not started: It needs 9 TiB of memory',
    );
    const many = { ...waiting, waiting: Array.from({ length: 8 }, (_, index) => `seed=${index}`), goesOn: false };
    expect(runTooltip(exampleRun({ sweep: many }), undefined)).toMatch(/\| Waiting \| seed=0; .*seed=4; and 3 more \|/);
  });

  it('says in the status bar and when it is lost that more is to come', () => {
    expect(collectStatus([exampleRun({ sweep: waiting })])?.text).toMatch(/ · train ppl 8\.50 · then 3 more$/);
    expect(collectStatus([exampleRun({ sweep: waiting })])?.tooltip).toContain('(40 %) · then 3 more');
    const lost = exampleRun({ state: 'lost', sweep: { ...waiting, goesOn: false } });
    expect(collectFailures(new Map([[lost.directory, 'running']]), [lost])).toEqual([lost]);
    expect(failureMessage(lost)).toMatch(/can be resumed\. Then the sweep goes on: 3 more wait\.$/);
  });
});

describe('news of sweeps', () => {
  it('is what keeps members, each once while it moves from run to run', () => {
    const news = collectSweepNews([exampleRun({ sweep: { ...waiting, refused: refused.refused } })]);
    expect([...news.values()]).toEqual([
      {
        directory: exampleRun().directory,
        text: 'Sweep after SMoE: experts=9 was not started: It needs 9 TiB of memory. Make it smaller.',
        resumable: false,
      },
    ]);
    const moved = collectSweepNews([exampleRun({ directory: '/runs/next', sweep: refused })]);
    expect([...moved.keys()]).toEqual([...news.keys()]);
  });

  it('is that a sweep halts, for each run where one does', () => {
    const sweep = { ...waiting, halted: problem, goesOn: false };
    const news = collectSweepNews(['/a', '/b'].map((directory) => exampleRun({ directory, state: 'finished', sweep })));
    expect([...news.values()].map(({ directory, text, resumable }) => [directory, text, resumable])).toEqual(
      ['/a', '/b'].map((directory) => [
        directory,
        'Sweep after SMoE: The next is not started: It needs 9 TiB of memory. Make it smaller.',
        true,
      ]),
    );
  });

  it('is nothing where all goes its way', () => {
    expect(collectSweepNews([exampleRun(), exampleRun({ sweep: waiting })]).size).toBe(0);
  });
});

describe('runs that follow a shown one', () => {
  const run = (name: string, second: number, follows: string | null) => ({
    directory: `/runs/${name}`,
    createdAt: `2026-01-01T12:00:0${second}.000Z`,
    follows,
  });
  const runs = [run('c', 3, 'b'), run('b', 2, 'a'), run('a', 1, null), run('other', 4, 'gone')];

  it('are shown in their order, all that were started meanwhile', () => {
    expect(collectFollowers(runs, ['/runs/a'], [])).toEqual({
      followers: ['/runs/b', '/runs/c'],
      considered: ['/runs/b', '/runs/c', '/runs/other'],
    });
  });

  it('are left as they are once they have been considered', () => {
    expect(collectFollowers(runs, ['/runs/a'], ['/runs/b', '/runs/c']).followers).toEqual([]);
    expect(collectFollowers(runs, ['/runs/a', '/runs/b'], ['/runs/b']).followers).toEqual(['/runs/c']);
  });

  it('are not shown where what they follow is not', () => {
    expect(collectFollowers(runs, ['/runs/x'], []).followers).toEqual([]);
  });
});
