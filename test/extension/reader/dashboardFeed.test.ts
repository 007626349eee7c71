import { describe, expect, onTestFinished, test } from 'vitest';
import { experimentSchema } from '../../../src/config/schema';
import type { DashboardUpdate, DashboardView } from '../../../src/extension/panels/dashboard-protocol';
import { DashboardFeed } from '../../../src/extension/reader/dashboardFeed';
import { RunWatch } from '../../../src/extension/reader/runWatch';
import { parityView } from '../../../src/language/parityView';
import { countModel } from '../../../src/models/count';
import { buildLanguageModel } from '../../../src/models/languageModel';
import { thisHost } from '../../../src/runs/liveness';
import { readRunResult } from '../../../src/runs/runResult';
import { summariseRun } from '../../../src/runs/runIndex';
import { WrittenRun, type RunPlan } from './writtenRun';

const view: DashboardView = {
  width: 1024,
  quantity: 'perplexity',
  smoothed: false,
  hidden: [],
  heatmap: null,
  retrieval: null,
  baseline: null,
};

function write(plan: RunPlan, steps: number): { run: WrittenRun; watch: RunWatch } {
  const run = new WrittenRun(plan);
  onTestFinished(() => run.close());
  run.train(steps);
  return { run, watch: new RunWatch(run.directory, thisHost()) };
}

const points = (update: DashboardUpdate | null, curve: string) =>
  (update?.curves ?? []).filter((delta) => delta.curve === curve).reduce((sum, delta) => sum + delta.points.byteLength / 32, 0);

describe('what a dashboard is told', () => {
  test('nothing before it says what it shows; then everything; then nothing until something happens', async () => {
    const { watch } = write({}, 100);
    await watch.poll();
    const feed = new DashboardFeed();
    feed.setRuns([watch]);
    expect(feed.next(Date.now())).toBeNull();
    feed.setView(view);
    const first = feed.next(Date.now());
    expect(first).toMatchObject({ snapshot: true, runs: [watch.run], experts: null });
    expect(first?.summaries).toMatchObject([{ name: 'SMoE', state: 'running', step: 100, expertSteps: { first: 1, last: 100 } }]);
    expect([points(first, 'train'), points(first, 'trainSmoothed'), points(first, 'validation.prose')]).toEqual([100, 0, 2]);
    await watch.poll();
    expect(feed.next(Date.now())).toBeNull();
  });

  test('only what is new, and after a restart everything again', async () => {
    const { run, watch } = write({}, 100);
    const feed = new DashboardFeed();
    feed.setRuns([watch]);
    feed.setView(view);
    await watch.poll();
    feed.next(Date.now());
    run.train(3);
    await watch.poll();
    const second = feed.next(Date.now());
    expect(second).toMatchObject({ snapshot: false, runs: null });
    expect(points(second, 'train')).toBe(3 + 1);
    expect(points(second, 'validation.prose')).toBe(0);
    feed.restart();
    feed.setView(view);
    const again = feed.next(Date.now());
    expect(again?.snapshot).toBe(true);
    expect(points(again, 'train')).toBe(103);
  });

  test('another quantity is sent when it is looked at, and perplexity then only from where it was left', async () => {
    const { run, watch } = write({}, 100);
    const feed = new DashboardFeed();
    feed.setRuns([watch]);
    feed.setView(view);
    await watch.poll();
    expect(feed.next(Date.now())?.curves.map(({ curve }) => curve)).toEqual(['train', 'validation.prose']);
    feed.setView({ ...view, quantity: 'learningRate' });
    run.train(2);
    await watch.poll();
    const other = feed.next(Date.now());
    expect(other?.curves.map(({ curve }) => curve)).toEqual(['learningRate']);
    expect(points(other, 'learningRate')).toBe(102);
    feed.setView(view);
    const back = feed.next(Date.now());
    expect(back?.curves.map(({ curve }) => curve)).toEqual(['train']);
    expect(points(back, 'train')).toBe(2 + 1);
  });

  test('curves of hidden runs are not sent, and come when they are shown', async () => {
    const { watch } = write({}, 100);
    const feed = new DashboardFeed();
    feed.setRuns([watch]);
    feed.setView({ ...view, hidden: [watch.run] });
    await watch.poll();
    expect(feed.next(Date.now())?.curves).toEqual([]);
    feed.setView(view);
    expect(points(feed.next(Date.now()), 'train')).toBe(100);
  });

  test('the heatmap gets each newest frame once, and only while it follows', async () => {
    const { run, watch } = write({ experts: [8] }, 10);
    const feed = new DashboardFeed();
    feed.setRuns([watch]);
    feed.setView({ ...view, heatmap: { run: watch.run, follow: true } });
    await watch.poll();
    expect(feed.next(Date.now())?.experts).toMatchObject({ fromStep: 9, step: 10, layers: [{ layer: 0 }] });
    run.train(1);
    await watch.poll();
    expect(feed.next(Date.now())?.experts?.step).toBe(11);
    feed.setView({ ...view, heatmap: { run: watch.run, follow: false } });
    run.train(1);
    await watch.poll();
    expect(feed.next(Date.now())?.experts).toBeNull();
    expect(watch.expertsFrame(5)).toMatchObject({ fromStep: 4, step: 5 });
  });

  test('a resumed run shows no point twice', async () => {
    const { run, watch } = write({}, 100);
    const feed = new DashboardFeed();
    feed.setRuns([watch]);
    feed.setView(view);
    await watch.poll();
    feed.next(Date.now());
    run.rewind(80);
    run.train(5);
    await watch.poll();
    const update = feed.next(Date.now());
    const train = update?.curves.find((delta) => delta.curve === 'train');
    const steps = Array.from(new Float64Array(train?.points ?? new ArrayBuffer(0))).filter((_, index) => index % 4 === 0);
    expect(train?.from).toBe(0);
    expect(steps).toEqual(Array.from({ length: 85 }, (_, index) => index + 1));
    expect(watch.experts.range).toEqual({ first: 1, last: 85 });
  });

  test('a directory that is not there is said, not thrown', async () => {
    const watch = new RunWatch('/nowhere/20260301-120000-gone-abcd', thisHost());
    await watch.poll();
    expect(watch.summary(Date.now())).toMatchObject({
      name: '20260301-120000-gone-abcd',
      problem: expect.stringContaining('run.json') as string,
    });
  });
});

describe('what runs cost against one of them', () => {
  const models = (changes: object) => ({
    model: {
      d_model: 64,
      layers: 2,
      context: 32,
      attention: { heads: 4 },
      ffn: { width: 64 },
      moe: { kind: 'smoe', every: 1, experts: 8, top_k: 2, expert_width: 32, ...changes },
    },
  });
  const counted = (changes: object) => {
    const experiment = experimentSchema.parse(models(changes));
    return { experiment, count: countModel(buildLanguageModel(experiment), experiment.model) };
  };

  test('is sent when it is wanted, of runs that keep their costs and of those that are counted again, and once', async () => {
    const [one, other] = [counted({}), counted({ expert_width: 48 })];
    // As a run of this version, one of an earlier version, and one that cannot be counted.
    const watches = [
      write({ name: 'SMoE', seed: 1, experiment: {}, cost: one.count }, 1).watch,
      write({ name: 'wider', seed: 2, experiment: other.experiment }, 1).watch,
      write({ name: 'foreign', seed: 3 }, 1).watch,
    ];
    for (const watch of watches) await watch.poll();
    const [first, second, third] = watches.map(({ run }) => run);
    const feed = new DashboardFeed();
    feed.setRuns(watches);
    feed.setView(view);
    expect(feed.next(Date.now())?.parity).toBeNull();
    feed.setView({ ...view, baseline: first ?? null });
    const expected = {
      baseline: first,
      runs: [
        { run: second, parity: parityView('SMoE', other.count, one.count) },
        { run: third, parity: null },
      ],
    };
    expect(feed.next(Date.now())?.parity).toEqual(expected);
    expect(expected.runs[0]?.parity?.compared.macs).toBeCloseTo(0.5, 12);
    expect(feed.next(Date.now())).toBeNull();
    feed.setView({ ...view, baseline: second ?? null });
    expect(feed.next(Date.now())?.parity).toMatchObject({
      baseline: second,
      runs: [{ run: first, parity: { baseline: 'wider' } }, { run: third }],
    });
    feed.restart();
    feed.setView({ ...view, baseline: first ?? null });
    expect(feed.next(Date.now())?.parity).toEqual(expected);
  });
});

test('what goes wrong in a run without ending it stands in its summary', async () => {
  const { watch } = write({ dropRate: 0.9 }, 40);
  await watch.poll();
  expect(watch.summary(Date.now()).alarms).toMatchObject([expect.stringMatching(/^\d\d % of the choices of experts are dropped/)]);
  const calm = write({ seed: 4 }, 40).watch;
  await calm.poll();
  expect(calm.summary(Date.now()).alarms).toEqual([]);
});

describe('collapsed experts', () => {
  const collapsed = { collapsed: true, experts: [8, 16] };
  const alarm = (step: number) => [
    `7 of the 8 experts of layer 1 got less than a tenth of an even share, over 20 steps up to step ${step}.`,
  ];
  const told = async (watch: RunWatch) => {
    await watch.poll();
    return watch.summary(Date.now()).alarms;
  };

  test.each([
    ['as the metrics say', true],
    ['by their counts, in runs whose metrics do not say', false],
  ])('are an alarm, %s', async (_, tellsIdle) => {
    const { run, watch } = write({ ...collapsed, tellsIdle }, 99);
    expect(await told(watch)).toEqual([]);
    run.train(1);
    expect(await told(watch)).toEqual(alarm(100));
    expect(await told(write({ tellsIdle }, 120).watch)).toEqual([]);
    const summary = await summariseRun(run.directory);
    // Lists read no counts.
    expect(summary?.alarms.map(({ name }) => name)).toEqual(tellsIdle ? ['collapsed-experts'] : []);
    expect((await readRunResult(run.directory))?.alarms.map(({ message }) => message)).toEqual(alarm(100));
  });

  test('are the same alarm in a list and in the dashboard, also after a resume', async () => {
    const { run, watch } = write({ ...collapsed, tellsIdle: true }, 150);
    expect(await told(watch)).toEqual(alarm(140));
    const list = async () => (await summariseRun(run.directory))?.alarms.map(({ message }) => message);
    // From a checkpoint of its last step: nothing is taken back.
    run.rewind(150);
    run.train(5);
    expect(await told(watch)).toEqual(alarm(140));
    // From an older one: what held then holds again.
    run.rewind(125);
    run.train(2);
    expect(await told(watch)).toEqual(alarm(120));
    expect(await list()).toEqual(alarm(120));
    run.train(20);
    expect(await told(watch)).toEqual(alarm(140));
    run.rewind(-1);
    run.train(30);
    expect(await told(watch)).toEqual([]);
    expect(await list()).toEqual([]);
  });
});
