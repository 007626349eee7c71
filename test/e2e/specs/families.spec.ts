import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { type RunOnDisk, runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

const base = tinyConfig({ name: 'Base', steps: 30, every: 30 });

const session = useSession({
  name: 'families',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'base.moe.yaml', base);
    writeFileIn(
      workspace,
      'family.moe.yaml',
      'name: Family\nextends: base.moe.yaml\nparity: base.moe.yaml\nsweep:\n  model.moe.top_k: [1, 2] # of four\n',
    );
    writeFileIn(workspace, 'renamed.moe.yaml', 'name: Renamed\nextends: base.moe.yaml\n');
    // Without balancing most of so many experts are never chosen.
    const unbalanced = 'moe: { kind: smoe, every: 2, experts: 32, top_k: 1, expert_width: 8, router: { balance: none } }';
    const collapse = { name: 'Collapse', steps: 120, every: 120, learningRate: '3.0e-2', mechanism: unbalanced };
    writeFileIn(workspace, 'collapse.moe.yaml', tinyConfig(collapse));
    writeFileIn(workspace, 'wild.moe.yaml', tinyConfig({ name: 'Wild', steps: 200, learningRate: '1.0e+6', clip: 0 }));
  },
});
const file = (name: string): string => join(session().workspace, name);

function run(name: string): RunOnDisk | undefined {
  return runsIn(session().workspace).find(({ description }) => description.name === name);
}

test('a sweep says above its key what its members cost', async () => {
  await session().host.open(file('family.moe.yaml'));
  const lens = await eventually('the lens of the family', async () =>
    (await session().host.codeLenses(file('family.moe.yaml'))).find(({ title }) => title.startsWith('2 members')),
  );
  expect(lens.line).toBe(3);
  expect(lens.title).toMatch(
    /^2 members: [\d.]+ k parameters, [\d.]+ k to [\d.]+ k MACs\/token; vs base\.moe\.yaml: 0\.00 % to \+[\d.]+ % MACs, 0\.00 % parameters/,
  );
  // And below it which of them are no fair comparison, once for all.
  const [finding, ...others] = await eventually('the finding', async () => {
    const shown = await session().host.diagnostics(file('family.moe.yaml'));
    return shown.length > 0 && shown;
  });
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    code: 'macs-off-parity',
    message: expect.stringMatching(/^1 of 2 members differs from base\.moe\.yaml in MACs.*top_k=2.*\+[\d.]+ % MACs, 0\.00 % parameters/),
    start: { line: 4, character: 2 },
  });
  const { page } = session().window;
  const hover = await session().window.hover(page.locator('.view-line', { hasText: 'sweep:' }).locator('span span').first(), 'top_k=2');
  expect(await hover.locator('table').first().innerText()).toContain('top_k=2');
  await session().window.screenshot('sweep-hover');
});

test('a member with errors is shown where the sweep lists it', async () => {
  await session().host.edit(file('family.moe.yaml'), '[1, 2]', '[1, 2, 9]');
  const found = await eventually('the finding', async () =>
    (await session().host.diagnostics(file('family.moe.yaml'))).find(({ code }) => code === 'sweep-member'),
  );
  expect(found).toMatchObject({
    severity: 'error',
    message: expect.stringMatching(/^top_k=9: .*top_k/),
    start: { line: 4, character: 26 },
  });
  await session().host.edit(file('family.moe.yaml'), '[1, 2, 9]', '[1, 2]');
  await eventually('it to be gone', async () =>
    (await session().host.diagnostics(file('family.moe.yaml'))).every(({ code }) => code !== 'sweep-member'),
  );
});

test('members are started in turn, each a run that says what it is', async () => {
  await session().window.openSideBar('MoE Lab');
  await session().host.open(file('family.moe.yaml'));
  await session().window.runCommand('MoE Lab: Start Run');
  // With what stands below each of them.
  const entries = ['All 2 members', 'top_k=1', 'top_k=2', 'Only the config itself'];
  await eventually('the members', async () => JSON.stringify(await session().window.quickPickEntries()) === JSON.stringify(entries));
  await session().window.screenshot('sweep-members');
  await session().window.pick('All 2 members');
  const second = await eventually('the second member', () => run('Family, top_k=2'));
  // Not before the first is over.
  const first = run('Family, top_k=1');
  expect(first?.status.state).toBe('finished');
  expect(second.description.sweep).toEqual({ member: 'top_k=2', changes: { 'model.moe.top_k': 2 }, follows: first?.description.id });
  await eventually('its end', () => second.status.state === 'finished');
  await eventually(
    'both in the sidebar',
    async () => (await session().window.runRowTexts()).filter((text) => text.startsWith('Family, ')).length === 2,
  );
});

test('the dashboard says what the members cost against each other', async () => {
  const dashboard = new Dashboard(session().window);
  await eventually('both runs', async () => (await dashboard.runNames()).length === 2);
  const section = session().window.webview().locator('section[aria-labelledby="parity-title"]');
  await section.locator('table').waitFor();
  await eventually('what is compared', async () =>
    /^Family, top_k=\d against Family, top_k=\d$/.test((await section.locator('caption').textContent()) ?? ''),
  );
  await section.scrollIntoViewIfNeeded();
  await session().window.screenshot('dashboard-parity');
});

test('two configs are compared as a diff of what they are, with a table of costs below it that goes with it', async () => {
  await session().host.open(file('base.moe.yaml'));
  await session().window.runCommand('MoE Lab: Compare Configs...');
  // Runs beside configs; and not itself.
  const offered = await eventually('the other configs and the runs', async () => {
    const shown = await session().window.quickPickLabels();
    return shown.includes('wild.moe.yaml') && shown.includes('Family, top_k=2') && shown;
  });
  expect(offered).not.toContain('base.moe.yaml');
  await session().window.pick('Family, top_k=2');
  await eventually('diff and costs', async () => {
    const tabs = await session().host.tabs();
    return tabs.some((label) => label === 'base.moe.yaml \u2194 Family, top_k=2') && tabs.some((label) => label.endsWith('.costs.txt'));
  });
  const { page } = session().window;
  await page.locator('.monaco-diff-editor .line-insert').first().waitFor();
  await eventually('the table of costs', async () =>
    (await page.locator('.editor-group-container .view-lines').allInnerTexts()).some((text) => /second\sagainst\sfirst/.test(text)),
  );
  const boxes = await eventually('a low group below that of the diff', async () => {
    const box = (has: string) => page.locator('.editor-group-container', { has: page.locator(has) }).boundingBox();
    const [diff, costs] = [await box('.monaco-diff-editor'), await box('.tab[data-resource-name$=".costs.txt"]')];
    return diff !== null && costs !== null && costs.y >= diff.y + diff.height && { diff, costs };
  });
  expect(boxes.costs.height).toBeLessThan(boxes.diff.height);
  expect(boxes.costs.x).toBeCloseTo(boxes.diff.x, 0);
  await session().window.screenshot('compare-configs');
  // The focus is the diff's.
  await session().window.runCommand('View: Close Editor');
  await eventually('neither diff nor costs', async () => !(await session().host.tabs()).some((label) => label.includes('\u2194')));
});

test('configs that differ in their names alone are said to be the same', async () => {
  await session().host.execute('moeLab.compareConfigs', { $uri: file('base.moe.yaml') }, [
    { $uri: file('base.moe.yaml') },
    { $uri: file('renamed.moe.yaml') },
  ]);
  await session().window.waitForNotification('base.moe.yaml and renamed.moe.yaml are the same experiment');
  await session().window.clearNotifications();
});

test('a run whose experts collapse says so in the sidebar, and leads to a config that balances them', async () => {
  await session().host.open(file('collapse.moe.yaml'));
  await session().window.runCommand('MoE Lab: Start Run');
  await eventually('the end of the run', () => run('Collapse')?.status.state === 'finished');
  await eventually('the alarm in the sidebar', async () =>
    (await session().window.runRowTexts()).some((text) => /^Collapse ?alarm: experts collapsed · step 120\/120 · prose ppl/.test(text)),
  );
  await session().window.screenshot('collapsed-experts');
  // The only run here with something to mend: nothing is asked.
  await session().window.runCommand('MoE Lab: Branch with This Fix');
  await eventually('the branch', async () => (await session().host.selection()) === 'gshard_first');
  const text = await session().host.text(file('collapse-balance.moe.yaml'));
  expect(text).toMatch(/^# Branch of Collapse \(.*\)\.\n# \d\d of the 32 experts of layer 1 got less than a tenth of an even share, /);
  expect(text).toMatch(/\n {6}balance: gshard_first\n/);
  expect(await session().host.problemsThatWent(file('collapse-balance.moe.yaml'))).toEqual([]);
});

test('a failed run leads to a config with the key changed that governs its failure, the cursor at it', async () => {
  await session().host.open(file('wild.moe.yaml'));
  await session().window.runCommand('MoE Lab: Start Run');
  const wild = await eventually('the failure', () => {
    const found = run('Wild');
    return found?.status.state === 'failed' && found;
  });
  expect(wild.status.failure?.cause).toBe('diverged');
  await session().window.waitForNotification('Wild failed');
  await session().window.screenshot('failed-run');
  await session().window.pressNotificationButton('Branch with This Fix');
  await eventually('the branch', async () => (await session().host.selection()) === '1');
  const text = await session().host.text(file('wild-clip.moe.yaml'));
  expect(text).toMatch(
    /^# Branch of Wild \(.*\)\.\n# Diverged: .*\n# train\.clip: 0 -> 1\nextends: wild\.moe\.yaml\nname: Wild, clip=1\ntrain:\n {2}clip: 1\n$/,
  );
  expect(await session().host.isDirty(file('wild-clip.moe.yaml'))).toBe(true);
  expect(await session().host.problemsThatWent(file('wild-clip.moe.yaml'))).toEqual([]);
  await session().window.screenshot('branch-with-fix');
});

test('where nothing has gone wrong, there is nothing to branch from', async () => {
  await session().host.execute('moeLab.branchWithFix', { directory: run('Family, top_k=1')?.directory });
  await session().window.waitForNotification('No key of the config governs what became of Family, top_k=1');
});
