import { describe, expect, it } from 'vitest';
import { collectChanges, collectNodes, collectRunItem, type RunGroup } from '../../../src/extension/runs/runItems';
import { exampleRun } from './exampleRun';

const group = (label: string, runs: RunGroup['runs']): RunGroup => ({ label, runsDirectory: `/${label}/.moe-lab/runs`, runs });

describe('the tree', () => {
  it('lists the runs of the only folder that has some, without the folder', () => {
    const nodes = collectNodes(
      [group('empty', []), group('one', [exampleRun({ directory: '/b' }), exampleRun({ directory: '/a' })])],
      undefined,
    );
    expect(nodes.map((node) => node.kind === 'run' && node.directory)).toEqual(['/b', '/a']);
  });

  it('tells the folders apart where several have runs', () => {
    const groups = [group('one', [exampleRun({ directory: '/a' })]), group('two', [exampleRun({ directory: '/b' })])];
    const folders = collectNodes(groups, undefined);
    expect(folders.map((node) => node.kind === 'group' && node.runsDirectory)).toEqual(['/one/.moe-lab/runs', '/two/.moe-lab/runs']);
    expect(collectNodes(groups, folders[1]).map((node) => node.kind === 'run' && node.directory)).toEqual(['/b']);
  });

  it('is empty without runs, so that the welcome shows', () => {
    expect(collectNodes([group('one', [])], undefined)).toEqual([]);
  });
});

describe('changes', () => {
  const before = [group('one', [exampleRun({ directory: '/b' }), exampleRun({ directory: '/a' })])];

  it('are those of single runs while the list stays as it is', () => {
    expect(collectChanges(before, before)).toEqual([]);
    expect(collectChanges(before, [group('one', [exampleRun({ directory: '/b', step: 121 }), exampleRun({ directory: '/a' })])])).toEqual([
      '/b',
    ]);
  });

  it('are of the whole tree when a run comes or goes', () => {
    expect(collectChanges(before, [group('one', [exampleRun({ directory: '/b' })])])).toBeUndefined();
    expect(collectChanges([], before)).toBeUndefined();
  });
});

describe('a run', () => {
  it.each([
    ['running', { state: 'running' }, 'step 120/300 · train ppl 8.50 · 40 %', 'run.live', 'sync~spin'],
    [
      'just starting',
      { state: 'starting', step: 0, trainPerplexity: null, validationPerplexity: {} },
      'step 0/300 · starting',
      'run.live',
      'loading~spin',
    ],
    ['stopping', { state: 'stopping' }, 'step 120/300 · train ppl 8.50 · stopping', 'run.live', 'loading~spin'],
    ['finished', { state: 'finished', step: 300 }, 'step 300/300 · prose ppl 7.42', 'run.ended', 'pass'],
    ['stopped', { state: 'stopped' }, 'step 120/300 · train ppl 8.50 · stopped', 'run.resumable', 'debug-pause'],
    ['failed', { state: 'failed' }, 'step 120/300 · train ppl 8.50 · failed', 'run.resumable', 'error'],
    [
      'failed for a reason',
      { state: 'failed', failure: { message: 'Diverged.', advice: '', step: 3, cause: 'diverged' } },
      'step 120/300 · train ppl 8.50 · failed',
      'run.resumable.fixable',
      'error',
    ],
    [
      'dropping choices',
      { state: 'running', alarms: [{ name: 'drop-rate', message: 'Many.', figure: 0.3 }], varyingK: true },
      'alarm: drops many choices · step 120/300 · train ppl 8.50 · 40 %',
      'run.live.fixable.varies',
      'sync~spin',
    ],
    [
      'finished, its experts collapsed',
      { state: 'finished', step: 300, alarms: [{ name: 'collapsed-experts', message: '7 of 8.', figure: 7 / 8 }] },
      'alarm: experts collapsed · step 300/300 · prose ppl 7.42',
      'run.ended.fixable',
      'pass',
    ],
    ['lost', { state: 'lost' }, 'step 120/300 · train ppl 8.50 · lost', 'run.resumable', 'debug-disconnect'],
    ['on another host', { remote: true, host: 'gpu7' }, 'step 120/300 · train ppl 8.50 · 40 % · on gpu7', 'run.live', 'sync~spin'],
    ['validated before its first step', { step: 0, trainPerplexity: null }, 'step 0/300 · prose ppl 7.42 · 0 %', 'run.live', 'sync~spin'],
    [
      'finished without a validation',
      { state: 'finished', validationPerplexity: {} },
      'step 120/300 · train ppl 8.50',
      'run.ended',
      'pass',
    ],
    ['not validated yet', { validationPerplexity: {} }, 'step 120/300 · train ppl 8.50 · 40 %', 'run.live', 'sync~spin'],
    ['diverged', { validationPerplexity: {}, trainPerplexity: Number.NaN }, 'step 120/300 · train ppl NaN · 40 %', 'run.live', 'sync~spin'],
    [
      'at the very beginning',
      { validationPerplexity: {}, trainPerplexity: 256.4 },
      'step 120/300 · train ppl 256 · 40 %',
      'run.live',
      'sync~spin',
    ],
    [
      'exploding',
      { validationPerplexity: {}, trainPerplexity: 123_456 },
      'step 120/300 · train ppl 1.2e+5 · 40 %',
      'run.live',
      'sync~spin',
    ],
  ] as const)('that is %s', (_, different, description, contextValue, icon) => {
    const item = collectRunItem(exampleRun(different), false);
    expect(item).toMatchObject({ label: 'SMoE', description, contextValue, icon: { icon } });
  });

  it('says its state to a screen reader, which sees no icon', () => {
    expect(collectRunItem(exampleRun(), true)).toMatchObject({
      checked: true,
      accessibleLabel: 'SMoE, running, step 120/300 · train ppl 8.50 · 40 %',
    });
  });

  it('is not called done one step before its end', () => {
    expect(collectRunItem(exampleRun({ step: 299 }), false).description).toContain('99 %');
  });
});
