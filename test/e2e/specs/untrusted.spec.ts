import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { processesNaming } from '../harness/processes';
import { extensionFolder, moeLab } from '../harness/product';
import { runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

const session = useSession({
  name: 'untrusted',
  settings: { 'security.workspace.trust.enabled': true, 'security.workspace.trust.startupPrompt': 'never' },
  async prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'tiny.moe.yaml', tinyConfig({ name: 'Earlier', steps: 60, every: 20 }));
    writeFileIn(workspace, 'unknown-key.moe.yaml', tinyConfig().replace('  layers: 2', '  layerz: 2'));
    // A run from the time when somebody trusted this folder.
    const trained = await moeLab(workspace, 'run', 'tiny.moe.yaml', '--json');
    if (trained.code !== 0) throw new Error(trained.stderr);
    const [run] = runsIn(workspace);
    if (!run) throw new Error(`There is no run in ${workspace}: ${trained.stdout.slice(-500)}`);
  },
});
const config = (): string => join(session().workspace, 'tiny.moe.yaml');
const workers = (): readonly number[] => processesNaming(join(extensionFolder(), 'dist', 'worker.js'));

test('the workspace is not trusted', async () => {
  expect(await session().host.isTrusted()).toBe(false);
});

test('hints work: the count above `model:`, and a squiggle', async () => {
  await session().host.open(config());
  await eventually('the lens', async () => (await session().window.codeLensTexts()).some((lens) => lens.includes('parameters')));
  const broken = join(session().workspace, 'unknown-key.moe.yaml');
  await session().host.open(broken);
  await eventually('the diagnostic', async () => (await session().host.diagnostics(broken)).some(({ code }) => code === 'unknown-key'));
});

test('an existing run can be looked at', async () => {
  await session().window.openSideBar('MoE Lab');
  await eventually('the run in the explorer', async () =>
    (await session().window.runRowLabels()).some((label) => label.includes('Earlier')),
  );
  await session().window.runRows.filter({ hasText: 'Earlier' }).first().click();
  await session().window.runCommand('MoE Lab: Open Dashboard');
  const dashboard = new Dashboard(session().window);
  await eventually('the curve', async () => (await dashboard.lastStep('Earlier')) === 60);
  await session().window.screenshot('untrusted');
});

test.each([
  { name: 'Start Run', call: () => session().host.execute('moeLab.startRun', { $uri: config() }) },
  { name: 'Start Run without a config', call: () => session().host.execute('moeLab.startRun') },
  {
    name: 'Resume Run',
    call: () => session().host.execute('moeLab.resumeRun', { directory: runsIn(session().workspace)[0]?.directory }),
  },
])('$name, called directly, is refused, and no worker process exists', async ({ call }) => {
  const before = runsIn(session().workspace).map(({ directory, status }) => ({ directory, status }));
  await call().catch(() => undefined);
  await session().window.waitForNotification(/trust/i);
  expect(workers()).toEqual([]);
  expect(runsIn(session().workspace).map(({ directory, status }) => ({ directory, status }))).toEqual(before);
  await session().window.clearNotifications();
});
