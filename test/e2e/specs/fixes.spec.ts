import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { QuickFixes } from '../harness/quickFixes';
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
/** One head too many for its width, and no balancing. */
const uneven = `name: Uneven
extends: good.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 5 # sub-tokens
    router:
      balance: none # for once
`;
const misspelt = good.replace('d_model', 'dmodel').replace('  layers:', '  layer:');

const session = useSession({
  name: 'fixes',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'good.moe.yaml', good);
    writeFileIn(workspace, 'wider.moe.yaml', wider);
    writeFileIn(workspace, 'other/wider.moe.yaml', wider.replaceAll('good.moe.yaml', '../good.moe.yaml'));
    writeFileIn(workspace, 'misspelt.moe.yaml', misspelt);
    writeFileIn(workspace, 'saved.moe.yaml', misspelt);
    writeFileIn(workspace, 'uneven.moe.yaml', uneven);
    writeFileIn(workspace, 'node_modules/package/wider.moe.yaml', wider);
  },
});
const file = (name: string): string => join(session().workspace, `${name}.moe.yaml`);
const codesOf = async (path: string): Promise<readonly unknown[]> => (await session().host.diagnostics(path)).map(({ code }) => code);
const parityCodes = async (name: string): Promise<readonly unknown[]> =>
  (await codesOf(file(name))).filter((code) => String(code).endsWith('-off-parity'));
const bothOff = ['macs-off-parity', 'parameters-off-parity'];

/** Lenses move the lines below them when they come. */
const lensesShown = (): Promise<unknown> =>
  eventually('the lenses', async () => (await session().window.codeLensTexts()).some((lens) => lens.includes('MACs/token')));

const fixes = (): QuickFixes => new QuickFixes(session().window);

/** Opens the menu of what can be done at the first warning of the open editor. */
async function openQuickFixes(): Promise<void> {
  await lensesShown();
  await fixes().openAtSquiggle('warning');
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
  await fixes().click('Suppress macs-off-parity');
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
  await fixes().click('MACs 0.00 %');
  await eventually('no finding', async () => (await parityCodes('wider')).length === 0);
  const text = await session().host.text(file('wider'));
  expect(text).toContain('expert_width: 64 # Twice as wide.');
  await session().host.execute('undo');
  await eventually('both findings again', async () => (await parityCodes('wider')).length === 2);
});

test('what a rule proposes is taken by keys alone: next problem, menu, down, Enter', async () => {
  await session().host.open(file('uneven'));
  await eventually('the findings', async () => (await codesOf(file('uneven'))).includes('moe-heads'));
  await fixes().openAtNextProblem();
  expect(await fixes().titles()).toEqual(['Set moe.heads to 4', 'Set moe.heads to 8', 'Open the page of moe-heads']);
  await session().window.screenshot('quick-fixes-by-keys');
  await fixes().takeByKeys('Set moe.heads to 8');
  await eventually('the change', async () => (await session().host.text(file('uneven'))) === uneven.replace('heads: 5', 'heads: 8'));
  await eventually('the finding to be gone', async () => !(await codesOf(file('uneven'))).includes('moe-heads'));
  // Two findings at one value: what mends both is listed once.
  await fixes().openAtNextProblem();
  await fixes().takeByKeys('balance to gshard_first');
  await eventually(
    'both changes',
    async () =>
      (await session().host.text(file('uneven'))) ===
      uneven.replace('heads: 5', 'heads: 8').replace('balance: none', 'balance: gshard_first'),
  );
  await eventually('no finding', async () => (await codesOf(file('uneven'))).length === 0);
});

test('a misspelt key is renamed from the menu, with one step to undo', async () => {
  await session().host.open(file('misspelt'));
  await fixes().openAtNextProblem();
  await fixes().takeByKeys('d_model');
  await eventually('the right key', async () => (await session().host.text(file('misspelt'))) === misspelt.replace('dmodel', 'd_model'));
  await session().host.execute('undo');
  await eventually('the key as it was', async () => (await session().host.text(file('misspelt'))) === misspelt);
  await eventually('both findings again', async () => (await codesOf(file('misspelt'))).length === 2);
});

test('all sure fixes of a document are applied at once', async () => {
  await session().host.open(file('misspelt'));
  await eventually('findings', async () => (await session().host.diagnostics(file('misspelt'))).length > 0);
  await eventually('the right keys', async () => {
    // Asked for again where the editor had not taken the focus yet: what is right already stays.
    await session().host.execute('editor.action.fixAll');
    return (await session().host.text(file('misspelt'))) === good;
  });
  await eventually('no finding', async () => (await session().host.diagnostics(file('misspelt'))).length === 0);
});

test('saving applies all sure fixes where the editor is told to', async () => {
  await session().host.setSetting('editor.codeActionsOnSave', { 'source.fixAll.moeLab': 'explicit' });
  await session().host.open(file('saved'));
  await eventually('findings', async () => (await codesOf(file('saved'))).length > 0);
  await session().window.page.keyboard.press('Control+Home');
  await session().window.page.keyboard.type('# Saved.\n');
  await eventually('the right keys on disk', async () => {
    // Saved again where the window had not heard of the setting yet.
    await session().window.page.keyboard.press('Control+s');
    return readFileSync(file('saved'), 'utf8') === `# Saved.\n${good}`;
  });
  await session().host.setSetting('editor.codeActionsOnSave', undefined);
});

const pageOf = (code: string): Promise<unknown> =>
  eventually(`the page of ${code}`, async () => {
    const tabs = await session().host.tabs();
    const title = session().window.webview().getByRole('heading', { name: code }).first();
    return tabs.some((tab) => tab.includes(`${code}.md`)) && (await title.isVisible());
  });

test("the page of a rule opens behind its code in a squiggle's hover, and from its menu", async () => {
  await session().host.open(file('wider'));
  await lensesShown();
  const hover = await session().window.hover(session().window.squiggles('warning').first(), 'times the MACs');
  await session().window.screenshot('hover-finding');
  await hover.getByText('macs-off-parity').first().click();
  await pageOf('macs-off-parity');
  await session().window.screenshot('rule-page');
  await session().host.open(file('wider'));
  await openQuickFixes();
  await fixes().click('Open the page of parameters-off-parity');
  await pageOf('parameters-off-parity');
});

test('severities follow the setting', async () => {
  await session().host.setSetting('moeLab.rules', { 'macs-off-parity': 'error', 'parameters-off-parity': 'off' });
  await eventually('another severity', async () => (await parityCodes('wider')).length === 1);
  const [finding] = (await session().host.diagnostics(file('wider'))).filter(({ code }) => code === 'macs-off-parity');
  expect(finding?.severity).toBe('error');
  await session().host.setSetting('moeLab.rules', undefined);
  await eventually('both findings again', async () => (await parityCodes('wider')).length === 2);
});

/** Baselines in one folder, what is compared with them in another. */
const inFolder = (path: string): string => join(session().folder, 'folders', path);
const twoFolders: Readonly<Record<string, string>> = {
  'lab.code-workspace': JSON.stringify({ folders: [{ path: 'baselines' }, { path: 'variants' }] }),
  'baselines/good.moe.yaml': good,
  'variants/wider.moe.yaml': wider.replaceAll('good.moe.yaml', '../baselines/good.moe.yaml'),
  'variants/quiet/wider.moe.yaml': wider.replaceAll('good.moe.yaml', '../../baselines/good.moe.yaml'),
  'baselines/circle.moe.yaml': 'extends: ../variants/circle.moe.yaml\n',
  'variants/circle.moe.yaml': 'extends: ../baselines/circle.moe.yaml\n',
  'baselines/round.moe.yaml': 'extends: good.moe.yaml\nparity: ../variants/round.moe.yaml\n',
  'variants/round.moe.yaml': 'extends: ../baselines/good.moe.yaml\nparity: ../baselines/round.moe.yaml\n',
};

test('a workspace of two folders: configs of both are checked, open or not, and circles through both are reported', async () => {
  for (const [path, text] of Object.entries(twoFolders)) writeFileIn(inFolder('.'), path, text);
  writeTinyCorpus(inFolder('baselines'));
  await session().openWorkspaceFile(inFolder('lab.code-workspace'));
  await session().host.open(inFolder('baselines/good.moe.yaml'));
  for (const path of ['variants/wider.moe.yaml', 'variants/quiet/wider.moe.yaml'])
    await eventually(`findings in ${path}`, async () => {
      const codes = await codesOf(inFolder(path));
      return bothOff.every((code) => codes.includes(code));
    });
  for (const folder of ['baselines', 'variants']) {
    await eventually('the circle of bases', async () => (await codesOf(inFolder(`${folder}/circle.moe.yaml`))).includes('extends-cycle'));
    await eventually('the circle of baselines', async () => (await codesOf(inFolder(`${folder}/round.moe.yaml`))).includes('parity-cycle'));
  }
  await session().host.execute('workbench.actions.view.problems');
  await session().window.page.locator('.markers-panel').getByText('round in a circle').first().waitFor();
  await session().window.screenshot('problems-of-two-folders');
});

test('a baseline that changes in one folder, in its editor or on the disk, checks what names it in the other', async () => {
  const shown = async (): Promise<number> =>
    (await codesOf(inFolder('variants/wider.moe.yaml'))).filter((code) => bothOff.includes(String(code))).length;
  const baseline = inFolder('baselines/good.moe.yaml');
  await session().host.edit(baseline, 'expert_width: 64', 'expert_width: 128');
  await eventually('no finding', async () => (await shown()) === 0);
  await session().host.execute('undo');
  await eventually('findings again', async () => (await shown()) === 2);
  await session().host.execute('workbench.action.closeAllEditors');
  writeFileIn(inFolder('.'), 'baselines/good.moe.yaml', good.replace('expert_width: 64', 'expert_width: 128'));
  await eventually('no finding once more', async () => (await shown()) === 0);
  writeFileIn(inFolder('.'), 'baselines/good.moe.yaml', good);
  await eventually('findings once more', async () => (await shown()) === 2);
});

test('each folder has its own severities, and findings leave with their folder', async () => {
  const setting = { 'moeLab.rules': { 'macs-off-parity': 'off', 'parity-cycle': 'error' } };
  writeFileIn(inFolder('.'), 'variants/.vscode/settings.json', JSON.stringify(setting));
  await eventually('the finding to be off', async () => !(await codesOf(inFolder('variants/wider.moe.yaml'))).includes('macs-off-parity'));
  const severities = async (folder: string): Promise<readonly string[]> =>
    (await session().host.diagnostics(inFolder(`${folder}/round.moe.yaml`))).map(({ severity }) => severity);
  await eventually('an error in the one folder', async () => (await severities('variants')).includes('error'));
  expect(await severities('baselines')).toEqual(['warning']);
  writeFileIn(inFolder('.'), 'lab.code-workspace', JSON.stringify({ folders: [{ path: 'baselines' }] }));
  await eventually('no finding in the folder that left', async () => (await codesOf(inFolder('variants/round.moe.yaml'))).length === 0);
  await eventually(
    'the finding in the folder that stays',
    async () => JSON.stringify(await codesOf(inFolder('baselines/round.moe.yaml'))) === '["parity-cycle"]',
  );
});
