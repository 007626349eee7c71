import { describe, expect, test } from 'vitest';
import { tabTo } from './configEditorReading';
import { configEditorSuite, mhMoe, pair } from './configEditorSuite';
import { eventually } from './eventually';
import { chromiumPath } from './dashboardHarness';

describe.skipIf(chromiumPath === undefined)('the focus in the config editor', () => {
  const open = configEditorSuite();

  test('goes to the control of a key that is reset, since the button goes', async () => {
    const editor = await open(pair);
    await tabTo(editor, 'model.moe.experts');
    await editor.page.keyboard.press('Tab');
    await editor.page.keyboard.press('Enter');
    await eventually(() => expect(editor.document.text).not.toContain('experts: 40'));
    await eventually(async () => expect(await holder(editor)).toBe('vscode-text-field model.moe.experts'));
  });

  test('goes into a section that is added, and to its button when it is taken out again', async () => {
    const editor = await open(pair);
    const { page } = editor;
    await page.locator('vscode-button[aria-label="Add model.bitnet"]').focus();
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await holder(editor)).toBe('summary model.bitnet'));
    await page.locator('vscode-button[aria-label="Remove model.bitnet"]').focus();
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await holder(editor)).toBe('vscode-button Add model.bitnet'));
  });

  test('goes to the key that a fix has mended', async () => {
    const editor = await open({ ...pair, text: mhMoe.replace('heads: 2 #', 'heads: 5 #') });
    const fix = editor.field('model.moe.heads').locator('.finding vscode-button').first();
    await fix.focus();
    await editor.page.keyboard.press('Enter');
    await eventually(async () => expect(await holder(editor)).toBe('vscode-text-field model.moe.heads'));
  });

  test('stays with the solver while it looks for sizes, and when one of them has been applied', async () => {
    const editor = await open({ ...pair, text: mhMoe.replace('experts: 40', 'experts: 16') });
    const { page } = editor;
    await page.locator('.solver > vscode-button').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('.choices-table tbody tr');
    expect(await holder(editor)).toBe('vscode-button Find Sizes');
    await page.keyboard.press('Tab');
    expect(await holder(editor)).toBe('vscode-button Apply expert_width 768, experts 41');
    await page.keyboard.press('Enter');
    await eventually(() => expect(editor.document.text).toContain('experts: 41'));
    await eventually(async () => expect(await holder(editor)).toBe('vscode-button Find Sizes'));
  });
});

/** What has the focus: the element, and its name or the key or section that it is of. */
function holder({ page }: Awaited<ReturnType<ReturnType<typeof configEditorSuite>>>): Promise<string> {
  return page.evaluate(() => {
    const held = document.activeElement;
    const place = held?.closest('.field, .section')?.getAttribute('data-path');
    const name = held?.tagName === 'VSCODE-BUTTON' ? (held.getAttribute('aria-label') ?? held.textContent) : place;
    return `${held?.tagName.toLowerCase()} ${name}`;
  });
}
