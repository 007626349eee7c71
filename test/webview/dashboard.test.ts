import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { faintTexts } from './contrast';
import { chromiumPath, screenshots } from './dashboardHarness';
import { cellCentres, choose, chosen, distinctColours, lastStepSent, pictureOf, pixel } from './dashboardReading';
import { dashboardSuite } from './dashboardSuite';
import { eventually } from './eventually';
import { unknownViolations } from './policy';
import { themes } from './themes';

describe.skipIf(chromiumPath === undefined)('dashboard in a browser', () => {
  const { open, openDrawn, write } = dashboardSuite();

  test.each(['dark', 'light', 'highContrast'] as const)('%s: everything is drawn, and no policy is violated', async (name) => {
    const finished = write({ name: 'SMoE', seed: 1 }, 2000);
    finished.status('finished');
    const running = write({ name: 'MH-MoE (head=2)', seed: 2, floor: 5.2, experts: [40, 40] }, 1250);
    const failed = write({ name: 'SMoE, learning rate 1e-1', seed: 3, floor: 40 }, 260);
    failed.status('failed', {
      message: 'The loss is not finite.',
      advice: 'Lower learning_rate; the checkpoint of step 250 is kept.',
      step: 260,
    });
    const dashboard = await openDrawn([finished, running, failed], { theme: themes[name], height: 1150 });
    const { page } = dashboard;
    await page.locator('.chart-frame canvas').hover({ position: { x: 500, y: 150 } });
    await page.screenshot({ path: join(screenshots, `dashboard-${name}.png`) });
    await page.locator('.heatmap').hover({ position: { x: 300, y: 12 } });
    await page.screenshot({ path: join(screenshots, `dashboard-${name}-cell.png`) });
    expect(await page.locator('.run').count()).toBe(3);
    expect(await page.locator('.trouble:visible p').allInnerTexts()).toEqual([
      'Failed at step 260: The loss is not finite.',
      'Lower learning_rate; the checkpoint of step 250 is kept.',
    ]);
    expect(await page.locator('vscode-button[aria-label="Stop"]:visible').count()).toBe(1);
    expect(await distinctColours(dashboard, '.heatmap')).toBeGreaterThan(20);
    expect(await faintTexts(page)).toEqual([]);
    expect(await unknownViolations(dashboard)).toEqual([]);
    expect(dashboard.errors).toEqual([]);
  });

  test('another theme recolours chart and heatmap without new data', async () => {
    const dashboard = await openDrawn([write({ experts: [8, 8] }, 300)]);
    const at = (await cellCentres(dashboard, 8, 2))(0, 0);
    const [cellBefore, chartBefore] = [await pixel(dashboard, at.x - 15, at.y - 10), await pictureOf(dashboard, '.chart-frame canvas')];
    await eventually(() => expect(lastStepSent(dashboard)).toBe(300));
    const points = dashboard.pointsSent;
    await dashboard.setTheme(themes.light);
    await eventually(async () => expect(await pixel(dashboard, at.x - 15, at.y - 10)).not.toEqual(cellBefore));
    expect(await pictureOf(dashboard, '.chart-frame canvas')).not.toBe(chartBefore);
    expect(dashboard.pointsSent).toBe(points);
  });

  test('runs are hidden, stopped and taken off', async () => {
    const runs = [write({ name: 'one', seed: 1 }, 300), write({ name: 'two', seed: 2 }, 300)];
    const dashboard = await openDrawn(runs);
    const { page } = dashboard;
    const [first, second] = runs.map((run) => run.directory);
    await page.locator('.legend vscode-checkbox', { hasText: 'two' }).click();
    await eventually(async () => expect(await page.locator('.chart-frame canvas').getAttribute('aria-label')).not.toContain('two'));
    await page.locator('.run', { hasText: 'one' }).locator('vscode-button[aria-label="Stop"]').click();
    await eventually(() => expect(dashboard.performed).toEqual([{ kind: 'stopRun', run: first }]));
    await page.locator('.run', { hasText: 'two' }).locator('vscode-button[aria-label="Hide"]').click();
    await eventually(async () => expect(await page.locator('.run').count()).toBe(1));
    expect(dashboard.performed.at(-1)).toEqual({ kind: 'toggleRun', run: second });
  });

  test('the focus of a run that is taken off goes to the next', async () => {
    const dashboard = await openDrawn([write({ name: 'one', seed: 1 }, 300), write({ name: 'two', seed: 2 }, 300)]);
    const { page } = dashboard;
    await page.locator('.run', { hasText: 'one' }).locator('vscode-button[aria-label="Hide"]').focus();
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await page.locator('.run').count()).toBe(1));
    expect(await page.evaluate(() => document.activeElement?.closest('.run')?.querySelector('h3')?.textContent)).toBe('two');
  });

  test('a run says how long it has trained, and while it does how long it has still to go', async () => {
    const running = write({ name: 'running', seed: 1 }, 500);
    const finished = write({ name: 'finished', seed: 2 }, 2000);
    finished.status('finished');
    const dashboard = await openDrawn([running, finished]);
    const details = (name: string) => dashboard.page.locator('.run', { hasText: name }).locator('.details').innerText();
    // 0.08 s a step.
    await eventually(async () => expect(await details('running')).toMatch(/40 s, about 2:00 min left/));
    await eventually(async () => expect(await details('finished')).toMatch(/2:40 min(?!, about)/));
  });

  test('choices outlive a reload; data is not kept in the state', async () => {
    const run = write({}, 300);
    const before = await openDrawn([run]);
    await before.page.locator('vscode-checkbox', { hasText: 'Logarithmic' }).click();
    await before.page.locator('vscode-checkbox', { hasText: 'Smooth training' }).click();
    await before.page.locator('.line-key vscode-checkbox', { hasText: 'prose' }).click();
    await choose(before, 'Range', 'From 10 %');
    await eventually(async () => expect(await before.savedState()).toMatchObject({ yScale: 'linear', smoothed: false, skipStart: 0.1 }));
    const savedState = await before.savedState();
    expect(savedState).toEqual({
      schemaVersion: 1,
      runs: [run.directory],
      hidden: [],
      quantity: 'perplexity',
      hiddenLines: ['validation.prose'],
      skipStart: 0.1,
      xAxis: 'step',
      yScale: 'linear',
      smoothed: false,
      asTable: false,
      retrievalRun: null,
      retrievalLayer: 0,
      baselineRun: null,
      heatmapRun: null,
    });
    const after = await openDrawn([run], { savedState });
    expect(await after.page.locator('vscode-checkbox', { hasText: 'Logarithmic' }).getAttribute('aria-checked')).toBe('false');
    expect(await after.page.locator('.line-key vscode-checkbox', { hasText: 'prose' }).getAttribute('aria-checked')).toBe('false');
    await eventually(async () => expect(await chosen(after, 'Range')).toBe('From 10 %'));
    expect(after.received.findLast((message) => message.type === 'view')).toMatchObject({ view: { smoothed: false } });
  });

  test('a failed run, and one with an alarm, can be branched from', async () => {
    const failed = write({ name: 'Failed', seed: 1 }, 60);
    failed.status('failed', { message: 'Diverged: the loss is NaN.', advice: 'Lower it.', step: 60, cause: 'diverged' });
    const dropping = write({ name: 'Dropping', seed: 2, dropRate: 0.9 }, 60);
    const calm = write({ name: 'Calm', seed: 4 }, 60);
    const dashboard = await openDrawn([failed, dropping, calm]);
    const branch = dashboard.page.locator('.run vscode-button[aria-label="Branch with this fix"]:visible');
    await eventually(async () => expect(await branch.count()).toBe(2));
    expect(await dashboard.page.locator('.trouble:visible p').allInnerTexts()).toMatchObject([
      'Failed at step 60: Diverged: the loss is NaN.',
      'Lower it.',
      expect.stringMatching(/^\d\d % of the choices of experts are dropped/),
    ]);
    await branch.nth(1).click();
    await eventually(() => expect(dashboard.performed).toEqual([{ kind: 'branchWithFix', run: dropping.directory }]));
  });

  test('without runs it says what to do', async () => {
    const dashboard = await open([]);
    expect(await dashboard.page.locator('.empty:visible').first().innerText()).toContain('Tick runs in the MoE Lab sidebar');
    await dashboard.page.screenshot({ path: join(screenshots, 'dashboard-empty.png') });
    expect(await unknownViolations(dashboard)).toEqual([]);
  });
});
