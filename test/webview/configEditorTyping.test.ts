import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { changesOf, figures, focused, tabTo, valueOf } from './configEditorReading';
import type { OpenConfigEditor } from './configEditorHarness';
import { configEditorSuite, mhMoe, pair } from './configEditorSuite';
import { eventually } from './eventually';
import { chromiumPath, screenshots } from './dashboardHarness';

/**
 * What the page has asked to have changed before it is told to change one field. Changes are asked for in turn, so that none is still under
 * way when that one comes.
 */
async function changedBesides(editor: OpenConfigEditor, path: string, text: string): Promise<readonly unknown[]> {
  const { keyboard } = editor.page;
  await editor.control(path).click();
  await keyboard.press('Control+A');
  await keyboard.type(text);
  await keyboard.press('Enter');
  const own = { kind: 'set', path: path.split('.'), text };
  await eventually(() => expect(changesOf(editor)).toContainEqual(own));
  return changesOf(editor).slice(0, -1);
}

describe.skipIf(chromiumPath === undefined)('typing into the config editor', () => {
  const open = configEditorSuite();

  test('what is typed into a field becomes one edit of the text when it is entered, and its comment stays', async () => {
    const editor = await open(pair);
    const { page } = editor;
    await editor.control('model.moe.heads').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('4');
    expect(editor.document.text).toBe(mhMoe);
    await page.keyboard.press('Enter');
    await eventually(() => expect(editor.document.text).toBe(mhMoe.replace('heads: 2 #', 'heads: 4 #')));
    await page.keyboard.press('Tab');
    await eventually(async () => expect(await page.locator('.parity-bars caption').innerText()).toBe('Against smoe.moe.yaml'));
    expect([editor.document.undoSteps, editor.document.version]).toEqual([1, 2]);
  });

  test('what is typed into the text, undone and redone there, shows in the form and comes back as no edit', async () => {
    const editor = await open(pair);
    const value = () => editor.control('model.moe.heads').evaluate((field: HTMLInputElement) => field.value);
    editor.document.type(mhMoe.replace('heads: 2', 'heads: 6'));
    await eventually(async () => expect(await value()).toBe('6'));
    editor.document.undo();
    await eventually(async () => expect(await value()).toBe('2'));
    editor.document.redo();
    await eventually(async () => expect(await value()).toBe('6'));
    expect(await changedBesides(editor, 'model.moe.top_k', '4')).toEqual([]);
  });

  test('the focus and a draft stay while the text changes elsewhere; a draft of what changed gives way', async () => {
    const editor = await open(pair);
    const { page } = editor;
    await editor.control('model.moe.experts').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('12');
    editor.document.type(mhMoe.replace('heads: 2', 'heads: 6'));
    await eventually(async () => expect(await valueOf(editor, 'model.moe.heads')).toBe('6'));
    expect(await valueOf(editor, 'model.moe.experts')).toBe('12');
    await page.keyboard.type('8');
    expect(await valueOf(editor, 'model.moe.experts')).toBe('128');
    editor.document.type(editor.document.text.replace('experts: 40', 'experts: 44'));
    await eventually(async () => expect(await valueOf(editor, 'model.moe.experts')).toBe('44'));
    expect(await focused(editor)).toBe('model.moe.experts');
    expect(changesOf(editor)).toEqual([]);
  });

  test('Escape and Ctrl+Z give up a draft, and nothing else', async () => {
    const editor = await open(pair);
    const { page } = editor;
    for (const key of ['Escape', 'Control+z']) {
      await editor.control('model.moe.experts').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('77');
      await page.keyboard.press(key);
      expect(await valueOf(editor, 'model.moe.experts')).toBe('40');
      await page.keyboard.press('Tab');
    }
    expect(await changedBesides(editor, 'model.moe.top_k', '4')).toEqual([]);
  });

  test('the keyboard alone reaches and changes fields of every kind', async () => {
    const editor = await open(pair);
    const { page } = editor;
    await tabTo(editor, 'model.moe.kind');
    await page.keyboard.press('ArrowUp');
    await eventually(() => expect(editor.document.text).toContain('kind: smoe'));
    await tabTo(editor, 'model.moe.head_layer');
    await page.keyboard.press('Space');
    await eventually(() => expect(editor.document.text).toContain('head_layer: false'));
    await tabTo(editor, 'model.moe.top_k');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('1');
    // Left by Tab, entered by nobody: committed all the same.
    await page.keyboard.press('Tab');
    await eventually(() => expect(editor.document.text).toContain('top_k: 1'));
    const summary = page.locator('.section[data-path="train"] summary, .section[data-path="engine"] summary').last();
    await summary.focus();
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await editor.field('engine.threads').isVisible()).toBe(true));
    expect(changesOf(editor)).toHaveLength(3);
    expect(editor.document.undoSteps).toBe(3);
  });

  test('a section that is opened stays open when the page is drawn anew at that moment', async () => {
    const editor = await open(pair);
    const taken = await editor.page.evaluate(() => {
      document.querySelector<HTMLElement>('.section[data-path="engine"] summary')?.click();
      // Before anything else can happen in the page.
      return (window as unknown as { savedState: { folded: Record<string, boolean> } }).savedState.folded['engine'];
    });
    expect(taken).toBe(false);
    await eventually(async () => expect(await editor.field('engine.threads').isVisible()).toBe(true));
  });

  test('changes that come quickly after each other are all made', async () => {
    const editor = await open(pair);
    const { page } = editor;
    for (const [path, text] of [
      ['model.moe.heads', '3'],
      ['model.moe.experts', '96'],
      ['model.moe.top_k', '3'],
      ['model.moe.expert_width', '512'],
    ] as const) {
      await editor.control(path).click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
    }
    await page.keyboard.press('Enter');
    await eventually(() =>
      expect(editor.document.text).toBe(
        mhMoe.replace('heads: 2', 'heads: 3').replace('40', '96').replace('top_k: 2', 'top_k: 3').replace('768', '512'),
      ),
    );
    expect(editor.document.undoSteps).toBe(4);
    await eventually(async () => expect(await figures(editor)).toEqual(['0.00 %', '+1.43 %', '+3.13 %', '+3.17 %']));
    expect(await page.locator('.notice:visible').count()).toBe(0);
  });

  test('a change that is late is refused, said, and the form shows the text as it is', async () => {
    const editor = await open(pair);
    editor.refuseNextEdit = true;
    await editor.control('model.moe.heads').click();
    await editor.page.keyboard.press('Control+A');
    await editor.page.keyboard.type('4');
    await editor.page.keyboard.press('Enter');
    await editor.page.waitForSelector('.notice:visible');
    expect(await editor.page.locator('.notice').first().innerText()).toMatch(/^The text has changed meanwhile/);
    expect(editor.document.text).toBe(mhMoe);
    await editor.page.screenshot({ path: join(screenshots, 'config-editor-stale.png') });
  });

  test('what a field cannot be is refused at the field, which keeps what was typed until it is given up', async () => {
    const editor = await open(pair);
    const { page } = editor;
    await editor.control('model.moe.heads').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    const refusal = editor.field('model.moe.heads').locator('.refusal');
    await eventually(async () => expect(await refusal.innerText()).toMatch(/^It must be a whole number of at least 1/));
    expect(await valueOf(editor, 'model.moe.heads')).toBe('two');
    expect(editor.document.text).toBe(mhMoe);
    await page.screenshot({ path: join(screenshots, 'config-editor-refused.png') });
    await page.keyboard.press('Escape');
    await eventually(async () => expect(await refusal.isVisible()).toBe(false));
    expect(await valueOf(editor, 'model.moe.heads')).toBe('2');
  });
});
