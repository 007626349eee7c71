import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { isAlive } from '../harness/processes';
import { runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

const session = useSession({
  name: 'bad-input',
  // Nobody's GPU: the Vulkan loader finds no driver, as on a machine without one.
  env: { VK_ICD_FILENAMES: '/nonexistent/icd.json', VK_DRIVER_FILES: '/nonexistent/icd.json' },
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'corpus/empty.txt', '');
    writeFileIn(workspace, 'corpus/short.txt', 'Too short.\n');
    writeFileIn(workspace, 'corpus/binary.txt', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 37) % 256)));
  },
});

afterEach(async () => {
  await session().window.clearNotifications();
});

/** Starts a run of a config that must not start; gives the one message it got. */
async function refusal(name: string, text: string): Promise<string> {
  const file = writeFileIn(session().workspace, `${name}.moe.yaml`, text);
  const running = (): number => runsIn(session().workspace).filter(({ status }) => status.state === 'running').length;
  const before = running();
  await session().host.open(file);
  await session().window.runCommand('MoE Lab: Start Run');
  const messages = await eventually('a message', async () => {
    const shown = await session().window.notifications();
    return shown.length > 0 && shown;
  });
  expect(messages).toHaveLength(1);
  expect(running()).toBe(before);
  return messages[0] ?? '';
}

/** The text that is selected in the editor: where a refusal takes the person. */
async function selectedText(): Promise<string> {
  return session().host.selection();
}

test('malformed YAML: the message names the problem and the line, and the squiggle stands there', async () => {
  const message = await refusal('malformed', tinyConfig().replace('heads: 2, position: rope }', 'heads: 2, position: rope'));
  expect(message).toMatch(/YAML|malformed\.moe\.yaml/);
  await session().window.squiggles('error').first().waitFor();
});

test.each([
  { name: 'missing', train: 'corpus/none.txt', says: /no file.*none\.txt/i },
  { name: 'empty', train: 'corpus/empty.txt', says: /empty/ },
  { name: 'short', train: 'corpus/short.txt', says: /fewer than one batch/ },
  { name: 'binary', train: 'corpus/binary.txt', says: /not look like text/ },
])('a corpus that is $name: one message, at the place in the config', async ({ name, train, says }) => {
  const message = await refusal(name, tinyConfig({ name, train }));
  expect(message).toMatch(says);
  await eventually('the place in the config', async () => (await selectedText()).includes(train));
  await session().window.screenshot(`corpus-${name}`);
});

test('a device that is not there: the message says so and names one that is', async () => {
  const message = await refusal('gpu', tinyConfig({ name: 'gpu', device: 'webgpu' }));
  expect(message).toMatch(/webgpu|GPU/);
  expect(message).toMatch(/cpu/);
  await session().window.screenshot('no-gpu');
});

test('a diverging run: failed, with step and reason, and the last good checkpoint is kept', async () => {
  const text = tinyConfig({ name: 'Diverging', learningRate: '1.0e+4', clip: 0, checkpointEvery: 1, steps: 400 }).replace(
    'warmup: 10',
    'warmup: 400',
  );
  await session().host.open(writeFileIn(session().workspace, 'diverging.moe.yaml', text));
  await session().window.runCommand('MoE Lab: Start Run');
  const run = await eventually('the failure', () =>
    runsIn(session().workspace).find(({ description, status }) => description.name === 'Diverging' && status.state === 'failed'),
  );
  const { failure, pid } = run.status;
  expect(failure?.step).toBeGreaterThan(0);
  expect(failure?.message).toMatch(/finite|NaN|infinit/i);
  expect(failure?.advice).not.toBe('');
  expect(run.checkpoints.at(-1)).toBeLessThan(failure?.step ?? 0);
  expect(run.checkpoints.length).toBeGreaterThan(0);
  await eventually('the worker to be gone', () => !isAlive(pid));
  const message = await session().window.waitForNotification(/Diverging/);
  expect(message).toContain(String(failure?.step));
  await session().window.openSideBar('MoE Lab');
  await eventually('the sidebar to say so', async () =>
    (await session().window.runRowTexts()).some((row) => /Diverging.*failed/.test(row)),
  );
  await session().window.screenshot('diverged');
});

/** Makes an existing folder one that even root cannot write to; gives what undoes it, or why it could not be made. */
function makeReadOnly(folder: string): { undo(): void } | { why: string } {
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0o555);
    return { undo: () => chmodSync(folder, 0o755) };
  }
  for (const [make, unmake] of [
    [`chattr +i '${folder}'`, `chattr -i '${folder}'`],
    [`mount -t tmpfs -o ro tmpfs '${folder}'`, `umount '${folder}'`],
  ] as const) {
    try {
      execFileSync('sh', ['-c', make], { stdio: 'ignore' });
      return { undo: () => execFileSync('sh', ['-c', unmake], { stdio: 'ignore' }) };
    } catch {
      // Not allowed here; the next way.
    }
  }
  return { why: 'root may write everywhere here: neither chattr +i nor a read-only mount is permitted' };
}

test('a folder that cannot be written: the message names it, and nothing is left behind', async (context) => {
  // Outside the suite's folder: if this is interrupted, the next run must still be able to clear that.
  const sealed = mkdtempSync(join(tmpdir(), 'moe-lab-sealed-'));
  const readOnly = makeReadOnly(sealed);
  if ('why' in readOnly) return context.skip(readOnly.why);
  try {
    await session().host.setSetting('moeLab.runsDirectory', join(sealed, 'runs'));
    const message = await refusal('sealed', tinyConfig({ name: 'Sealed' }));
    expect(message).toContain(join(sealed, 'runs'));
    expect(existsSync(join(sealed, 'runs'))).toBe(false);
  } finally {
    await session().host.setSetting('moeLab.runsDirectory', undefined);
    readOnly.undo();
    rmSync(sealed, { recursive: true, force: true });
  }
});
