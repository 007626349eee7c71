import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSketches, start } from '../../src/runs/runReader';
import { chromiumPath, screenshots } from './dashboardHarness';
import { choose, distinctColours, overflowing } from './dashboardReading';
import { dashboardSuite } from './dashboardSuite';
import { eventually } from './eventually';
import { unknownViolations } from './policy';
import { themes } from './themes';

describe.skipIf(chromiumPath === undefined)('retrieved experts in the dashboard', () => {
  const { open, openDrawn, write } = dashboardSuite();

  test.each(['dark', 'light', 'highContrast'] as const)(
    '%s: a run that retrieves, and one whose units take different numbers of experts',
    async (name) => {
      const peer = write({ name: 'PEER', seed: 1, experts: [], retrievals: [16_384, 4096] }, 400);
      const varying = write({ name: 'Dynamic', seed: 2, experts: [16, 16], varyingK: true, attentionHeads: 4 }, 400);
      const dashboard = await openDrawn([peer, varying], { theme: themes[name], height: 2000 });
      const { page } = dashboard;
      await eventually(async () => expect(await distinctColours(dashboard, '.retrieval-map')).toBeGreaterThan(20));
      await page.locator('.retrieval-map').hover({ position: { x: 300, y: 100 } });
      await page.screenshot({ path: join(screenshots, `dashboard-retrieval-${name}.png`) });
      const text = await page.locator('.hover').innerText();
      expect(text).toMatch(/layer 0 retrieval · experts [\d,]+ to [\d,]+/);
      expect(text).toMatch(/Choices\s+[\d,]+ of [\d,]+/);
      expect(await overflowing(dashboard)).toEqual([]);
      expect(await unknownViolations(dashboard)).toEqual([]);
      expect(dashboard.errors).toEqual([]);
    },
  );

  test('what a retrieval did can be read, looked back at and chosen by the keyboard, and its figures are those of the file', async () => {
    const run = write({ name: 'PEER', experts: [], retrievals: [1024, 256] }, 300);
    let frames = (await readSketches(run.directory, start)).records;
    const dashboard = await open([run]);
    const { page } = dashboard;
    await page.waitForSelector('.retrieval-map:visible');
    // A run that only retrieves has no section of routed experts.
    expect(await page.locator('.heatmap').isVisible()).toBe(false);
    const cells = (caption: string) =>
      page
        .locator('table', { has: page.locator('caption', { hasText: caption }) })
        .locator('tbody tr')
        .evaluateAll((rows) => rows.map((row) => (row as HTMLElement).innerText.split(/\s*\t\s*/)));
    const frameAt = (step: number, layer: number) => frames.find((frame) => frame.layer === layer && frame.step === step);
    const digits = (value: number) => value.toLocaleString('en');
    const expectFigures = async (step: number, layer: number, experts: number) => {
      const frame = frameAt(step, layer);
      if (frame === undefined) throw new Error(`There is no frame of step ${step}.`);
      const ever = new Set(
        frames
          .filter((each) => each.layer === layer && each.step <= step)
          .flatMap(({ used }) =>
            Array.from({ length: experts }, (_, expert) => expert).filter((expert) => ((used[expert >> 3] ?? 0) >> (expert & 7)) & 1),
          ),
      );
      await eventually(async () => {
        const figures = new Map((await cells(`Steps ${digits(step)}`)).map(([what = '', figure = '']) => [what, figure]));
        expect(figures.get('Choices')).toBe(digits(frame.total));
        expect(figures.get('Experts used in these steps')).toContain(
          `${digits(experts - (frame.histogram[0] ?? 0))} of ${digits(experts)}`,
        );
        expect(figures.get('Experts ever used')).toContain(`${digits(ever.size)} of ${digits(experts)}`);
      });
      const [busiest] = await cells('Most used experts');
      expect(busiest?.[0]).toBe(digits(frame.heaviest[0]?.expert ?? -1));
      expect((await cells('How often')).map(([, inBin]) => inBin)).toEqual(
        [...frame.histogram].slice(0, 1 + frame.histogram.findLastIndex((count) => count > 0)).map(digits),
      );
    };
    await expectFigures(300, 0, 1024);

    await page.locator('.retrieval-map').focus();
    await page.keyboard.press('Home');
    for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowRight');
    expect(await page.locator('#retrieval-map-reading').textContent()).toMatch(
      /^layer 0 retrieval · experts 0 to 7, Choices [\d,]+ of [\d,]+, Times uniform/,
    );
    await page.keyboard.press('Enter');
    // 300 frames are shown in columns of two.
    await expectFigures(8, 0, 1024);
    await page.screenshot({ path: join(screenshots, 'dashboard-retrieval-back.png') });
    run.train(1);
    frames = (await readSketches(run.directory, start)).records;
    await page.locator('vscode-checkbox', { hasText: 'Live' }).locator('visible=true').click();
    await expectFigures(301, 0, 1024);

    await choose(dashboard, 'Layer', 'layer 1 retrieval');
    await expectFigures(301, 1, 256);
    await page.locator('vscode-checkbox', { hasText: 'Show as table' }).click();
    await eventually(async () => expect(await page.locator('.retrieval-map').isVisible()).toBe(false));
    expect((await cells('Most used experts')).length).toBe(64);
    const [newest] = await cells('Share of choices by expert');
    expect(newest?.[0]).toBe('301');
    await page.screenshot({ path: join(screenshots, 'dashboard-retrieval-table.png'), fullPage: true });
    expect(await overflowing(dashboard)).toEqual([]);
  });

  test('of a retrieval only new columns are sent', async () => {
    const run = write({ name: 'PEER', experts: [], retrievals: [1024] }, 100);
    const dashboard = await open([run]);
    await dashboard.page.waitForSelector('.retrieval-map:visible');
    const series = () =>
      dashboard.sent.flatMap((message) => (message.type === 'update' && message.retrieval?.series ? [message.retrieval.series] : []));
    expect(series().map(({ from, steps }) => [from, steps.byteLength / 16])).toEqual([[0, 100]]);
    run.train(3);
    await eventually(() => expect(series().at(-1)?.steps).toBeDefined());
    await eventually(() => expect(Math.max(...series().flatMap(({ steps }) => [...new Float64Array(steps)]))).toBe(103));
    // The column that was last is sent again.
    for (const { from } of series().slice(1)) expect(from).toBeGreaterThanOrEqual(99);
    const shown = () => dashboard.page.locator('.retrieval-map').getAttribute('aria-label');
    await eventually(async () => expect(await shown()).toContain('over 103 stretches of steps'));
  });
});
