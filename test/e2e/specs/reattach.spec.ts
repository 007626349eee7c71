import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { isAlive, processesNaming } from '../harness/processes';
import { extensionFolder } from '../harness/product';
import { expectContiguous, type RunOnDisk, runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

const session = useSession({
  name: 'reattach',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'long.moe.yaml', tinyConfig({ name: 'Long', steps: 500_000, every: 500, checkpointEvery: 100_000 }));
  },
});

const dashboard = (): Dashboard => new Dashboard(session().window);

function theRun(): RunOnDisk {
  const runs = runsIn(session().workspace);
  expect(runs).toHaveLength(1);
  const [run] = runs;
  if (!run) throw new Error('There is no run.');
  return run;
}

/** The newest step that the chart shows, once it has reached `step`. */
function chartReaches(step: number): Promise<number> {
  return eventually(`the chart to reach step ${step}`, async () => {
    const last = await dashboard().lastStep('Long');
    return last !== undefined && last >= step && last;
  });
}

/** What the chart's table says about the run is what its metrics file says: no gap, and the same figures. */
async function expectChartEqualsFile(): Promise<void> {
  const shown = await dashboard().trainingPoints('Long');
  const logged = new Map(theRun().metrics.flatMap(({ step, train }) => (train ? [[step, train.crossEntropy] as const] : [])));
  expectContiguous([...logged.keys()]);
  expect(shown.length).toBeGreaterThan(10);
  expect(shown[0]?.step).toBeLessThanOrEqual(2);
  // Fewer points than steps where the chart has fewer pixels; a stretch that was missed would still stand out among them.
  const last = shown.at(-1)?.step ?? 0;
  const gaps = shown.map(({ step }, index) => step - (shown[index - 1]?.step ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil((8 * last) / shown.length));
  for (const { step, perplexity } of shown) {
    const loss = logged.get(step);
    expect(typeof loss).toBe('number');
    expect(perplexity / Math.exp(Number(loss))).toBeCloseTo(1, 2);
  }
}

test('a run is started and its curve grows', async () => {
  await session().host.open(join(session().workspace, 'long.moe.yaml'));
  await session().window.runCommand('MoE Lab: Start Run');
  await chartReaches(30);
  // The way in which the untrusted suite makes sure that there is none.
  expect(processesNaming(join(extensionFolder(), 'dist', 'worker.js'))).toEqual([theRun().status.pid]);
});

test('reloading the window: another extension host, the same worker, a longer curve without a gap', async () => {
  const host = session().host.pid;
  const { pid: worker } = theRun().status;
  const shownBefore = await chartReaches(1);
  await session().reloadWindow();
  expect(session().host.pid).not.toBe(host);
  expect(theRun().status.pid).toBe(worker);
  expect(isAlive(worker)).toBe(true);
  expect(await chartReaches(shownBefore + 30)).toBeGreaterThan(shownBefore);
  expect(theRun().status.state).toBe('running');
  expectContiguous(theRun().trainedSteps);
  await expectChartEqualsFile();
  await session().window.screenshot('after-reload');
});

test('ending the whole server: the worker trains on, and a new server attaches to it', async () => {
  const host = session().host.pid;
  const { pid: worker } = theRun().status;
  await session().endServer();
  await eventually('the extension host to be gone', () => !isAlive(host));
  const stepWithoutEditor = theRun().trainedSteps.length;
  await eventually('steps without any editor', () => theRun().trainedSteps.length > stepWithoutEditor + 20);
  expect(isAlive(worker)).toBe(true);
  await session().startServerAgain();
  expect(session().host.pid).not.toBe(host);
  await session().window.runCommand('MoE Lab: Open Dashboard');
  await chartReaches(stepWithoutEditor + 30);
  expect(theRun().status.pid).toBe(worker);
  expectContiguous(theRun().trainedSteps);
  await expectChartEqualsFile();
  await session().window.screenshot('after-new-server');
});

test('the attached run obeys: stop ends the worker and keeps a checkpoint', async () => {
  const { pid: worker } = theRun().status;
  await session().window.runCommand('MoE Lab: Stop Run');
  await eventually('the run to be stopped', () => theRun().status.state === 'stopped');
  await eventually('the worker to be gone', () => !isAlive(worker));
  expectContiguous(theRun().trainedSteps);
  expect(theRun().trainedSteps.at(-1)).toBe(theRun().status.step);
  expect(theRun().checkpoints.at(-1)).toBe(theRun().status.step);
});
