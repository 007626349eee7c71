import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { useSession } from '../harness/suite';

/** Narrow enough to train at once, with experts that can pay for a head and a merge layer. */
const smoe = tinyConfig({
  name: 'SMoE',
  mechanism: 'moe: { kind: smoe, every: 2, experts: 8, top_k: 1, expert_width: 128 }',
  steps: 200_000,
  learningRate: '1.0e-3',
})
  .replace('d_model: 32', 'd_model: 48')
  .replace('{ width: 64, activation: swiglu }', '{ width: 128, activation: swiglu }');
/** Equation 8 of 2411.16205 is for experts of two matrices: (128 - 48) / 1. */
const byTwoMatrices = `extends: smoe.moe.yaml
name: By two matrices
parity: smoe.moe.yaml
model: { moe: { kind: mh-moe, heads: 2, top_k: 1, experts: 24, expert_width: 80 } }
`;

const session = useSession({
  name: 'twins',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'smoe.moe.yaml', smoe);
    writeFileIn(workspace, 'two-matrices.moe.yaml', byTwoMatrices);
  },
});
const file = (name: string): string => join(session().workspace, `${name}.moe.yaml`);

/** The text of a config that is opened, once it has one. */
const opened = (path: string, seconds?: number): Promise<string> =>
  eventually(
    `the text of ${path}`,
    async () => {
      const text = await session().host.text(path);
      return text !== null && text.includes('extends:') && text;
    },
    seconds,
  );

const inputBox = () => session().window.page.locator('.quick-input-box input:visible');

test('an unfair comparison is underlined at the key that causes it, with the choices that mend it', async () => {
  await session().host.open(file('two-matrices'));
  const [found, ...others] = await eventually('a diagnostic', async () => {
    const all = (await session().host.diagnostics(file('two-matrices'))).filter(({ severity }) => severity === 'warning');
    return all.length > 0 && all;
  });
  expect(others).toEqual([]);
  expect(found?.code).toBe('two-matrix-parity');
  expect(found?.message).toContain('which is for experts of two matrices; SwiGLU has three');
  const line = byTwoMatrices.split('\n')[found?.start.line ?? 0] ?? '';
  expect(line.slice(found?.start.character, found?.end.character)).toBe('expert_width');
  await session().window.squiggles('warning').first().waitFor();
  await session().window.screenshot('two-matrices');
});

test('Create Twin at Parity offers families with what they cost, and opens the one that is picked', async () => {
  await session().host.open(file('smoe'));
  await session().window.runCommand('MoE Lab: Create Twin at Parity...');
  const labels = await eventually('families', async () => {
    const shown = await session().window.quickPickLabels();
    return shown.some((label) => label.startsWith('MH-MoE, 2 heads')) && shown;
  });
  await session().window.screenshot('families');
  const label = labels.find((one) => one.startsWith('MH-MoE, 2 heads')) ?? '';
  await session().window.pick(label);
  const twin = file('smoe-mh2');
  const text = await opened(twin);
  const [, experts, width] = /(\d+) experts of width (\d+)/.exec(label) ?? [];
  expect(text).toMatch(/^# MH-MoE twin of SMoE at equal cost: /);
  expect(text).toContain(`    experts: ${experts ?? ''}\n    top_k: 2\n    expert_width: ${width ?? ''}\n`);
  await eventually('the lens of the twin', async () =>
    (await session().window.codeLensTexts()).some((lens) => lens.includes('vs smoe.moe.yaml')),
  );
  await session().window.waitForNoSquiggle('error', 'warning');
  expect(await session().host.isDirty(twin)).toBe(true);
  expect(await session().host.problemsThatWent(twin)).toEqual([]);
  await session().window.screenshot('twin');
});

test('Measure This Machine says how long a config takes, and so does its lens from then on', async () => {
  await session().host.open(file('smoe'));
  await eventually('the lens that offers it', async () =>
    (await session().window.codeLensTexts()).some((lens) => lens.includes('Measure This Machine')),
  );
  await session().window.runCommand('MoE Lab: Measure This Machine');
  const told = await session().window.waitForNotification(/tokens\/s on this machine/, 120);
  expect(told).toMatch(/smoe trains [\d,]+ tokens\/s on this machine \(cpu\): 51,200,000 tokens in about /);
  await eventually('the time in the lens', async () =>
    (await session().window.codeLensTexts()).some((lens) => /tokens in about /.test(lens)),
  );
  await session().window.screenshot('measured');
  await session().window.clearNotifications();
});

test('Scale to Budget opens a config and its baseline that fit, at parity', async () => {
  await session().host.open(file('two-matrices'));
  await session().window.runCommand('MoE Lab: Scale to Budget...');
  await inputBox().waitFor();
  await inputBox().fill('much');
  await session().window.page.getByText('A time such as 30m or 2h').waitFor();
  await inputBox().fill('1m');
  await session().window.page.getByText('A time such as 30m or 2h').waitFor({ state: 'hidden' });
  await session().window.screenshot('budget');
  await session().window.page.keyboard.press('Enter');
  const [subject, baseline] = [file('two-matrices-small'), file('smoe-small')];
  const text = await opened(subject, 90);
  expect(text).toContain('parity: smoe-small.moe.yaml');
  expect(text).toMatch(/What differs costs .+ MACs/);
  expect(await opened(baseline)).toContain('extends: smoe.moe.yaml');
  await eventually('the lens of the small config', async () =>
    (await session().window.codeLensTexts()).some((lens) => lens.includes('vs smoe-small.moe.yaml')),
  );
  await session().window.waitForNoSquiggle('error');
  // One names the other, whichever is there first.
  for (const made of [subject, baseline]) expect(await session().host.problemsThatWent(made)).toEqual([]);
  await session().window.screenshot('scaled');
});
