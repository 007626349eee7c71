import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changesOf, figures, focused, valueOf } from './configEditorReading';
import { configEditorSuite, mhMoe, pair } from './configEditorSuite';
import { eventually } from './eventually';
import { chromiumPath, screenshots } from './dashboardHarness';

describe.skipIf(chromiumPath === undefined)('findings in the config editor', () => {
  const open = configEditorSuite();

  test('while the text is broken the form is read-only and says where; then it goes on', async () => {
    const editor = await open(pair);
    const { page } = editor;
    await editor.control('model.moe.heads').click();
    editor.document.type(mhMoe.replace('model:\n', 'model: {\n'));
    await page.waitForSelector('.broken:visible');
    expect(await page.locator('.broken').innerText()).toMatch(/^Line \d+: /);
    expect(await focused(editor)).toBe('model.moe.heads');
    await page.keyboard.type('9');
    expect(await valueOf(editor, 'model.moe.heads')).toBe('2');
    expect(await editor.control('model.moe.kind').evaluate((control: HTMLInputElement) => control.disabled)).toBe(true);
    expect(
      await page.locator('.absent vscode-button:visible').evaluateAll((all) => all.every((one) => (one as HTMLButtonElement).disabled)),
    ).toBe(true);
    // What it cost before stays, as the form does: it comes and goes with no keystroke.
    expect(await figures(editor)).toEqual(['0.00 %', '+0.52 %', '\u22123.13 %', '\u22123.10 %']);
    expect(await page.locator('.diagram').isVisible()).toBe(true);
    expect(await page.locator('.costs').innerText()).toContain('300.7 M');
    await page.screenshot({ path: join(screenshots, 'config-editor-broken.png') });
    await page.locator('.broken vscode-button').click();
    await eventually(() => expect(editor.revealed).toHaveLength(1));
    expect(editor.revealed[0]).toMatch(/^edited\.moe\.yaml:\d+$/);
    editor.document.undo();
    await page.waitForSelector('.broken', { state: 'hidden' });
    expect(await editor.control('model.moe.kind').evaluate((control: HTMLInputElement) => control.disabled)).toBe(false);
    expect(changesOf(editor)).toEqual([]);
  });

  test('a document that is broken when it is opened says so, and becomes a form when it is mended', async () => {
    const editor = await open({ ...pair, text: 'model: [' });
    await editor.page.waitForSelector('.broken:visible');
    expect(await editor.page.locator('.form').isVisible()).toBe(false);
    editor.document.type(mhMoe);
    await editor.page.waitForSelector('.form:visible');
    await editor.page.waitForSelector('.broken', { state: 'hidden' });
  });

  test('findings stand at their fields, with their rule and their fixes', async () => {
    const editor = await open({ ...pair, text: mhMoe.replace('heads: 2 #', 'heads: 5 #') });
    const { page } = editor;
    const finding = editor.field('model.moe.heads').locator('.finding');
    await finding.first().waitFor();
    expect(await finding.first().getAttribute('data-severity')).toBe('error');
    expect(await finding.first().innerText()).toContain('768');
    await page.locator('.top .link').click();
    expect(await focused(editor)).toBe('model.moe.heads');
    expect(await page.locator('.top').innerText()).toContain('Not counted: 1 error');
    expect(await page.locator('.architecture').isVisible()).toBe(false);
    await page.screenshot({ path: join(screenshots, 'config-editor-finding.png') });
    await finding.first().locator('.link').first().click();
    await finding.first().locator('.link').last().click();
    await eventually(() => expect(editor.revealed).toEqual([expect.stringMatching(/^rule \S+$/), 'edited.moe.yaml:7']));
    const fix = finding.first().locator('vscode-button').first();
    await fix.focus();
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await finding.count()).toBe(0));
    expect(editor.document.undoSteps).toBe(1);
    await page.waitForSelector('.diagram');
  });

  test('an unknown key is a finding of the whole, with its fix', async () => {
    const editor = await open({ ...pair, text: mhMoe.replace('heads: 2 #', 'hedas: 2 #') });
    const finding = editor.page.locator('.form > .findings .finding');
    await finding.waitFor();
    expect(await finding.innerText()).toContain('hedas');
    await finding.locator('vscode-button').first().click();
    await eventually(() => expect(editor.document.text).toBe(mhMoe));
  });
});
