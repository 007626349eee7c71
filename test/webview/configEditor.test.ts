/// <reference types="node" />
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildConfigEditor, OpenConfigEditor, type BuiltConfigEditor, type OpenOptions } from './configEditorHarness';
import { chromiumPath, screenshots } from './dashboardHarness';
import { themes } from './themes';

if (chromiumPath === undefined) console.warn('Skipped: the config editor is tested in Chromium, and there is none on this machine.');

const eventually = (assertion: () => void | Promise<void>) => vi.waitFor(assertion, { timeout: 20_000, interval: 50 });

/** What registering the toolkit causes under this policy, and nothing else. */
const knownViolations = ['style-src-elem inline'];

const smoe = `# 2411.16205, Table 1
model:
  vocabulary: 32000
  d_model: 768
  layers: 12
  context: 2048
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe:
    kind: smoe
    experts: 8 # as published
    top_k: 1
    expert_width: 2048
`;

const mhMoe = `# the same with two heads
extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 2 # sub-tokens
    experts: 40
    top_k: 2
    expert_width: 768
`;

const pair = { text: mhMoe, files: { 'smoe.moe.yaml': smoe } };

describe.skipIf(chromiumPath === undefined)('config editor in a browser', () => {
  let built: BuiltConfigEditor;
  let opened: OpenConfigEditor[] = [];

  beforeAll(async () => {
    built = await buildConfigEditor();
    mkdirSync(screenshots, { recursive: true });
  });
  afterAll(() => built.close());
  afterEach(async () => {
    const errors = opened.flatMap((editor) => editor.errors);
    await Promise.all(opened.map((editor) => editor.close()));
    opened = [];
    expect(errors).toEqual([]);
  });

  const open = async (options: OpenOptions): Promise<OpenConfigEditor> => {
    const editor = await OpenConfigEditor.open(built, options);
    opened.push(editor);
    return editor;
  };

  test.each(['dark', 'light', 'highContrast'] as const)('%s: everything is drawn, and no policy is violated', async (name) => {
    const editor = await open({ ...pair, theme: themes[name] });
    const { page } = editor;
    await page.waitForSelector('.diagram');
    await page.screenshot({ path: join(screenshots, `config-editor-${name}.png`) });
    await page.screenshot({ path: join(screenshots, `config-editor-${name}-whole.png`), fullPage: true });
    expect((await editor.violations()).filter((violation) => !knownViolations.includes(violation))).toEqual([]);
  });

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
    // Whatever the page would say to a value that it was told, it has had the time for.
    await editor.page.waitForTimeout(300);
    expect(changesOf(editor)).toEqual([]);
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
    await page.waitForTimeout(200);
    expect(changesOf(editor)).toEqual([]);
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
      await page
        .locator('vscode-button:visible', { hasText: 'Add ' })
        .evaluateAll((all) => all.every((one) => (one as HTMLButtonElement).disabled)),
    ).toBe(true);
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

  test('a stated key is reset to what the base says, and a section is added and taken out', async () => {
    const editor = await open(pair);
    const { page } = editor;
    const origin = (path: string) => editor.field(path).locator('.field-name .link').innerText();
    expect(await origin('model.moe.experts')).toBe('stated, over smoe.moe.yaml');
    await page.locator('vscode-button[aria-label="Reset model.moe.experts"]').click();
    await eventually(async () => expect(await origin('model.moe.experts')).toBe('from smoe.moe.yaml'));
    expect(await valueOf(editor, 'model.moe.experts')).toBe('8');
    expect(editor.document.text).not.toContain('experts: 40');
    await page.locator('vscode-button', { hasText: 'Add model.bitnet' }).click();
    await eventually(async () => expect(await origin('model.bitnet.weights')).toBe('stated'));
    expect(editor.document.text).toContain('bitnet:');
    await page.locator('vscode-button[aria-label="Remove model.bitnet"]').click();
    await eventually(async () => expect(await page.locator('vscode-button', { hasText: 'Add model.bitnet' }).isVisible()).toBe(true));
    expect(editor.document.text).not.toContain('bitnet');
    await editor.field('model.moe.experts').locator('.field-name .link').click();
    await eventually(() => expect(editor.revealed).toEqual(['smoe.moe.yaml:11']));
    // One that the base has too is taken away from it, and can be had again.
    await page.locator('vscode-button[aria-label="Remove model.moe"]').click();
    const add = page.getByText('Add model.moe', { exact: true });
    await eventually(async () => expect(await add.isVisible()).toBe(true));
    expect(editor.document.text).toMatch(/^ {2}moe:$/m);
    await add.click();
    await eventually(async () => expect(await add.isVisible()).toBe(false));
    expect(editor.document.text).not.toContain('moe:');
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

function changesOf({ received }: OpenConfigEditor): unknown[] {
  return received.flatMap((message) => (message.type === 'request' && message.request.kind === 'change' ? [message.request.change] : []));
}

function valueOf(editor: OpenConfigEditor, path: string): Promise<string> {
  return editor.control(path).evaluate((control: HTMLInputElement) => control.value);
}

/** The path of the field that has the focus. */
function focused({ page }: OpenConfigEditor): Promise<string | null> {
  return page.evaluate(() => document.activeElement?.closest('.field')?.getAttribute('data-path') ?? null);
}

/** Presses Tab until a field has the focus, from the top of the page. */
async function tabTo(editor: OpenConfigEditor, path: string): Promise<void> {
  await editor.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let presses = 0; presses < 120; presses++) {
    await editor.page.keyboard.press('Tab');
    const here = await editor.page.evaluate(() => {
      const active = document.activeElement;
      return active?.closest('.field-control') === null ? null : (active?.closest('.field')?.getAttribute('data-path') ?? null);
    });
    if (here === path) return;
  }
  throw new Error(`Tab does not reach ${path}.`);
}

/** Residuals of the part that differs: MACs, with router, parameters, with router. */
function figures({ page }: OpenConfigEditor): Promise<string[]> {
  return page.locator('.parity-bars tbody').first().locator('.parity-figure').allInnerTexts();
}
