import { describe, expect, test } from 'vitest';
import type { DashboardUpdate, ExpertsFrame, RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { heatmapRun, initialState, reduce, savedState, spliced, viewOf, type DashboardState } from '../../webview/dashboard/state';

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
  routedLayers: [{ name: 'layers.1', experts: 4, k: 1 }],
  expertSteps: { first: 1, last: 10 },
  failure: null,
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

test('the width asked for is rounded up, so that small resizes ask for nothing new', () => {
  expect(viewOf(after(shown), 900).width).toBe(viewOf(after(shown), 1000).width);
  expect(viewOf(after(shown), 900).width).toBeGreaterThanOrEqual(900);
});

test('only navigation is saved', () => {
  const state = after({ ...shown, curves: [{ run: 'a', curve: 'train', from: 0, points: points(1) }] });
  expect(Object.keys(savedState(state)).sort()).toEqual([
    'asTable',
    'heatmapRun',
    'hidden',
    'runs',
    'schemaVersion',
    'smoothed',
    'xAxis',
    'yScale',
  ]);
});
