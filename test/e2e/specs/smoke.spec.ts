import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { extensionFolder } from '../harness/product';
import { useSession } from '../harness/suite';

const session = useSession({ name: 'smoke' });
const id = 'moe-lab.moe-lab';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string; readonly title: string; readonly category?: string }[] };
}

/** VS Code finds files with ripgrep; older versions fetch it in an install script, which is not run here. */
function canSearchFiles(): boolean {
  const modules = join(dirname(inject('workbench').server), '..', 'node_modules', '@vscode');
  return existsSync(join(modules, 'ripgrep-universal')) || existsSync(join(modules, 'ripgrep', 'bin'));
}

test('the packaged extension is installed and does nothing in an empty folder', async () => {
  const extension = await session().host.extension(id);
  expect(extension?.path).toBe(extensionFolder());
  expect(extension?.active).toBe(false);
});

test('its run explorer greets an empty folder with what can be done', async () => {
  await session().window.openSideBar('MoE Lab');
  const { welcome } = session().window;
  await welcome.getByText('No runs yet').waitFor();
  await eventually(
    'its buttons',
    async () => (await welcome.locator('.monaco-button').allTextContents()).join() === 'Create Sample Experiment,Start Run',
  );
  await session().window.screenshot('empty-folder');
});

test('every contributed command is registered and titled, and nothing else of ours can be called', async () => {
  await session().host.activate(id);
  const manifest = JSON.parse(readFileSync(join(extensionFolder(), 'package.json'), 'utf8')) as Manifest;
  const contributed = manifest.contributes.commands;
  expect(contributed.length).toBeGreaterThan(8);
  expect(contributed.filter(({ title, category }) => title.trim() === '' || category !== 'MoE Lab')).toEqual([]);
  const registered = (await session().host.commands()).filter((command) => /^moeLab\.[a-zA-Z]+$/.test(command));
  expect(contributed.map(({ command }) => command).filter((command) => !registered.includes(command))).toEqual([]);
});

test('starting a run without any config says what to do first', async (context) => {
  if (!canSearchFiles()) return context.skip('this VS Code came without ripgrep, which finds the files of a workspace');
  await session().window.runCommand('MoE Lab: Start Run');
  expect(await session().window.waitForNotification('.moe.yaml')).toContain('Create Sample Experiment');
});

test('debug information is copied, and shown as a document', async () => {
  await session().window.runCommand('MoE Lab: Debug Information');
  await session().window.waitForNotification('Debug information copied', 60);
  await session().window.pressNotificationButton('Show');
  await session().window.page.locator('.monaco-editor .view-lines').getByText('Devices').first().waitFor();
});
