import { describe, expect, test } from 'vitest';
import {
  dashboardToHostSchema,
  dashboardToWebviewSchema,
  dashboardUiStateSchema,
  type DashboardToHost,
  type DashboardToWebview,
  type DashboardUpdate,
} from '../../../src/extension/panels/dashboard-protocol';
import { comparedTitles as shownTitles, costLimits as shownLimits } from '../../../src/extension/panels/parity-protocol';
import { comparedTitles, costLimits } from '../../../src/parity/comparedPart';

test('pages speak of parity as everybody else does', () => {
  expect([shownTitles, shownLimits]).toEqual([comparedTitles, costLimits]);
});

const update: DashboardUpdate = {
  type: 'update',
  snapshot: true,
  runs: ['/runs/a'],
  summaries: [],
  curves: [{ run: '/runs/a', curve: 'train', from: 0, points: new Float64Array(8).buffer }],
  experts: { run: '/runs/a', fromStep: 0, step: 1, layers: [{ layer: 0, counts: new Float32Array(3).buffer }] },
  retrieval: {
    series: { run: '/runs/a', layer: 0, from: 0, steps: new Float64Array(4).buffer, bands: new Float32Array(6).buffer },
    figures: {
      run: '/runs/a',
      layer: 0,
      fromStep: 0,
      step: 1,
      total: 5,
      used: 2,
      usedEver: 2,
      unevenness: 0.5,
      histogram: [1, 1],
      heaviest: [{ expert: 3, count: 4 }],
    },
  },
  parity: {
    baseline: '/runs/a',
    runs: [
      { run: '/runs/b', parity: null },
      {
        run: '/runs/c',
        parity: {
          baseline: 'SMoE',
          scope: 'layers',
          compared: { parameters: -0.03, parametersWithRouter: -0.03, macs: 0, macsWithRouter: 0.005 },
          model: { parameters: -0.02, parametersWithRouter: -0.02, macs: null, macsWithRouter: 0.001 },
        },
      },
    ],
  },
};
const view: DashboardToHost = {
  type: 'view',
  view: {
    width: 800,
    quantity: 'perplexity',
    smoothed: true,
    hidden: [],
    heatmap: { run: '/runs/a', follow: true },
    retrieval: { run: '/runs/a', layer: 0, follow: true },
    baseline: '/runs/a',
  },
};

describe('what the host takes from the page', () => {
  test.each<DashboardToHost>([
    { type: 'ready', version: 1 },
    view,
    { type: 'request', id: 1, request: { kind: 'expertsAt', run: '/runs/a', step: 10 } },
    { type: 'request', id: 2, request: { kind: 'sketchAt', run: '/runs/a', layer: 0, step: 10 } },
    { type: 'request', id: 3, request: { kind: 'branchWithFix', run: '/runs/a' } },
    { type: 'cancel', id: 1 },
  ])('takes $type', (message) => expect(dashboardToHostSchema.parse(message)).toEqual(message));

  test.each([
    ['nothing', undefined],
    ['an unknown type', { type: 'run', command: 'rm' }],
    ['an unknown request', { type: 'request', id: 1, request: { kind: 'deleteRun', run: '/runs/a' } }],
    ['a request without id', { type: 'request', request: { kind: 'stopRun', run: '/runs/a' } }],
    ['a negative id', { type: 'cancel', id: -1 }],
    ['a width of zero', { type: 'view', view: { ...view.view, width: 0 } }],
    ['a quantity that nobody logs', { type: 'view', view: { ...view.view, quantity: 'mood' } }],
    ['a width beyond any screen', { type: 'view', view: { ...view.view, width: 1e9 } }],
    ['more than was agreed', { type: 'ready', version: 1, extra: true }],
    ['a run without name', { type: 'request', id: 1, request: { kind: 'stopRun', run: '' } }],
  ])('refuses %s', (_, message) => expect(dashboardToHostSchema.safeParse(message).success).toBe(false));
});

describe('what the page takes from the host', () => {
  test.each<DashboardToWebview>([
    { type: 'welcome', version: 1 },
    update,
    { type: 'response', id: 1, result: { kind: 'done' } },
    { type: 'error', id: 1, message: 'No.', advice: 'Try again.' },
  ])('takes $type', (message) => expect(dashboardToWebviewSchema.parse(message)).toEqual(message));

  const withPoints = (points: unknown) => ({ ...update, curves: [{ ...update.curves[0], points }] });
  test.each([
    ['a view instead of a buffer', withPoints(new Float64Array(8))],
    ['a Node buffer on its pool', withPoints(Buffer.from('0123456789abcdef0123456789abcdef'))],
    ['half a point', withPoints(new Float64Array(6).buffer)],
    ['points as numbers', withPoints([1, 2, 3, 4])],
    ['a list of runs that is none', { ...update, runs: 'all' }],
    ['an answer of an unknown kind', { type: 'response', id: 1, result: { kind: 'text', text: '' } }],
  ])('refuses %s', (_, message) => expect(dashboardToWebviewSchema.safeParse(message).success).toBe(false));
});

test('a state kept by an earlier version, without the newer choices, restores what it has', () => {
  const earlier = {
    schemaVersion: 1,
    runs: ['/runs/a'],
    hidden: [],
    xAxis: 'time',
    yScale: 'linear',
    smoothed: false,
    asTable: false,
    heatmapRun: null,
  };
  expect(dashboardUiStateSchema.parse(earlier)).toEqual({
    ...earlier,
    quantity: 'perplexity',
    hiddenLines: [],
    skipStart: 0,
    retrievalRun: null,
    retrievalLayer: 0,
    baselineRun: null,
  });
});
