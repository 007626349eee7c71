import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chromiumPath, screenshots } from './dashboardHarness';
import { overflowing } from './dashboardReading';
import { dashboardSuite } from './dashboardSuite';
import { eventually } from './eventually';
import { themes } from './themes';

describe.skipIf(chromiumPath === undefined)('the dashboard in little room', () => {
  const { openDrawn, write } = dashboardSuite();

  test.each([
    { what: '320 pixels wide', width: 320, height: 800, scale: 1 },
    { what: '1280 x 900 at 200 % zoom', width: 640, height: 450, scale: 2 },
  ])('nothing overflows: $what', async ({ what, ...size }) => {
    const runs = [
      write({ name: 'A very long name of an experiment that nobody would type but a generator', seed: 1 }, 300),
      write({ name: 'MH-MoE', seed: 2, experts: [128, 128], validationSets: ['prose', 'source-code'] }, 300),
    ];
    const dashboard = await openDrawn(runs, size);
    const { page } = dashboard;
    const name = what.includes('320') ? 'narrow' : 'zoomed';
    await page.screenshot({ path: join(screenshots, `dashboard-${name}.png`), fullPage: true });
    expect(await overflowing(dashboard)).toEqual([]);
    await page.locator('vscode-checkbox', { hasText: 'Show as table' }).click();
    await page.waitForSelector('.table-scroller table');
    await page.screenshot({ path: join(screenshots, `dashboard-${name}-table.png`), fullPage: true });
    expect(await overflowing(dashboard)).toEqual([]);
  });

  const fourSets = ['arithmetic', 'code', 'lists', 'prose'];

  test.each(['dark', 'light'] as const)('%s, 500 x 760, two runs with four validation sets: chart and figures fit', async (name) => {
    const runs = [
      write({ name: 'SMoE', seed: 1, validationSets: fourSets }, 1250),
      write({ name: 'MH-MoE (heads=2)', seed: 2, floor: 5.2, validationSets: fourSets }, 800),
    ];
    const dashboard = await openDrawn(runs, { width: 500, height: 760, theme: themes[name] });
    const { page } = dashboard;
    await eventually(async () => expect(await page.locator('.figures').last().innerText()).toContain('prose'));
    await page.screenshot({ path: join(screenshots, `dashboard-panel-${name}.png`) });
    const bottomOf = (selector: string) =>
      page
        .locator(selector)
        .last()
        .evaluate((element) => element.getBoundingClientRect().bottom);
    expect(await bottomOf('.chart-frame')).toBeLessThanOrEqual(760);
    expect(await bottomOf('.run')).toBeLessThanOrEqual(760);
    expect(await page.evaluate(() => window.scrollY)).toBe(0);
    expect(await overflowing(dashboard)).toEqual([]);
  });

  test('400 pixels wide: a run has its whole name, and its buttons at the end of the line below', async () => {
    const failed = write({ name: 'SMoE, learning rate 1e-1', seed: 3 }, 260);
    failed.status('failed', { message: 'The loss is not finite.', advice: 'Lower learning_rate.', step: 260 });
    const { page } = await openDrawn([failed], { width: 400, height: 900 });
    const name = await page
      .locator('.run h3')
      .evaluate(({ scrollWidth, clientWidth, clientHeight }) => ({ scrollWidth, clientWidth, clientHeight }));
    expect(name.scrollWidth).toBe(name.clientWidth);
    const box = async (selector: string) => (await page.locator(`.run ${selector}`).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [title, state, steps, buttons, card] = [
      await box('h3'),
      await box('.state'),
      await box('.steps'),
      await box('.buttons'),
      await box('.figures'),
    ];
    expect(Math.abs(title.y + title.height / 2 - state.y - state.height / 2)).toBeLessThan(3);
    expect(Math.abs(steps.y + steps.height / 2 - buttons.y - buttons.height / 2)).toBeLessThan(3);
    expect(steps.y).toBeGreaterThan(title.y + title.height / 2);
    expect(buttons.x + buttons.width).toBeCloseTo(card.x + card.width, 0);
    expect(await page.locator('.run').ariaSnapshot()).toMatch(/^- article "SMoE, learning rate 1e-1":/);
  });
});
