import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { paletteOf, ratioColour } from '../../webview/dashboard/heatmapColour';
import { chromiumPath, screenshots } from './dashboardHarness';
import { cellCentres, choose, lastStepSent, paletteSource, pixel } from './dashboardReading';
import { dashboardSuite } from './dashboardSuite';
import { eventually } from './eventually';
import { themes } from './themes';

describe.skipIf(chromiumPath === undefined)('routed experts in the dashboard', () => {
  const { openDrawn, write } = dashboardSuite();

  test('a cell has the colour of its datum, and its hover says the figures', async () => {
    const run = write({ experts: [8, 8] }, 300);
    const dashboard = await openDrawn([run]);
    const frame = dashboard.sent.findLast((message) => message.type === 'update' && message.experts !== null);
    if (frame?.type !== 'update' || frame.experts === null) throw new Error('no frame was sent');
    const cells = await cellCentres(dashboard, 8, 2);
    for (const [layer, { counts }] of frame.experts.layers.entries()) {
      const values = [...new Float32Array(counts)];
      const total = values.reduce((sum, value) => sum + value, 0);
      for (const [expert, value] of values.entries()) {
        const centre = cells(layer, expert);
        // Beside the middle, where an unused expert has its cross.
        const shown = await pixel(dashboard, centre.x - 15, centre.y - 10);
        expect(shown, `layer ${layer} expert ${expert}`).toEqual([
          ...ratioColour((8 * value) / total, paletteOf(paletteSource(themes.dark))),
        ]);
      }
    }
    const counts = new Float32Array(frame.experts.layers[1]?.counts ?? new ArrayBuffer(0));
    const total = counts.reduce((sum, value) => sum + value, 0);
    await dashboard.page.locator('.heatmap').hover({ position: cells(1, 5) });
    const text = await dashboard.page.locator('.hover').innerText();
    expect(text).toContain('layer 3 · expert 5');
    expect(text).toContain(`${((100 * (counts[5] ?? 0)) / total).toFixed(2)} %`);
    expect(text).toContain(`${((8 * (counts[5] ?? 0)) / total).toFixed(2)}×`);
    expect(text).toContain(`${(counts[5] ?? 0).toLocaleString('en')} of ${total.toLocaleString('en')}`);
    expect(text).toMatch(/Steps\s+300$/);
  });

  test('the keyboard moves over the cells and says what it stands on', async () => {
    const dashboard = await openDrawn([write({ experts: [8, 8] }, 300)]);
    const { page } = dashboard;
    await page.locator('.heatmap').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.locator('#heatmap-reading').textContent()).toMatch(/^layer 3 · expert 2, Share of routed units \d/);
    await page.keyboard.press('End');
    expect(await page.locator('.hover').innerText()).toContain('expert 7');
    await page.locator('.chart-frame canvas').focus();
    await page.keyboard.press('Home');
    expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 1, SMoE · training \d/);
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#chart-reading').textContent()).toMatch(/^Step 2, /);
  });

  test('the table says what the chart and the heatmap show', async () => {
    const dashboard = await openDrawn([write({ name: 'SMoE', experts: [8, 8] }, 300)]);
    const { page } = dashboard;
    await page.locator('vscode-checkbox', { hasText: 'Show as table' }).click();
    await page.waitForSelector('.table-scroller table');
    expect(await page.locator('.table-scroller table').first().locator('thead th').allInnerTexts()).toEqual([
      'Step',
      'SMoE, training',
      'SMoE, prose',
    ]);
    expect(await page.locator('.table-scroller table').first().locator('tbody tr').count()).toBe(6);
    expect(await page.locator('.table-scroller table').last().locator('tbody tr').count()).toBe(8);
    expect(await page.locator('.heatmap').isVisible()).toBe(false);
  });

  test('the slider looks back, and Live follows again', async () => {
    const run = write({ experts: [8, 8] }, 300);
    const dashboard = await openDrawn([run]);
    const { page } = dashboard;
    await page.locator('#experts-step').fill('120');
    await eventually(async () => expect(await page.locator('output[for=experts-step]').textContent()).toBe('120'));
    run.train(5);
    await eventually(() => expect(lastStepSent(dashboard)).toBe(305));
    expect(await page.locator('output[for=experts-step]').textContent()).toBe('120');
    await page.locator('vscode-checkbox', { hasText: 'Live' }).first().click();
    await eventually(async () => expect(await page.locator('output[for=experts-step]').textContent()).toBe('305'));
  });

  test('how many experts units take: a curve, on validation sets too, the shares as bars, and what it costs', async () => {
    const dashboard = await openDrawn([
      write({ name: 'Dynamic', experts: [16], varyingK: true, attentionHeads: 4, validationSets: ['code', 'prose'] }, 300),
    ]);
    const { page } = dashboard;
    expect(await page.locator('.details').first().innerText()).toMatch(/mean K 2\.\d\d\s+2\.\d+ M MACs\/token at that mean/);
    expect(await page.locator('.bar-table caption').first().innerText()).toMatch(
      /^Experts per unit in the newest step: 2\.\d\d on average, 2\.\d+ M MACs\/token/,
    );
    expect(await page.locator('.bar-table').first().locator('tbody tr').count()).toBe(4);
    await page.locator('.heatmap').focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('End');
    expect(await page.locator('#heatmap-reading').textContent()).toMatch(/^layer 0 attention, source · head 3, expert 3, /);
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('#heatmap-reading').textContent()).toContain('(up to 4)');
    await choose(dashboard, 'Show', 'Experts per unit');
    const label = () => page.locator('.chart-frame canvas').getAttribute('aria-label');
    await eventually(async () =>
      expect(await label()).toMatch(/Dynamic experts per unit 2\.\d+ at step 300; Dynamic code 2\.\d+ at step 300; Dynamic prose/),
    );
    expect(await page.locator('.line-key').isVisible()).toBe(true);
    await page.screenshot({ path: join(screenshots, 'dashboard-mean-k.png'), fullPage: true });
  });

  test('experts that collapse are an alarm with a remedy, and a curve of their share', async () => {
    const collapsed = write({ name: 'Collapsed', experts: [8, 16], collapsed: true, tellsIdle: true }, 140);
    const dashboard = await openDrawn([collapsed]);
    const { page } = dashboard;
    expect(await page.locator('.trouble:visible p').allInnerTexts()).toEqual([
      '7 of the 8 experts of layer 1 got less than a tenth of an even share, over 20 steps up to step 140.',
    ]);
    expect(await page.locator('.run vscode-button[aria-label="Branch with this fix"]:visible').count()).toBe(1);
    await choose(dashboard, 'Show', 'Idle experts, worst layer');
    const chart = page.locator('.chart-frame canvas');
    await eventually(async () =>
      expect(await chart.getAttribute('aria-label')).toContain('Latest: Collapsed idle experts, worst layer 87.50 % at step 140.'),
    );
    await page.screenshot({ path: join(screenshots, 'dashboard-idle-experts.png'), fullPage: true });
  });
});
