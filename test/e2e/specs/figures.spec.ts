import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { QuickFixes } from '../harness/quickFixes';
import { useSession } from '../harness/suite';
import { Suggestions } from '../harness/suggestions';

/** Figures that stand beside the text: inlay hints, hovers, completion, and the sizes that a lens leads to. */
const multiHead = `extends: smoe.moe.yaml
parity: smoe.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 2 # sub-tokens of a token
    experts: 9
    top_k: 2
    expert_width: 24
`;

const session = useSession({
  name: 'figures',
  // Hints are what is looked at; a narrow picture would cut them.
  settings: { 'editor.minimap.enabled': false },
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'smoe.moe.yaml', tinyConfig({ name: 'SMoE' }));
    writeFileIn(workspace, 'multi-head.moe.yaml', multiHead);
    writeFileIn(workspace, 'typed.moe.yaml', '# begun\n');
  },
});
const file = (name: string): string => join(session().workspace, `${name}.moe.yaml`);
const page = () => session().window.page;

/** The lines of the active editor with the hints in them. */
async function shownLines(): Promise<readonly string[]> {
  const lines = await page().locator('.editor-instance .view-line').allTextContents();
  return lines.map((line) => line.replaceAll('\u00a0', ' ').trimEnd());
}

const shownLine = (start: string, part: string): Promise<string> =>
  eventually(`"${part}" behind ${start}`, async () =>
    (await shownLines()).find((line) => line.trimStart().startsWith(start) && line.includes(part)),
  );

const suggestions = (): Suggestions => new Suggestions(session().window);

const typedIs = (text: string): Promise<unknown> =>
  eventually(`the text ${JSON.stringify(text)}`, async () => (await session().host.text(file('typed'))) === text);

test('behind sizes stands what they come to, and both residuals at the key that causes them', async () => {
  await session().host.open(file('multi-head'));
  await shownLine('heads: 2', 'sub-tokens 16 wide');
  await shownLine('experts: 9', "of the layer's MACs");
  await eventually('both residuals', async () =>
    (await shownLines()).some((line) => /[\d.]+ % MACs, [+−]?[\d.]+ % parameters vs smoe\.moe\.yaml/.test(line)),
  );
  await session().window.screenshot('inlay-hints');
});

test('hints follow an edit that is not saved', async () => {
  await session().host.edit(file('multi-head'), 'heads: 2 #', 'heads: 4 #');
  await shownLine('heads: 4', 'sub-tokens 8 wide');
  await session().host.edit(file('multi-head'), 'heads: 4 #', 'heads: 2 #');
  await shownLine('heads: 2', 'sub-tokens 16 wide');
});

test('over a key stand its formula, its source, and what its next values would cost', async () => {
  const key = page()
    .locator('.editor-instance .view-line span', { hasText: /^expert_width$/ })
    .first();
  const hover = await session().window.hover(key, 'model.moe.expert_width');
  // Several say something at a key, each in its own time.
  const text = await eventually('the formula', async () => {
    const shown = await hover.innerText();
    return shown.includes('n d f k MACs') && shown;
  });
  expect(text).toContain('2411.16205');
  expect(text).toMatch(/\n\s*24\s/);
  await session().window.screenshot('hover');
  await page().keyboard.press('Escape');
});

test('the lens of the baseline leads to sizes that cost as much; one is written in place, with one step to undo', async () => {
  await session().window.clickLens('vs smoe.moe.yaml', async () => (await session().window.quickPickEntries()).length > 1);
  const labels = await session().window.quickPickEntries();
  await session().window.screenshot('sizes');
  await session().window.pick(labels[0] ?? '');
  const changed = await eventually('other sizes', async () => {
    const text = await session().host.text(file('multi-head'));
    return text !== null && text !== multiHead && text;
  });
  expect(changed).toContain('# sub-tokens of a token');
  expect(changed.split('\n')).toHaveLength(multiHead.split('\n').length);
  await session().host.execute('undo');
  await eventually('the text as it was', async () => (await session().host.text(file('multi-head'))) === multiHead);
});

test('keys, words and files are completed by the keyboard alone, in a config that is not finished', async () => {
  await session().host.open(file('typed'));
  await page().keyboard.press('Control+End');
  await page().keyboard.type('ext');
  await suggestions().take('extends');
  await suggestions().labels('smoe.moe.yaml');
  await session().window.screenshot('completion-files');
  await page().keyboard.type('smoe');
  await suggestions().take('smoe.moe.yaml');
  await typedIs('# begun\nextends: smoe.moe.yaml');
  await page().keyboard.press('Enter');
  await page().keyboard.type('mod');
  await suggestions().labels('model');
  await session().window.screenshot('completion-keys');
  await page().keyboard.press('Escape');
  await typedIs('# begun\nextends: smoe.moe.yaml\nmod');
});

test('the words that a key takes are offered behind it', async () => {
  await session().host.edit(file('typed'), 'mod', 'model:\n  moe:\n    kind:');
  await page().keyboard.press('Control+End');
  await page().keyboard.type(' ');
  expect(await suggestions().labels('mh-moe')).toEqual(expect.arrayContaining(['smoe', 'mh-moe']));
  await session().window.screenshot('completion-words');
  await page().keyboard.type('mh');
  await suggestions().take('mh-moe');
  await eventually('the word', async () => (await session().host.text(file('typed')))?.endsWith('kind: mh-moe'));
});

test('an empty config can become a published one', async () => {
  await page().keyboard.press('Control+a');
  await page().keyboard.press('Delete');
  await typedIs('');
  await page().keyboard.type('mix');
  await suggestions().labels('mixtral-8x7b');
  await session().window.screenshot('completion-presets');
  await suggestions().take('mixtral-8x7b');
  const text = await eventually('the whole config', async () => {
    const now = await session().host.text(file('typed'));
    return now?.includes('expert_width: 14336') === true && now;
  });
  expect(text).toMatch(/^model:$/m);
  await eventually('its lens', async () => (await session().window.codeLensTexts()).some((lens) => lens.includes('MACs/token')));
  await session().window.waitForNoSquiggle('error');
});

test('hovers and lenses are in reach of the keyboard', async () => {
  await session().host.open(file('multi-head'));
  await shownLine('heads: 2', 'sub-tokens 16 wide');
  await page().keyboard.press('Control+Home');
  for (let line = 0; line < 5; line++) await page().keyboard.press('ArrowDown');
  await page().keyboard.press('Home');
  await page().keyboard.press('Control+k');
  await page().keyboard.press('Control+i');
  await page().locator('.monaco-hover:visible', { hasText: 'model.moe.heads' }).waitFor();
  await page().keyboard.press('Escape');
  await page().keyboard.press('Control+Home');
  await page().keyboard.press('ArrowDown');
  await eventually('the lens in the editor', async () =>
    (await session().window.codeLensTexts()).some((lens) => lens.startsWith('vs smoe.moe.yaml')),
  );
  // While lenses are made anew the command finds none at the line, and says nothing.
  await eventually('the lens of the baseline', async () => {
    await session().window.runCommand('Show CodeLens Commands for Current Line');
    const lens = page().locator('.quick-input-widget .quick-input-list .label-name', { hasText: 'vs smoe.moe.yaml' });
    return lens
      .first()
      .waitFor({ timeout: 3000 })
      .then(() => true)
      .catch(() => false);
  });
  await page().keyboard.press('Enter');
  await eventually('its sizes', async () => (await session().window.quickPickLabels()).some((label) => label.includes('expert_width')));
  await page().keyboard.press('Escape');
});

test.each([
  ['dark', 'Default Dark Modern', 'vs-dark'],
  ['light', 'Default Light Modern', 'vs'],
  ['high-contrast', 'Default High Contrast', 'hc-black'],
])('hints, squiggles and the menu of fixes are readable in %s', async (name, theme, base) => {
  await session().host.setSetting('workbench.colorTheme', theme);
  await page().locator(`.monaco-workbench.${base}`).waitFor();
  await session().host.open(file('multi-head'));
  await shownLine('heads: 2', 'sub-tokens 16 wide');
  await new QuickFixes(session().window).openAtNextProblem();
  await session().window.screenshot(`inlay-hints-${name}`);
  await page().keyboard.press('Escape');
});
