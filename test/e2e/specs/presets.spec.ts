import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { moeLab } from '../harness/product';
import { useSession } from '../harness/suite';

const session = useSession({ name: 'presets' });

const command = 'MoE Lab: New Experiment from Preset...';
const list = '.quick-input-widget .quick-input-list';

/** Opens the list of presets by the palette. */
async function openList(): Promise<void> {
  await session().window.runCommand(command);
  await session().window.page.locator(list).getByText('Table 1: SMoE', { exact: true }).waitFor();
}

/** By the keyboard alone. */
async function chooseQwen(): Promise<void> {
  await openList();
  const { page } = session().window;
  await page.keyboard.type('qwen3');
  // What Enter takes, once the list has followed the keys.
  await page.locator(`${list} .monaco-list-row.focused`).getByText('Qwen3 30B-A3B', { exact: true }).waitFor();
  await page.keyboard.press('Enter');
}

/** All text of the active editor. */
async function editorText(): Promise<string> {
  await session().window.page.keyboard.press('Control+a');
  return eventually('the text of the editor', async () => (await session().host.selection()) || undefined);
}

async function lens(): Promise<string> {
  return eventually('the count', async () => (await session().window.codeLensTexts()).find((text) => text.includes('parameters')));
}

/** What another of the same preset is called. */
const second = (): string => join(session().workspace, 'qwen3-30b-a3b-2.moe.yaml');

test('the list groups published models by paper; Escape opens nothing', async () => {
  await openList();
  const { page } = session().window;
  await page.locator(list).getByText('MH-MoE (2411.16205)', { exact: true }).waitFor();
  await session().window.screenshot('presets');
  await page.keyboard.press('Escape');
  await page.locator(list).waitFor({ state: 'hidden' });
  expect((await session().host.tabs()).filter((tab) => tab.endsWith('.moe.yaml'))).toEqual([]);
  expect(await session().window.notifications()).toEqual([]);
});

test('typed and chosen by the keyboard, a preset opens as a config that is counted, not saved yet', async () => {
  await chooseQwen();
  expect(await lens()).toMatch(/^30\.53 G parameters \(3\.353 G active\)/);
  expect(await session().host.tabs()).toContain('qwen3-30b-a3b.moe.yaml');
  expect(existsSync(join(session().workspace, 'qwen3-30b-a3b.moe.yaml'))).toBe(false);
  await session().window.waitForNoSquiggle('error');
  // Nor was anything while it was empty.
  expect(await session().host.problemsEverShown(join(session().workspace, 'qwen3-30b-a3b.moe.yaml'))).toEqual([]);
  const printed = await moeLab(session().workspace, 'presets', 'qwen3-30b-a3b');
  expect(await editorText()).toBe(printed.stdout);
  await session().window.screenshot('preset-untitled');
});

test('hints follow what is typed into it: a mistake is underlined', async () => {
  const { page } = session().window;
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('colour: blue\n');
  await session().window.squiggles('error').first().waitFor();
  await page.keyboard.press('Shift+ArrowUp');
  await page.keyboard.press('Delete');
  await session().window.waitForNoSquiggle('error');
});

test('saved, it is a file that the command line counts alike; another of the same preset gets another name', async () => {
  const file = join(session().workspace, 'qwen3-30b-a3b.moe.yaml');
  const saidBefore = await session().host.problemsEverShown(file);
  await session().window.page.keyboard.press('Control+s');
  // It is made first, and filled then.
  const printed = await moeLab(session().workspace, 'presets', 'qwen3-30b-a3b');
  await eventually('the whole file', () => existsSync(file) && readFileSync(file, 'utf8') === printed.stdout);
  // Where it was empty for a moment nothing was wrong with it.
  expect((await session().host.problemsEverShown(file)).filter((message) => !saidBefore.includes(message))).toEqual([]);
  const counted = await moeLab(session().workspace, 'count', 'qwen3-30b-a3b.moe.yaml', '--json');
  expect(JSON.parse(counted.stdout)).toMatchObject({ models: [{ parameters: { total: 30_532_122_624 }, causal: true }] });
  await chooseQwen();
  await eventually('a second draft', async () => (await session().host.activeFile()) === second());
});

test('emptied, it is a draft without mistakes; a word in it is one', async () => {
  const { page } = session().window;
  expect(await session().host.activeFile()).toBe(second());
  await page.keyboard.press('Control+a');
  await page.keyboard.type('x');
  await session().window.squiggles('error').first().waitFor();
  await page.keyboard.press('Backspace');
  await session().window.waitForNoSquiggle('error');
  await page.keyboard.type('# nothing yet');
  await session().window.squiggles('error').first().waitFor();
});
