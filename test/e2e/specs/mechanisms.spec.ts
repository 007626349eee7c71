import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { moeLab } from '../harness/product';
import { type RunOnDisk, runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

/** Experts in attention, retrieval by product keys, and a number of experts that varies: counted, trained and looked at. */
const session = useSession({
  name: 'mechanisms',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    const peer = {
      name: 'Retrieval',
      steps: 4000,
      attention: 'attention: { heads: 2, head_width: 16, moe: { experts: 4, top_k: 2 } }',
      mechanism: 'product_keys: { experts: 4096, heads: 2, top_k: 8, key_width: 16, layers: [1] }',
    };
    writeFileIn(workspace, 'peer.moe.yaml', tinyConfig(peer));
    const mechanism =
      'moe: { kind: smoe, every: 2, experts: 8, top_k: 2, expert_width: 32, router: { select: top_p, top_p: 0.3 } }\n  initial_std: 0.2';
    writeFileIn(workspace, 'varying.moe.yaml', tinyConfig({ name: 'Varying', steps: 60, every: 20, mechanism }));
  },
});
const dashboard = (): Dashboard => new Dashboard(session().window);
const file = (name: string): string => join(session().workspace, `${name}.moe.yaml`);
const lens = (part: string): Promise<string> =>
  eventually(`the lens with ${part}`, async () => (await session().window.codeLensTexts()).find((text) => text.includes(part)));

function runOf(name: string): RunOnDisk {
  const run = runsIn(session().workspace).find(({ description }) => description.name === name);
  if (run === undefined) throw new Error(`There is no run of ${name}.`);
  return run;
}

async function start(name: string): Promise<void> {
  await session().host.open(file(name));
  const before = runsIn(session().workspace).length;
  await session().window.runCommand('MoE Lab: Start Run');
  await eventually('the run directory', () => runsIn(session().workspace).length === before + 1);
}

test('experts in attention and product keys are counted above `model:`, as the command line counts them, without a squiggle', async () => {
  await session().host.open(file('peer'));
  const text = await lens('parameters');
  const { stdout } = await moeLab(session().workspace, 'count', 'peer.moe.yaml', '--json');
  const [model] = (JSON.parse(stdout) as { models: { parameters: { total: number }; activeIsUpperBound: boolean }[] }).models;
  expect(text).toContain(`${((model?.parameters.total ?? 0) / 1000).toFixed(1)} k parameters (≤ `);
  expect(model?.activeIsUpperBound).toBe(true);
  expect(await session().host.diagnostics(file('peer'))).toEqual([]);
  await session().host.execute('moeLab.showCount', { $uri: file('peer') });
  const report = session().window.page.locator('.monaco-editor', { hasText: 'Attention of one layer' });
  await report.waitFor();
  await session().window.screenshot('mechanisms-count');
});

test('a run that retrieves shows what it retrieves, while it trains', async () => {
  await start('peer');
  await dashboard().waitUntilReady();
  const figures = await eventually('figures of the retrieval', async () => {
    const shown = await dashboard().retrievalFigures();
    return shown.has('Experts ever used') && shown;
  });
  expect(figures.get('Experts ever used')).toMatch(/^[\d,]+ of 4,096 \([\d.]+ %\)$/);
  await eventually('a drawn picture', async () => (await dashboard().distinctColours('retrieval')) > 3);
  const step = await dashboard().retrievalStep();
  await eventually('the picture to grow', async () => ((await dashboard().retrievalStep()) ?? 0) > (step ?? 0));
  await eventually('the most used experts', async () => (await dashboard().bars('Most used experts')).length === 10);
  // Eight choices in each of two heads.
  expect(runOf('Retrieval').description.retrievals).toEqual([{ name: 'layers.1.product_keys', experts: 4096, k: 16 }]);
  // The experts of attention stand in the heatmap, by their layer and side.
  expect(runOf('Retrieval').description.routedLayers.map(({ name, heads }) => [name, heads])).toContainEqual([
    'layers.0.attention.source',
    2,
  ]);
  await eventually('a drawn heatmap', async () => (await dashboard().distinctColours('heatmap')) > 3);
  await session().window.clearNotifications();
  await session().window.page.setViewportSize({ width: 1500, height: 2300 });
  await session().window.screenshot('mechanisms-retrieval');
  await session().window.page.setViewportSize({ width: 1400, height: 900 });
  await session().host.execute('moeLab.stopRun', { directory: runOf('Retrieval').directory });
  await eventually('the run to be stopped', () => runOf('Retrieval').status.state === 'stopped');
});

test('a run whose units take different numbers of experts says how many, and what that costs', async () => {
  await start('varying');
  await eventually('the run to be finished', () => runOf('Varying').status.state === 'finished');
  const last = runOf('Varying').metrics.findLast(({ train }) => train !== undefined)?.train;
  const details = await eventually('the mean K', async () => {
    const text = await dashboard().details('Varying');
    return text.includes(`mean K ${Number(last?.meanK).toFixed(2)}`) && text;
  });
  expect(details).toMatch(/k MACs\/token at that mean/);
  const shares = last?.kShares?.map((share, index) => [String(index + 1), `${(100 * share).toFixed(2)} %`]);
  await eventually('the shares of each number of experts', async () => {
    const bars = await dashboard().bars('Experts per unit');
    return bars.length > 0 && JSON.stringify(bars.map(([k, share]) => [k, share])) === JSON.stringify(shares?.slice(0, bars.length));
  });
  const shown = await moeLab(session().workspace, 'show', runOf('Varying').description.id);
  expect(shown.stdout).toMatch(/^MACs at mean K +[\d,]+$/m);
});

test('its twin with a fixed k is a new config beside it, from the lens and from the run, and nothing is written', async () => {
  await session().host.open(file('varying'));
  await lens('Fixed-K Twin');
  await session().window.clickLens('Fixed-K Twin', async () => (await session().host.tabs()).includes('varying-k2.moe.yaml'));
  await lens('parameters');
  await session().window.waitForNoSquiggle('error');
  // Nor while it was made: what was empty for a moment had nothing wrong in it.
  expect(await session().host.problemsEverShown(file('varying-k2'))).toEqual([]);
  await session().window.screenshot('mechanisms-twin');
  const k = (await moeLab(session().workspace, 'twin', runOf('Varying').description.id, '--json')).stdout;
  const measured = (JSON.parse(k) as { k: number }).k;
  await session().host.execute('moeLab.createTwin', { directory: runOf('Varying').directory });
  const name = measured === 2 ? 'varying-k2-2.moe.yaml' : `varying-k${measured}.moe.yaml`;
  await eventually('the twin of the run', async () => (await session().host.tabs()).includes(name));
  expect(existsSync(join(session().workspace, 'varying-k2.moe.yaml'))).toBe(false);
});
