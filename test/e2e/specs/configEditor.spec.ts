import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigForm } from '../harness/configForm';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { useSession } from '../harness/suite';

const smoe = tinyConfig({ name: 'SMoE' });
const text = `# two heads, at equal cost
extends: smoe.moe.yaml
name: Multi-head
parity: smoe.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 2 # sub-tokens
    experts: 8
    expert_width: 64
`;

const session = useSession({
  name: 'config-editor',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'smoe.moe.yaml', smoe);
    writeFileIn(workspace, 'multi-head.moe.yaml', text);
  },
});

const file = (): string => join(session().workspace, 'multi-head.moe.yaml');
const form = (): ConfigForm => new ConfigForm(session().window);

function waitForText(part: string): Promise<unknown> {
  return eventually(`"${part}" in the text`, async () => (await session().host.text(file()))?.includes(part));
}

/** Changes the text in its own editor, which stands on the left of the form. */
async function editText(from: string, to: string): Promise<void> {
  await session().host.execute('workbench.action.focusFirstEditorGroup');
  await session().host.edit(file(), from, to);
}

/** Undoes where the form has the focus. */
async function pressInForm(key: string): Promise<void> {
  await session().host.execute('workbench.action.focusSecondEditorGroup');
  await session().window.page.keyboard.press(key);
}

test('the same document opens as a form beside its text', async () => {
  await session().host.open(file());
  await session().window.runCommand('MoE Lab: Open Config Editor');
  await form().waitUntilReady();
  await form().picture.waitFor();
  expect(await form().value('model.moe.heads')).toBe('2');
  expect(await form().value('model.d_model')).toBe('32');
  await eventually('four residuals', async () => (await form().residuals()).length === 4);
  expect((await session().host.tabs()).filter((tab) => tab.includes('multi-head'))).toHaveLength(2);
  await session().window.screenshot('config-editor');
});

test('what is entered in the form changes the text, comments stay, and the parity follows', async () => {
  const before = await form().residuals();
  await form().enter('model.moe.heads', '4');
  await waitForText('heads: 4 # sub-tokens');
  expect(await session().host.text(file())).toBe(text.replace('heads: 2', 'heads: 4'));
  expect(await session().host.isDirty(file())).toBe(true);
  await eventually('other residuals', async () => JSON.stringify(await form().residuals()) !== JSON.stringify(before));
});

test('what is typed in the text shows in the form', async () => {
  await editText('experts: 8', 'experts: 16');
  await form().waitForValue('model.moe.experts', '16');
});

test('undo and redo cross both: each takes back one step, wherever it was made', async () => {
  await pressInForm('Control+z');
  await form().waitForValue('model.moe.experts', '8');
  expect(await session().host.text(file())).toContain('heads: 4');
  await pressInForm('Control+z');
  await form().waitForValue('model.moe.heads', '2');
  expect(await session().host.text(file())).toBe(text);
  await pressInForm('Control+Shift+z');
  await form().waitForValue('model.moe.heads', '4');
  await waitForText('heads: 4 # sub-tokens');
  // And from the text: the form's own edit is undone there.
  await session().host.execute('workbench.action.focusFirstEditorGroup');
  await session().window.page.keyboard.press('Control+z');
  await form().waitForValue('model.moe.heads', '2');
  expect(await session().host.text(file())).toBe(text);
  await eventually('nothing to save', async () => !(await session().host.isDirty(file())));
});

test('a finding stands at its field, and its fix mends the text', async () => {
  await editText('heads: 2', 'heads: 5');
  await form().findings('model.moe.heads').first().waitFor();
  await session().window.screenshot('config-editor-finding-in-vscode');
  const found = await eventually('the same finding in Problems', async () =>
    (await session().host.diagnostics(file())).find(({ severity }) => severity === 'error'),
  );
  expect(await form().findings('model.moe.heads').first().innerText()).toContain(String(found.code));
  await form().findings('model.moe.heads').first().locator('vscode-button').first().click();
  await form().findings('model.moe.heads').first().waitFor({ state: 'detached' });
  await eventually('no errors in Problems', async () =>
    (await session().host.diagnostics(file())).every(({ severity }) => severity !== 'error'),
  );
  await pressInForm('Control+z');
  await waitForText('heads: 5 # sub-tokens');
  await pressInForm('Control+z');
  await eventually('the text as it was', async () => (await session().host.text(file())) === text);
});

test('while the text is broken the form is read-only, says where, and leads there', async () => {
  await editText('model:\n  moe:', 'model: {\n  moe:');
  await form().broken.waitFor();
  expect(await form().broken.innerText()).toMatch(/^Line \d+: /);
  await session().window.screenshot('config-editor-broken-in-vscode');
  await form().broken.locator('vscode-button').click();
  await eventually('the place in the text', async () => (await session().host.selection()) !== '');
  await session().window.page.keyboard.press('Control+z');
  await form().broken.waitFor({ state: 'hidden' });
  expect(await session().host.text(file())).toBe(text);
});

test('the keyboard alone is enough', async () => {
  const { page } = session().window;
  await session().host.execute('workbench.action.focusSecondEditorGroup');
  await eventually('the focus at the number of experts', async () => {
    if ((await form().focused()) === 'model.moe.experts') return true;
    await page.keyboard.press('Tab');
    return false;
  });
  await page.keyboard.press('Control+A');
  await page.keyboard.type('12');
  await page.keyboard.press('Tab');
  await waitForText('experts: 12');
  await page.keyboard.press('Control+s');
  await eventually('the document to be saved', async () => !(await session().host.isDirty(file())));
});

test.each([
  ['light', 'Default Light Modern'],
  ['high-contrast', 'Default High Contrast'],
  ['dark', 'Default Dark Modern'],
])('it has the colours of the theme: %s', async (name, theme) => {
  const colour = (): Promise<string> =>
    form()
      .picture.locator('.title')
      .first()
      .evaluate((title) => getComputedStyle(title).fill);
  const background = (): Promise<string> =>
    form().picture.evaluate((picture) => getComputedStyle(picture.ownerDocument.body).backgroundColor);
  await session().host.setSetting('workbench.colorTheme', theme);
  await eventually('the text to stand out from its background', async () => {
    const classes = await form().picture.evaluate((picture) => picture.ownerDocument.body.className);
    return classes.includes(name) && (await colour()) !== (await background());
  });
  await session().window.screenshot(`config-editor-${name}-in-vscode`);
});

test('after a reload of the window the form is there again, and nothing has broken its policy', async () => {
  await session().reloadWindow();
  await form().waitUntilReady();
  await form().waitForValue('model.moe.experts', '12');
  expect(session().consoleErrors.filter((line) => /Content Security Policy/i.test(line) && /configEditor/i.test(line))).toEqual([]);
});
