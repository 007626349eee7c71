import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { valueOf } from './configEditorReading';
import { configEditorSuite, mhMoe, pair } from './configEditorSuite';
import { eventually } from './eventually';
import { faintTexts } from './contrast';
import { chromiumPath, screenshots } from './dashboardHarness';
import { unknownViolations } from './policy';
import { themes } from './themes';

describe.skipIf(chromiumPath === undefined)('config editor in a browser', () => {
  const open = configEditorSuite();

  test.each(['dark', 'light', 'highContrast'] as const)('%s: everything is drawn, and no policy is violated', async (name) => {
    const editor = await open({ ...pair, theme: themes[name] });
    const { page } = editor;
    await page.waitForSelector('.diagram');
    await page.screenshot({ path: join(screenshots, `config-editor-${name}.png`) });
    await page.screenshot({ path: join(screenshots, `config-editor-${name}-whole.png`), fullPage: true });
    expect(await faintTexts(page)).toEqual([]);
    expect(await unknownViolations(editor)).toEqual([]);
  });

  test('a stated key is reset to what the base says, and a section is added and taken out', async () => {
    const editor = await open(pair);
    const { page } = editor;
    const origin = (path: string) => editor.field(path).locator('.field-name .link').innerText();
    expect(await origin('model.moe.experts')).toBe('stated, over smoe.moe.yaml');
    await page.locator('vscode-button[aria-label="Reset model.moe.experts"]').click();
    await eventually(async () => expect(await origin('model.moe.experts')).toBe('from smoe.moe.yaml'));
    expect(await valueOf(editor, 'model.moe.experts')).toBe('8');
    expect(editor.document.text).not.toContain('experts: 40');
    await page.locator('vscode-button[aria-label="Add model.bitnet"]').click();
    await eventually(async () => expect(await origin('model.bitnet.weights')).toBe('stated'));
    expect(editor.document.text).toContain('bitnet:');
    await page.locator('vscode-button[aria-label="Remove model.bitnet"]').click();
    await eventually(async () => expect(await page.locator('vscode-button[aria-label="Add model.bitnet"]').isVisible()).toBe(true));
    expect(editor.document.text).not.toContain('bitnet');
    await editor.field('model.moe.experts').locator('.field-name .link').click();
    await eventually(() => expect(editor.revealed).toEqual(['smoe.moe.yaml:11']));
    // One that the base has too is taken away from it, and can be had again.
    await page.locator('vscode-button[aria-label="Remove model.moe"]').click();
    const add = page.locator('vscode-button[aria-label="Add model.moe"]');
    await eventually(async () => expect(await add.isVisible()).toBe(true));
    expect(editor.document.text).toMatch(/^ {2}moe:$/m);
    await add.click();
    await eventually(async () => expect(await add.isVisible()).toBe(false));
    expect(editor.document.text).not.toContain('moe:');
  });

  test('keys are found, those that are stated alone shown, and all this outlives a reload', async () => {
    const before = await open(pair);
    const { page } = before;
    await page.locator('vscode-text-field[aria-label="Find keys"]').click();
    await page.keyboard.type('router balance_w');
    await eventually(async () => expect(await page.locator('.field:visible .key').allInnerTexts()).toEqual(['balance_weight']));
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.locator('vscode-checkbox', { hasText: 'Stated here only' }).click();
    await eventually(async () =>
      expect(await page.locator('.field:visible .key').allInnerTexts()).toEqual([
        'extends',
        'parity',
        'kind',
        'heads',
        'experts',
        'top_k',
        'expert_width',
      ]),
    );
    await page.locator('.section[data-path="model.moe"] summary').click();
    await eventually(async () =>
      expect(await before.savedState()).toEqual({ schemaVersion: 1, folded: { 'model.moe': true }, filter: '', statedOnly: true }),
    );
    const after = await open({ ...pair, savedState: await before.savedState() });
    expect(await after.page.locator('.field:visible .key').allInnerTexts()).toEqual(['extends', 'parity']);
  });

  test('the picture says in words what it shows, and has the colours of the theme', async () => {
    const editor = await open(pair);
    const { page } = editor;
    const label = await page.locator('.diagram').getAttribute('aria-label');
    expect(label).toMatch(/^A model of 300\.7 M parameters/);
    expect(label).toContain('6 times: Layers 0, 2, 4, … 10.');
    expect(await page.locator('.diagram .times').textContent()).toBe('× 6');
    const texts = await page.locator('.diagram text').allTextContents();
    expect(texts).toContain('40 experts, top 2 of each of 2 sub-tokens');
    const colour = () =>
      page
        .locator('.diagram .title')
        .first()
        .evaluate((text) => getComputedStyle(text).fill);
    const dark = await colour();
    await editor.setTheme(themes.light);
    await eventually(async () => expect(await colour()).not.toBe(dark));
    // No text runs out of the picture, nor out of its block.
    const beyond = await page.locator('.diagram').evaluate((drawing: SVGSVGElement) => {
      const right = drawing.getBoundingClientRect().right;
      return [...drawing.querySelectorAll('text')]
        .filter((text) => text.getBoundingClientRect().right > right - 4)
        .map((text) => text.textContent);
    });
    expect(beyond).toEqual([]);
  });

  test.each([
    { what: 'narrow', width: 320, height: 800, scale: 1 },
    { what: 'zoomed', width: 640, height: 450, scale: 2 },
  ])('nothing overflows: $what', async ({ what, ...size }) => {
    const editor = await open({
      ...pair,
      text: mhMoe
        .replace('heads: 2 #', 'heads: 2 #')
        .replace('parity:', 'name: A very long name of an experiment that nobody would type but a generator\nparity:'),
      ...size,
    });
    const { page } = editor;
    await page.waitForSelector('.diagram');
    await page.locator('.solver vscode-button', { hasText: 'Find Sizes' }).click();
    await page.waitForSelector('.choices-table tbody tr');
    await page.evaluate(() => document.querySelectorAll('details').forEach((section) => (section.open = true)));
    await page.screenshot({ path: join(screenshots, `config-editor-${what}.png`), fullPage: true });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: join(screenshots, `config-editor-${what}-top.png`) });
    await page.evaluate(() => window.scrollTo(0, 1400));
    await page.screenshot({ path: join(screenshots, `config-editor-${what}-form.png`) });
    const overflowing = await page.evaluate(() => {
      const limit = document.documentElement.clientWidth;
      return [...document.querySelectorAll<HTMLElement>('#config-editor *')]
        .filter((element) => element.closest('.table-scroller > *, .visually-hidden') === null && element.getClientRects().length > 0)
        .filter((element) => element.getBoundingClientRect().right > limit + 0.5)
        .map((element) => `${element.tagName} ${element.className}: ${element.getBoundingClientRect().right}`);
    });
    expect(overflowing).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  });

  test('a page of another version than the extension says what to do', async () => {
    const editor = await open(pair);
    editor.send({ type: 'versionMismatch', version: 99 });
    await editor.page.waitForSelector('.notice:visible');
    expect(await editor.page.locator('.notice').first().innerText()).toContain('Close the config editor and open it again.');
  });
});
