import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { isAlive } from '../harness/processes';
import { type RunOnDisk, runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

/** From an empty folder to a first live curve, with nothing but clicks, on the sample that every newcomer gets. */
const session = useSession({ name: 'first-curve' });
const dashboard = (): Dashboard => new Dashboard(session().window);

function theRun(): RunOnDisk {
  const [run, ...others] = runsIn(session().workspace);
  expect(others).toEqual([]);
  if (!run) throw new Error('There is no run.');
  return run;
}

test('first click: the sample experiment is written and opened', async () => {
  await session().window.openSideBar('MoE Lab');
  await session().window.welcome.getByText('Create Sample Experiment').click();
  await eventually('the sample config in an editor', async () => (await session().host.tabs()).includes('smoe.moe.yaml'));
  expect(readFileSync(join(session().workspace, 'mh-moe.moe.yaml'), 'utf8')).toContain('parity: smoe.moe.yaml');
  await eventually('the lens', async () => (await session().window.codeLensTexts()).some((lens) => lens.includes('parameters')));
  // And nothing was said for a moment, while the files came one by one.
  for (const name of ['smoe', 'mh-moe', 'dense'])
    expect(await session().host.problemsThatWent(join(session().workspace, `${name}.moe.yaml`))).toEqual([]);
  await session().window.screenshot('sample');
});

test('second click: the run starts, and the dashboard opens by itself', async () => {
  await session().window.page.locator('.editor-actions a[aria-label*="Start Run"]').click();
  await eventually('the run directory', () => runsIn(session().workspace).length === 1);
  await dashboard().waitUntilReady();
  await eventually('the first points', async () => ((await dashboard().lastStep('SMoE')) ?? 0) >= 2);
});

test('the run stands in the sidebar with step, perplexity and progress', async () => {
  const label = await eventually('the figures', async () =>
    (await session().window.runRowTexts()).find((text) => /SMoE.*step \d+\/\d+.*ppl \d.*\d+ %/.test(text)),
  );
  expect(label).toContain('SMoE');
  await eventually('the status bar', async () => (await session().window.statusBarTexts()).some((text) => /step \d+\/\d+/.test(text)));
});

test('the perplexity curve and the heatmap grow while it trains', async () => {
  const curve = await dashboard().lastStep('SMoE');
  const experts = await dashboard().heatmapStep();
  await eventually('the curve to grow', async () => ((await dashboard().lastStep('SMoE')) ?? 0) > (curve ?? 0));
  await eventually('the heatmap to grow', async () => ((await dashboard().heatmapStep()) ?? 0) > (experts ?? 0));
  expect(theRun().status.state).toBe('running');
  await eventually('a drawn curve', async () => (await dashboard().distinctColours('curve')) > 3);
  await eventually('a drawn heatmap', async () => (await dashboard().distinctColours('heatmap')) > 3);
});

test('the heatmap shows the share of routed units that each expert got', async () => {
  const { routedLayers } = theRun().description;
  const shares = await dashboard().expertShares();
  expect(shares).toHaveLength(routedLayers.length);
  for (const [index, layer] of shares.entries()) {
    expect(layer).toHaveLength(routedLayers[index]?.experts ?? 0);
    expect(layer.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 1);
  }
});

test('validation while it trains shows in the dashboard', async () => {
  await eventually('a validation', () => theRun().metrics.some(({ step, validation }) => step > 0 && validation !== undefined), 200);
  await eventually('its curve', async () => (await dashboard().curveNames()).some((name) => name.includes('prose')));
  await session().window.clearNotifications();
  await session().window.page.setViewportSize({ width: 1500, height: 1300 });
  await session().window.screenshot('dashboard-live');
  await session().window.page.setViewportSize({ width: 1400, height: 900 });
});

test('nothing violates the content security policy', () => {
  expect(session().consoleErrors.filter((text) => /Content Security Policy/i.test(text) && /moe-lab|dashboard/i.test(text))).toEqual([]);
});

test('stop, from the sidebar: a checkpoint is written and the worker ends', async () => {
  const { pid } = theRun().status;
  const row = session().window.runRows.filter({ hasText: 'SMoE' }).first();
  // The row is drawn anew with each step: one click may meet none.
  await eventually('the run to be told', async () => {
    if (theRun().status.state !== 'running') return true;
    await row.hover({ timeout: 5000 });
    await row.locator('a[aria-label*="Stop Run"]').click({ timeout: 5000 });
    return eventually('the run to stop', () => theRun().status.state !== 'running', 5);
  });
  await eventually('the run to be stopped', () => theRun().status.state === 'stopped');
  await eventually('the worker to be gone', () => !isAlive(pid));
  expect(theRun().checkpoints.at(-1)).toBe(theRun().status.step);
  await eventually('the sidebar to say so', async () => (await session().window.runRowTexts()).some((text) => /SMoE.*stopped/.test(text)));
  await session().window.screenshot('stopped');
});
