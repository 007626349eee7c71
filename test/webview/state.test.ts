import { describe, expect, test } from 'vitest';
import type { DashboardUpdate, ExpertsFrame, RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { chartContent } from '../../webview/dashboard/chartCurves';
import {
  baselineRun,
  heatmapRun,
  initialState,
  reduce,
  savedState,
  spliced,
  viewOf,
  type DashboardState,
} from '../../webview/dashboard/state';

const summary = (run: string, changes: Partial<RunSummary> = {}): RunSummary => ({
  run,
  name: run,
  state: 'finished',
  step: 10,
  totalSteps: 10,
  seconds: 1,
  tokens: 10,
  tokensPerSecond: null,
  trainPerplexity: 5,
  validation: [],
  parameters: { total: 1, active: 1, activeIsUpperBound: false },
  macsPerToken: 1,
  device: 'cpu',
  notCausal: [],
  choices: null,
  routedLayers: [{ name: 'layer 1', experts: 4, k: 1, varies: false, heads: null }],
  retrievals: [],
  expertSteps: { first: 1, last: 10 },
  failure: null,
  alarms: [],
  problem: null,
  ...changes,
});
const update = (changes: Partial<DashboardUpdate>): DashboardUpdate => ({
  type: 'update',
  snapshot: false,
  runs: null,
  summaries: [],
  curves: [],
  experts: null,
  retrieval: null,
  parity: null,
  ...changes,
});
const frame = (run: string, step: number): ExpertsFrame => ({
  run,
  fromStep: step - 1,
  step,
  layers: [{ layer: 0, counts: new ArrayBuffer(16) }],
});
const points = (...steps: number[]) => new Float64Array(steps.flatMap((step) => [step, step, step, step])).buffer;
const stepsOf = (held: Float64Array | undefined) => [...(held ?? [])].filter((_, index) => index % 4 === 0);
const after = (...updates: Partial<DashboardUpdate>[]): DashboardState =>
  updates.reduce((state, each) => reduce(state, { type: 'message', message: update(each) }), initialState(null));
const shown = { snapshot: true, runs: ['a', 'b'], summaries: [summary('a'), summary('b')] };

describe('updates', () => {
  test('a delta replaces a curve from its first step on', () => {
    const delta = (from: number, ...steps: number[]) => ({ run: 'a', curve: 'train', from, points: points(...steps) });
    const state = after({ ...shown, curves: [delta(0, 1, 2, 3)] }, { curves: [delta(3, 3, 4)] }, { curves: [delta(5, 5)] });
    expect(stepsOf(state.curves.get('a')?.get('train'))).toEqual([1, 2, 3, 4, 5]);
  });

  test('the same delta twice changes nothing', () => {
    const delta = { run: 'a', curve: 'train', from: 2, points: points(2, 3) };
    const once = spliced(new Float64Array(points(1, 2)), delta);
    expect(spliced(once, delta)).toEqual(once);
  });

  test('a snapshot forgets what was held, and keeps what the user chose', () => {
    const before = reduce(after({ ...shown, curves: [{ run: 'a', curve: 'train', from: 0, points: points(1) }] }), {
      type: 'choose',
      ui: { xAxis: 'time' },
    });
    const state = reduce(before, { type: 'message', message: update({ snapshot: true, runs: ['b'], summaries: [summary('b')] }) });
    expect(state.curves.size).toBe(0);
    expect([...state.summaries.keys()]).toEqual(['b']);
    expect(state.ui.xAxis).toBe('time');
  });

  test('a run keeps its colour when another leaves, and the free one goes to the next', () => {
    const state = after({ ...shown, runs: ['a', 'b', 'c'] }, { runs: ['b', 'c'] }, { runs: ['b', 'c', 'd'] });
    expect([...state.colours]).toEqual([
      ['b', 1],
      ['c', 2],
      ['d', 0],
    ]);
  });

  test('what belongs to a run that is no longer shown is dropped', () => {
    const state = after({ ...shown, curves: [{ run: 'a', curve: 'train', from: 0, points: points(1) }] }, { runs: ['b'] });
    expect([...state.curves.keys(), ...state.summaries.keys()]).toEqual(['b']);
  });
});

describe('the heatmap', () => {
  test('prefers the chosen run, then a running one, then the last', () => {
    expect(heatmapRun(after(shown))).toBe('b');
    expect(heatmapRun(after(shown, { summaries: [summary('a', { state: 'running' })] }))).toBe('a');
    expect(heatmapRun(reduce(after(shown), { type: 'choose', ui: { heatmapRun: 'a' } }))).toBe('a');
  });

  test('stays with its run when that one finishes', () => {
    const running = after({ ...shown, summaries: [summary('a', { state: 'running' }), summary('b')] }, { experts: frame('a', 9) });
    expect(heatmapRun(reduce(running, { type: 'message', message: update({ summaries: [summary('a')] }) }))).toBe('a');
  });

  test('leaves out runs without routed layers', () => {
    expect(heatmapRun(after(shown, { summaries: [summary('b', { routedLayers: [] })] }))).toBe('a');
    expect(heatmapRun(initialState(null))).toBeNull();
  });

  test('while it looks back, newer frames do not replace what is seen', () => {
    const looking = reduce(reduce(after(shown, { experts: frame('b', 9) }), { type: 'lookBack', step: 4 }), {
      type: 'frame',
      frame: frame('b', 4),
    });
    expect(reduce(looking, { type: 'message', message: update({ experts: frame('b', 10) }) }).experts?.step).toBe(4);
    expect(viewOf(looking, 500).heatmap).toEqual({ run: 'b', follow: false });
  });

  test('a late answer about another run is not shown', () => {
    const state = after(shown, { experts: frame('b', 9) });
    expect(reduce(state, { type: 'frame', frame: frame('a', 4) })).toBe(state);
  });
});

test('hiding a run asks for less and is undone by the same gesture', () => {
  const hidden = reduce(after(shown), { type: 'toggleHidden', run: 'a' });
  expect(viewOf(hidden, 500).hidden).toEqual(['a']);
  expect(reduce(hidden, { type: 'toggleHidden', run: 'a' }).ui.hidden).toEqual([]);
});

describe('what the chart shows', () => {
  const delta = (curve: string, ...steps: number[]) => ({ run: 'a', curve, from: 0, points: points(...steps) });
  const curves = [
    delta('trainSmoothed', 1, 50, 100),
    delta('validation.code', 100),
    delta('validation.prose', 1, 100),
    delta('learningRate', 1, 100),
  ];
  const state = after({ ...shown, curves });
  const labels = (of: DashboardState) =>
    chartContent(of)
      .curves.filter(({ run }) => run === 'a')
      .map(({ label }) => label);

  test('training and every validation set, until one is switched off', () => {
    expect(labels(state)).toEqual(['training', 'code', 'prose']);
    const without = reduce(state, { type: 'toggleLine', line: 'validation.code' });
    expect(labels(without)).toEqual(['training', 'prose']);
    expect(labels(reduce(without, { type: 'toggleLine', line: 'train' }))).toEqual(['prose']);
    expect(labels(reduce(without, { type: 'toggleLine', line: 'validation.code' }))).toEqual(['training', 'code', 'prose']);
  });

  test('a set keeps its marker when another is switched off', () => {
    const without = reduce(state, { type: 'toggleLine', line: 'validation.code' });
    expect(chartContent(without).curves.find(({ label }) => label === 'prose')?.set).toBe(1);
  });

  test('switching a line off asks the host for nothing else', () => {
    expect(viewOf(reduce(state, { type: 'toggleLine', line: 'validation.code' }), 500)).toEqual(viewOf(state, 500));
    expect(viewOf(reduce(state, { type: 'choose', ui: { skipStart: 0.5 } }), 500)).toEqual(viewOf(state, 500));
  });

  test('without its start: the points before the cut go, which moves as the run grows', () => {
    const steps = (of: DashboardState) => chartContent(of).curves[0]?.points.map(({ step }) => step);
    const skipping = reduce(state, { type: 'choose', ui: { skipStart: 0.1 } });
    expect([chartContent(skipping).start, steps(skipping)]).toEqual([10, [50, 100]]);
    const grown = update({ curves: [{ run: 'a', curve: 'trainSmoothed', from: 101, points: points(600) }] });
    const later = reduce(skipping, { type: 'message', message: grown });
    expect([chartContent(later).start, steps(later)]).toEqual([60, [100, 600]]);
    expect(chartContent(reduce(later, { type: 'choose', ui: { skipStart: 0 } }))).toMatchObject({
      start: null,
      curves: [{ points: { length: 4 } }, {}, {}, {}],
    });
  });

  test('another quantity has one curve a run', () => {
    const other = reduce(state, { type: 'choose', ui: { quantity: 'learningRate' } });
    expect(labels(other)).toEqual(['learning rate']);
    expect(viewOf(other, 500).quantity).toBe('learningRate');
    expect(labels(reduce(state, { type: 'choose', ui: { quantity: 'dropRate' } }))).toEqual(['dropped assignments']);
  });
});

test('the width asked for is rounded up, so that small resizes ask for nothing new', () => {
  expect(viewOf(after(shown), 900).width).toBe(viewOf(after(shown), 1000).width);
  expect(viewOf(after(shown), 900).width).toBeGreaterThanOrEqual(900);
});

test('only navigation is saved', () => {
  const state = after({ ...shown, curves: [{ run: 'a', curve: 'train', from: 0, points: points(1) }] });
  expect(Object.keys(savedState(state)).sort()).toEqual([
    'asTable',
    'baselineRun',
    'heatmapRun',
    'hidden',
    'hiddenLines',
    'quantity',
    'retrievalLayer',
    'retrievalRun',
    'runs',
    'schemaVersion',
    'skipStart',
    'smoothed',
    'xAxis',
    'yScale',
  ]);
});

describe('parity', () => {
  const of = (baseline: string, ...runs: string[]) => ({ baseline, runs: runs.map((run) => ({ run, parity: null })) });

  test('is wanted against the first run, or the chosen one while it is shown, and not of a single run', () => {
    const state = after(shown);
    expect(viewOf(state, 800).baseline).toBe('a');
    const chosen = reduce(state, { type: 'choose', ui: { baselineRun: 'b' } });
    expect([viewOf(chosen, 800).baseline, savedState(chosen).baselineRun]).toEqual(['b', 'b']);
    expect(baselineRun(reduce(chosen, { type: 'message', message: update({ runs: ['a', 'c'] }) }))).toBe('a');
    expect(viewOf(after({ ...shown, runs: ['a'] }), 800).baseline).toBeNull();
  });

  test('what comes about a run that is chosen no longer is left out', () => {
    const state = after(shown, { parity: of('a', 'b') });
    expect(state.parity).toEqual(of('a', 'b'));
    const chosen = reduce(state, { type: 'choose', ui: { baselineRun: 'b' } });
    expect(reduce(chosen, { type: 'message', message: update({ parity: of('a', 'b') }) }).parity).toEqual(of('b'));
    expect(reduce(chosen, { type: 'message', message: update({ parity: of('b', 'a') }) }).parity).toEqual(of('b', 'a'));
  });
});
