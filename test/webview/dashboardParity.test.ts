import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import { chromiumPath, screenshots } from './dashboardHarness';
import { choose } from './dashboardReading';
import { dashboardSuite } from './dashboardSuite';
import { eventually } from './eventually';
import { unknownViolations } from './policy';
import { themes } from './themes';

describe.skipIf(chromiumPath === undefined)('costs in the dashboard', () => {
  const { openDrawn, write } = dashboardSuite();

  test.each(['dark', 'light', 'highContrast'] as const)('%s: what runs cost against one of them, on both axes', async (name) => {
    const model = (changes: object) =>
      experimentSchema.parse({
        model: {
          d_model: 768,
          layers: 2,
          context: 64,
          attention: { heads: 12 },
          ffn: { width: 2048 },
          moe: { kind: 'smoe', every: 2, experts: 8, top_k: 1, expert_width: 2048, ...changes },
        },
      });
    const mhMoe = { kind: 'mh-moe', heads: 2, experts: 40, top_k: 2, expert_width: 768 };
    const smoe = write({ name: 'SMoE', seed: 1, experiment: model({}) }, 60);
    const twin = write({ name: 'MH-MoE (head=2)', seed: 2, floor: 5.2, experiment: model(mhMoe) }, 60);
    const foreign = write({ name: 'Foreign', seed: 3 }, 60);
    foreign.status('failed', { message: 'Diverged: the loss is NaN.', advice: 'Lower it.', step: 60, cause: 'diverged' });
    const dashboard = await openDrawn([smoe, twin, foreign], { theme: themes[name], height: 1500 });
    const { page } = dashboard;
    const section = page.locator('section', { has: page.locator('#parity-title') });
    await eventually(async () => expect(await section.locator('table').count()).toBe(1));
    expect(await section.locator('caption').innerText()).toBe('MH-MoE (head=2) against SMoE');
    const figures = async () =>
      (await section.locator('.parity-figure:visible').allInnerTexts()).map((text) => text.replace('\u2212', '-'));
    expect((await figures()).slice(0, 4)).toEqual(['0.00 %', '+0.52 %', '-3.13 %', '-3.10 %']);
    expect(await section.locator('tbody').first().ariaSnapshot()).toContain('rowheader "MACs per token with router"');
    expect(await section.locator('p:visible').innerText()).toBe('Cannot be counted against SMoE: Foreign.');
    await page.screenshot({ path: join(screenshots, `dashboard-parity-${name}.png`), fullPage: true });
    await choose(dashboard, 'Against', 'MH-MoE (head=2)');
    await eventually(async () => expect(await section.locator('caption').innerText()).toBe('SMoE against MH-MoE (head=2)'));
    expect((await figures())[2]).toBe('+3.23 %');
    expect(await dashboard.savedState()).toMatchObject({ baselineRun: twin.directory });
    // Of one run there is nothing to compare.
    dashboard.showRuns([twin.directory]);
    await section.waitFor({ state: 'hidden' });
    expect(await unknownViolations(dashboard)).toEqual([]);
    expect(dashboard.errors).toEqual([]);
  });
});
