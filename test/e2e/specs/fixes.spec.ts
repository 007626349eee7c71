import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { useSession } from '../harness/suite';

const good = tinyConfig({ name: 'Good' });
/** Experts twice as wide as those of the baseline; it trains on the same text, so nothing else is wrong with it. */
const wider = `name: Wider
extends: good.moe.yaml
parity: good.moe.yaml
model:
  moe:
    expert_width: 128 # Twice as wide.
`;

const session = useSession({
  name: 'fixes',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'good.moe.yaml', good);
    writeFileIn(workspace, 'wider.moe.yaml', wider);
    writeFileIn(workspace, 'other/wider.moe.yaml', wider.replaceAll('good.moe.yaml', '../good.moe.yaml'));
    writeFileIn(workspace, 'misspelt.moe.yaml', good.replace('d_model', 'dmodel').replace('  layers:', '  layer:'));
    writeFileIn(workspace, 'node_modules/package/wider.moe.yaml', wider);
  },
});
const file = (name: string): string => join(session().workspace, `${name}.moe.yaml`);
const parityCodes = async (name: string): Promise<readonly unknown[]> =>
  (await session().host.diagnostics(file(name))).map(({ code }) => code).filter((code) => String(code).endsWith('-off-parity'));
const bothOff = ['macs-off-parity', 'parameters-off-parity'];

/** Puts the cursor at the first warning of the open editor and opens the menu of what can be done there. */
async function openQuickFixes(): Promise<void> {
  const { page } = session().window;
  await session().window.squiggles('warning').first().click({ force: true });
  // Once: where the menu is open, the same key takes what is chosen in it.
  await page.keyboard.press('Control+.');
  await page.locator('.action-widget .monaco-list-row').first().waitFor();
}

async function chooseQuickFix(part: string): Promise<void> {
  await session().window.page.locator('.action-widget .monaco-list-row', { hasText: part }).first().click();
}

test('every config of the workspace is checked, also one that nobody has opened; packages are left out', async () => {
  await session().host.open(file('good'));
  for (const name of ['wider', 'other/wider']) {
    await eventually(`findings in ${name}`, async () => (await parityCodes(name)).length === 2);
    expect((await parityCodes(name)).toSorted()).toEqual(bothOff);
  }
  expect(await session().host.diagnostics(file('node_modules/package/wider'))).toEqual([]);
  await session().host.execute('workbench.actions.view.problems');
  await session().window.page.locator('.markers-panel').getByText('times the MACs').first().waitFor();
  await session().window.screenshot('problems');
});

test('an edit of the baseline, not saved, checks all that name it again', async () => {
  await session().host.edit(file('good'), 'expert_width: 64', 'expert_width: 128');
  for (const name of ['wider', 'other/wider'])
    await eventually(`no finding in ${name}`, async () => (await parityCodes(name)).length === 0);
  await session().host.edit(file('good'), 'expert_width: 128', 'expert_width: 64');
  for (const name of ['wider', 'other/wider'])
    await eventually(`findings in ${name} again`, async () => (await parityCodes(name)).length === 2);
});

test('a suppression asks for its reason, and takes that finding alone', async () => {
  await session().host.open(file('other/wider'));
  await openQuickFixes();
  await session().window.screenshot('quick-fixes');
  await chooseQuickFix('Suppress macs-off-parity');
  await eventually('the comment', async () =>
    (await session().host.text(file('other/wider')))?.includes('# moe-lab-disable-next-line macs-off-parity -- '),
  );
  await session().window.page.keyboard.type('an ablation of width');
  const written = '    # moe-lab-disable-next-line macs-off-parity -- an ablation of width\n    expert_width: 128 # Twice as wide.';
  await eventually('the reason', async () => (await session().host.text(file('other/wider')))?.includes(written));
  await eventually('one finding less', async () => (await parityCodes('other/wider')).length === 1);
  expect(await parityCodes('other/wider')).toEqual(['parameters-off-parity']);
  await session().window.screenshot('suppressed');
});

test("the solver's choice mends both findings in place and keeps the comment", async () => {
  await session().host.open(file('wider'));
  await openQuickFixes();
  await chooseQuickFix('MACs 0.00 %');
  await eventually('no finding', async () => (await parityCodes('wider')).length === 0);
  const text = await session().host.text(file('wider'));
  expect(text).toContain('expert_width: 64 # Twice as wide.');
  await session().host.execute('undo');
  await eventually('both findings again', async () => (await parityCodes('wider')).length === 2);
});

test('all sure fixes of a document are applied at once', async () => {
  await session().host.open(file('misspelt'));
  await eventually('findings', async () => (await session().host.diagnostics(file('misspelt'))).length > 0);
  await session().host.execute('editor.action.fixAll');
  await eventually('the right keys', async () => (await session().host.text(file('misspelt'))) === good);
  await eventually('no finding', async () => (await session().host.diagnostics(file('misspelt'))).length === 0);
});

test('the page of a rule opens behind its code', async () => {
  await session().host.execute('moeLab.showRule', 'macs-off-parity');
  await eventually('its preview', async () => (await session().host.tabs()).some((tab) => tab.includes('macs-off-parity.md')));
  await session().window.webview().getByRole('heading').first().waitFor();
  await session().window.screenshot('rule-page');
});

test('severities follow the setting', async () => {
  await session().host.setSetting('moeLab.rules', { 'macs-off-parity': 'error', 'parameters-off-parity': 'off' });
  await eventually('another severity', async () => (await parityCodes('wider')).length === 1);
  const [finding] = (await session().host.diagnostics(file('wider'))).filter(({ code }) => code === 'macs-off-parity');
  expect(finding?.severity).toBe('error');
  await session().host.setSetting('moeLab.rules', undefined);
  await eventually('both findings again', async () => (await parityCodes('wider')).length === 2);
});
