import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chromiumPath, screenshots } from './dashboardHarness';
import { choose, lastStepSent, overflowing } from './dashboardReading';
import { dashboardSuite } from './dashboardSuite';
import { eventually } from './eventually';

describe.skipIf(chromiumPath === undefined)('curves in the dashboard', () => {
  const { openDrawn, write } = dashboardSuite();

  test('a growing run is told by increments: only the new points are sent', async () => {
    const run = write({}, 300);
    const dashboard = await openDrawn([run]);
    await eventually(() => expect(lastStepSent(dashboard)).toBe(300));
    const before = dashboard.pointsSent;
    expect(before).toBe(300 + 6);
    run.train(10);
    await eventually(() => expect(lastStepSent(dashboard)).toBe(310));
    // Ten new points, and the last one of before, whose bucket could have grown.
    expect(dashboard.pointsSent - before).toBe(10 + 1);
    await eventually(async () => expect(await dashboard.page.locator('.steps').textContent()).toBe('310 / 2,000 steps'));
    expect(await dashboard.page.locator('.chart-frame canvas').getAttribute('aria-label')).toContain('at step 310');
  });

  test('a very long run sends no more points than twice the pixels', async () => {
    const run = write({ totalSteps: 20_000, experts: [4] }, 9000);
    const dashboard = await openDrawn([run]);
    const view = dashboard.received.findLast((message) => message.type === 'view');
    if (view?.type !== 'view') throw new Error('the page asked for nothing');
    for (const message of dashboard.sent) {
      if (message.type !== 'update') continue;
      for (const curve of message.curves) expect(curve.points.byteLength / 32).toBeLessThanOrEqual(2 * view.view.width);
    }
    expect(lastStepSent(dashboard)).toBe(9000);
  });

  const fourSets = ['arithmetic', 'code', 'lists', 'prose'];

  test('lines are switched off and the start is skipped, without anything sent again', async () => {
    const run = write({ name: 'SMoE', validationSets: fourSets }, 300);
    const dashboard = await openDrawn([run]);
    const { page } = dashboard;
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await eventually(async () => expect(await label()).toContain('prose'));
    const sent = dashboard.pointsSent;
    expect(await page.locator('.line-key vscode-checkbox').allInnerTexts()).toEqual(['training', ...fourSets]);
    for (const set of ['arithmetic', 'code', 'lists']) await page.locator('.line-key vscode-checkbox', { hasText: set }).click();
    await eventually(async () => expect(await label()).not.toMatch(/arithmetic|code|lists/));
    expect(await label()).toContain('SMoE prose');
    await choose(dashboard, 'Range', 'From 50 %');
    await page.locator('.chart-frame canvas').focus();
    await eventually(async () => {
      await page.keyboard.press('Home');
      expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 150, SMoE · training /);
    });
    expect(dashboard.pointsSent).toBe(sent);
    run.train(100);
    await eventually(async () => {
      await page.keyboard.press('Home');
      expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 200, /);
    });
    await page.screenshot({ path: join(screenshots, 'dashboard-end-of-curves.png') });
  });

  test('other quantities can be looked at, and perplexity comes back without being sent again', async () => {
    const run = write({ name: 'SMoE' }, 300);
    const dashboard = await openDrawn([run]);
    const { page } = dashboard;
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await choose(dashboard, 'Show', 'Learning rate');
    await eventually(async () => expect(await label()).toContain('Latest: SMoE learning rate 0.001 at step 300'));
    expect(await page.locator('#chart-title').textContent()).toBe('Learning rate');
    expect(await page.locator('.line-key').isVisible()).toBe(false);
    await choose(dashboard, 'Show', 'Tokens per second');
    await eventually(async () => expect(await label()).toMatch(/SMoE tokens per second (9\.\d{3}|10\.0\d) k at step 300/));
    await page.screenshot({ path: join(screenshots, 'dashboard-tokens-per-second.png') });
    const sent = dashboard.pointsSent;
    await choose(dashboard, 'Show', 'Perplexity');
    await eventually(async () => expect(await label()).toContain('SMoE training'));
    expect(dashboard.pointsSent).toBe(sent);
  });

  test('dropped assignments are a percentage, 0 on a logarithmic axis too; a model that drops none has no points', async () => {
    const [dropping, dropless] = [write({ name: 'Capacity', dropRate: 0.2 }, 1200), write({ name: 'Dropless', seed: 2 }, 300)];
    const dashboard = await openDrawn([dropping, dropless]);
    const { page } = dashboard;
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await choose(dashboard, 'Show', 'Dropped assignments');
    await eventually(async () => expect(await label()).toContain('Latest: Capacity dropped assignments 0.00 % at step 1200.'));
    await page.locator('.chart-frame canvas').focus();
    await eventually(async () => {
      await page.keyboard.press('Home');
      expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 1, Capacity .* 19\.86 %/);
    });
    await page.screenshot({ path: join(screenshots, 'dashboard-dropped-logarithmic.png') });
    await page.locator('vscode-checkbox', { hasText: 'Logarithmic' }).click();
    await page.screenshot({ path: join(screenshots, 'dashboard-dropped.png') });
    await choose(dashboard, 'Show', 'Router z-loss');
    await eventually(async () => expect(await label()).toContain('router z-loss. No points yet.'));
    expect(await overflowing(dashboard)).toEqual([]);
  });
});
