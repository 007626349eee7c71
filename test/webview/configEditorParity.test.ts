import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { figures } from './configEditorReading';
import { configEditorSuite, mhMoe, pair } from './configEditorSuite';
import { eventually } from './eventually';
import { chromiumPath, screenshots } from './dashboardHarness';

describe.skipIf(chromiumPath === undefined)('parity in the config editor', () => {
  const open = configEditorSuite();

  test('bars are as long as their residuals, to the side of their sign', async () => {
    const editor = await open(pair);
    expect(await figures(editor)).toEqual(['0.00 %', '+0.52 %', '\u22123.13 %', '\u22123.10 %']);
    const bars = await editor.page.locator('.parity-bars tbody:first-of-type .parity-bar-cell').evaluateAll((cells) =>
      cells.map((cell) => {
        const bar = cell.querySelector('.parity-bar');
        const [all, own] = [cell.getBoundingClientRect(), bar?.getBoundingClientRect()];
        const middle = all.left + all.width / 2;
        if (own === undefined || own.width === 0) return 0;
        return ((own.right > middle + 1 ? 1 : -1) * own.width) / (all.width / 2);
      }),
    );
    // The scale is five percent to either side.
    for (const [index, residual] of [0, 0.0052, -0.03125, -0.031].entries()) expect(bars[index]).toBeCloseTo(residual / 0.05, 1);
  });

  test('the solver is asked, and a choice of it is applied as one step', async () => {
    const editor = await open({ ...pair, text: mhMoe.replace('experts: 40', 'experts: 16') });
    const { page } = editor;
    await page.locator('.solver vscode-button', { hasText: 'Find Sizes' }).click();
    await page.waitForSelector('.choices-table tbody tr');
    expect(await page.locator('.choices-table tbody tr').first().locator('th, td').allInnerTexts()).toEqual([
      'expert_width 768, experts 41',
      '0.00 %\n(+0.54 %)',
      '\u22120.78 %\n(\u22120.76 %)',
      'Apply',
    ]);
    await page.screenshot({ path: join(screenshots, 'config-editor-solver.png') });
    await page.locator('vscode-button[aria-label="Apply expert_width 768, experts 41"]').click();
    await eventually(() => expect(editor.document.text).toBe(mhMoe.replace('experts: 40', 'experts: 41')));
    expect(editor.document.undoSteps).toBe(1);
    await eventually(async () => expect((await figures(editor))[2]).toBe('\u22120.78 %'));
  });

  test('a finding about costs leads to the solver', async () => {
    const editor = await open({ ...pair, text: mhMoe.replace('experts: 40', 'experts: 16') });
    const finding = editor.page.locator('.finding', { hasText: 'parameters-off-parity' });
    await finding.locator('vscode-button', { hasText: 'Find Sizes' }).click();
    await editor.page.waitForSelector('.choices-table tbody tr');
  });

  test('the members of a sweep stand in a table with what each costs', async () => {
    const sweep = 'sweep:\n  model.moe.experts: [40, 41]\n';
    const editor = await open({ ...pair, text: mhMoe.replace('model:\n', `${sweep}model:\n`) });
    const rows = editor.page.locator('.family tbody tr');
    await rows.first().waitFor();
    expect(await rows.last().locator('th, td').allInnerTexts()).toEqual([
      'experts=41',
      '306.0 M',
      '147.4 M',
      '0.00 %\n(+0.54 %)',
      '\u22120.78 %\n(\u22120.76 %)',
    ]);
    expect(await rows.count()).toBe(2);
    await editor.page.screenshot({ path: join(screenshots, 'config-editor-family.png') });
  });
});
