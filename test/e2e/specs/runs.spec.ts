import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { isAlive } from '../harness/processes';
import { expectContiguous, type RunOnDisk, runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

const session = useSession({
  name: 'runs',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    writeFileIn(workspace, 'one.moe.yaml', tinyConfig({ name: 'One', steps: 40, every: 20 }));
    writeFileIn(workspace, 'two.moe.yaml', tinyConfig({ name: 'Two', steps: 60, every: 20 }));
    writeFileIn(workspace, 'long.moe.yaml', tinyConfig({ name: 'Long', steps: 500_000, every: 1000, checkpointEvery: 100_000 }));
  },
});
const file = (name: string): string => join(session().workspace, name);
const dashboard = (): Dashboard => new Dashboard(session().window);

function run(name: string): RunOnDisk | undefined {
  return runsIn(session().workspace).find(({ description }) => description.name === name);
}

async function runUntil(name: string, state: string): Promise<RunOnDisk> {
  return eventually(`${name} to be ${state}`, () => {
    const found = run(name);
    return found?.status.state === state && found;
  });
}

test('a run trains to its end and is shown as finished', async () => {
  await session().window.openSideBar('MoE Lab');
  await session().host.open(file('one.moe.yaml'));
  await session().window.runCommand('MoE Lab: Start Run');
  const one = await runUntil('One', 'finished');
  expect(one.trainedSteps).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  const losses = one.metrics.flatMap(({ train }) => (train ? [Number(train.crossEntropy)] : []));
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) - 0.5);
  await eventually('the sidebar to say so', async () =>
    (await session().window.runRowTexts()).some((text) => /One.*step 40\/40.*ppl/.test(text)),
  );
  await eventually('its whole curve', async () => (await dashboard().lastStep('One')) === 40);
});

test('starting a run saves a dirty file first, and trains what was typed', async () => {
  await session().host.open(file('two.moe.yaml'));
  expect(await session().host.edit(file('two.moe.yaml'), 'steps: 60', 'steps: 50')).toBe(true);
  await session().window.runCommand('MoE Lab: Start Run');
  const two = await runUntil('Two', 'finished');
  expect(await session().host.isDirty(file('two.moe.yaml'))).toBe(false);
  expect(readFileSync(file('two.moe.yaml'), 'utf8')).toContain('steps: 50');
  expect(two.description.configSource).toContain('steps: 50');
  expect(two.status.step).toBe(50);
});

test('the checkboxes of the sidebar choose which runs the chart shows', async () => {
  await eventually('both curves', async () => {
    const shown = await dashboard().runNames();
    return shown.includes('One') && shown.includes('Two');
  });
  await session().window.screenshot('two-runs');
  const checkbox = session()
    .window.runRows.filter({ hasText: 'One' })
    .first()
    .locator('.monaco-custom-toggle, .custom-view-tree-node-item-checkbox')
    .first();
  await checkbox.click();
  await eventually('only Two', async () => JSON.stringify(await dashboard().runNames()) === JSON.stringify(['Two']));
  await checkbox.click();
  await eventually('both again', async () => (await dashboard().runNames()).length === 2);
});

test('the choice survives a reload', async () => {
  const checkbox = session()
    .window.runRows.filter({ hasText: 'Two' })
    .first()
    .locator('.monaco-custom-toggle, .custom-view-tree-node-item-checkbox')
    .first();
  await checkbox.click();
  await eventually('only One', async () => JSON.stringify(await dashboard().runNames()) === JSON.stringify(['One']));
  await session().reloadWindow();
  await eventually('only One after the reload', async () => JSON.stringify(await dashboard().runNames()) === JSON.stringify(['One']));
});

test('a stopped run is resumed where it was, without a gap', async () => {
  await session().host.open(file('long.moe.yaml'));
  await session().window.runCommand('MoE Lab: Start Run');
  await eventually('some steps', () => (run('Long')?.trainedSteps.length ?? 0) > 20);
  await session().host.execute('moeLab.stopRun', { directory: run('Long')?.directory });
  const stopped = await runUntil('Long', 'stopped');
  const { step, pid } = stopped.status;
  await eventually('the worker to be gone', () => !isAlive(pid));
  await session().host.execute('moeLab.resumeRun', { directory: stopped.directory });
  await eventually('more steps', () => stopped.status.state === 'running' && stopped.status.step > step + 10);
  expect(stopped.status.pid).not.toBe(pid);
  expectContiguous(stopped.trainedSteps);
});

test('a worker that is killed is shown as lost, and its run can be resumed', async () => {
  const long = run('Long');
  if (!long) throw new Error('There is no run Long.');
  const { pid } = long.status;
  process.kill(pid, 'SIGKILL');
  await session().window.openSideBar('MoE Lab');
  await eventually('the sidebar to say lost', async () => (await session().window.runRowTexts()).some((text) => /Long.*lost/.test(text)));
  await session().host.execute('moeLab.resumeRun', { directory: long.directory });
  await eventually('it trains again', () => long.status.state === 'running' && long.status.pid !== pid && isAlive(long.status.pid));
  await session().host.execute('moeLab.stopRun', { directory: long.directory });
  await runUntil('Long', 'stopped');
  expectContiguous(long.trainedSteps);
});

test('deleting a run asks first, then removes its folder', async () => {
  const one = run('One');
  if (!one) throw new Error('There is no run One.');
  const deletion = session().host.execute('moeLab.deleteRun', { directory: one.directory });
  await session().window.dialog.waitFor();
  expect(existsSync(one.directory)).toBe(true);
  await session().window.pressDialogButton('Delete');
  await deletion;
  await eventually('the folder to be gone', () => !existsSync(one.directory));
  await eventually('the row to be gone', async () => !(await session().window.runRowTexts()).some((text) => text.includes('One')));
});
