import { describe, expect, it } from 'vitest';
import { collectFailures, failureMessage } from '../../../src/extension/runs/collectFailures';
import { collectRunsFolders, runsFolderFor } from '../../../src/extension/runs/runsFolders';
import { runTooltip } from '../../../src/extension/runs/runTooltip';
import { collectStatus } from '../../../src/extension/runs/statusText';
import type { RunDescription } from '../../../src/runs/format';
import type { ObservedState } from '../../../src/runs/liveness';
import { exampleRun } from './exampleRun';

const failure = { message: 'The loss is not finite (NaN).', advice: 'Lower the learning rate.', step: 121 };

describe('the status bar', () => {
  it('says nothing while nothing is running', () => {
    expect(collectStatus([exampleRun({ state: 'finished' }), exampleRun({ state: 'lost' })])).toBeUndefined();
  });

  it('says where the only run stands', () => {
    expect(collectStatus([exampleRun(), exampleRun({ state: 'stopped' })])?.text).toBe('$(sync~spin) step 120/300 · train ppl 8.50');
  });

  it('warns where a run has an alarm, and says which on hover', () => {
    const alarms = [{ name: 'collapsed-experts', message: '7 of 8.', figure: 7 / 8 }] as const;
    const one = collectStatus([exampleRun({ alarms })]);
    expect(one?.text).toBe('$(sync~spin) step 120/300 · train ppl 8.50 $(warning)');
    expect(one?.tooltip).toContain('SMoE: running, step 120/300 (40 %) · alarm: experts collapsed\n');
    expect(collectStatus([exampleRun({ alarms }), exampleRun({ name: 'MH-MoE' })])?.text).toBe('$(sync~spin) 2 runs $(warning)');
    expect(collectStatus([exampleRun(), exampleRun({ state: 'finished', alarms })])?.text).not.toContain('warning');
  });

  it('counts several, and lists them on hover', () => {
    const status = collectStatus([exampleRun(), exampleRun({ name: 'MH-MoE', step: 30 })]);
    expect(status?.text).toBe('$(sync~spin) 2 runs');
    expect(status?.tooltip).toContain('SMoE: running, step 120/300 (40 %)\nMH-MoE: running, step 30/300 (10 %)');
  });
});

describe('the tooltip', () => {
  it('takes whatever a run directory says as text, its date too', () => {
    expect(runTooltip(exampleRun({ createdAt: '![](https://a.bc/d)', name: '<img src=x>' }), undefined)).not.toMatch(/(?<!\\)(!|\[|<)/);
  });

  it('says what is wrong with a run that goes on', () => {
    const alarms = [{ name: 'collapsed-experts', message: '7 of the 8 experts of layer 1 got less.', figure: 7 / 8 }] as const;
    expect(runTooltip(exampleRun({ alarms }), undefined)).toContain('**Alarm:** 7 of the 8 experts of layer 1 got less');
  });

  it('says why a run failed and what to do', () => {
    const tooltip = runTooltip(exampleRun({ state: 'failed', failure }), undefined);
    expect(tooltip).toContain('**Failed at step 121:**');
    expect(tooltip).toContain('Lower the learning rate');
  });

  it('shows names as text, whatever is in them', () => {
    expect(runTooltip(exampleRun({ name: '[x](command:evil)|**b**' }), undefined)).toContain('\\[x\\]\\(command:evil\\)\\|\\*\\*b\\*\\*');
  });

  it('shows what the run is made of, where run.json can be read', () => {
    const description: RunDescription = {
      schemaVersion: 1,
      id: 'x',
      name: 'SMoE',
      createdAt: '2026-01-01T12:00:00.000Z',
      configFile: '/projects/smoe.moe.yaml',
      configSource: '',
      experiment: {},
      totalSteps: 300,
      git: null,
      seed: 1,
      data: [],
      engine: { device: 'cpu', threads: 2, candidates: [] },
      launch: [],
      parameters: { total: 1_234_567, active: 345_678 },
      macsPerToken: 456_789,
      varyingK: null,
      routedLayers: [],
      retrievals: [],
      versions: { moeLab: '0.1.0', node: '20.0.0', onnxruntime: '1.30.0' },
    };
    const tooltip = runTooltip(exampleRun(), description);
    expect(tooltip).toContain('| Parameters | 1,234,567 (345,678 active) |');
    const subTokens = { name: 'layers.1.moe', experts: 8, k: 2, unitsPerToken: 2 };
    expect(runTooltip(exampleRun(), { ...description, routedLayers: [subTokens] })).toContain('(≤ 345,678 active)');
    expect(tooltip).not.toContain('ot causal');
    const model = { d_model: 8, layers: 2, context: 4, attention: { heads: 2 }, ffn: { width: 8 }, objective: 'masked', vocabulary: 257 };
    expect(runTooltip(exampleRun(), { ...description, experiment: { model } })).toContain('| **Not causal** | with ');
    expect(tooltip).toContain('| Device | cpu |');
    expect(tooltip).toContain('| Perplexity, prose | 7.42 |');
  });
});

describe('failures', () => {
  const seen = (state: ObservedState) => new Map([[exampleRun().directory, state]]);

  it('are news when the run was seen training before', () => {
    const failed = exampleRun({ state: 'failed', failure });
    expect(collectFailures(seen('running'), [failed])).toEqual([failed]);
    expect(failureMessage(failed)).toBe('SMoE failed at step 121: The loss is not finite (NaN). Lower the learning rate.');
  });

  it('are no news when they were so already, or nobody had looked', () => {
    const failed = exampleRun({ state: 'failed', failure });
    expect(collectFailures(seen('failed'), [failed])).toEqual([]);
    expect(collectFailures(new Map(), [failed])).toEqual([]);
  });

  it('are told of a worker that vanished, too', () => {
    const lost = exampleRun({ state: 'lost' });
    expect(collectFailures(seen('running'), [lost])).toEqual([lost]);
    expect(failureMessage(lost)).toMatch(/lost at step 120.*can be resumed/);
  });
});

describe('runs folders', () => {
  const folders = [
    { name: 'a', path: '/projects/a' },
    { name: 'inner', path: '/projects/a/inner' },
    { name: 'ab', path: '/projects/ab' },
  ];

  it('lie in each workspace folder, or all where the setting says', () => {
    expect(collectRunsFolders(folders, '').map(({ runsDirectory }) => runsDirectory)).toEqual([
      '/projects/a/.moe-lab/runs',
      '/projects/a/inner/.moe-lab/runs',
      '/projects/ab/.moe-lab/runs',
    ]);
    expect(collectRunsFolders(folders, '/scratch')).toEqual([{ label: '/scratch', runsDirectory: '/scratch' }]);
  });

  it.each([
    ['/projects/a', '/projects/a/.moe-lab/runs'],
    ['/projects/a/deep/er', '/projects/a/.moe-lab/runs'],
    ['/projects/a/inner/x', '/projects/a/inner/.moe-lab/runs'],
    ['/projects/ab', '/projects/ab/.moe-lab/runs'],
    ['/elsewhere', '/elsewhere/.moe-lab/runs'],
  ])('a config in %s has its runs in %s', (configFolder, expected) => {
    expect(runsFolderFor(configFolder, folders, '')).toBe(expected);
  });
});
