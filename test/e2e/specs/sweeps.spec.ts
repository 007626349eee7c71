import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dashboard } from '../harness/dashboard';
import { eventually } from '../harness/eventually';
import { tinyConfig, writeFileIn, writeTinyCorpus } from '../harness/experiments';
import { isAlive } from '../harness/processes';
import { type RunOnDisk, runsIn } from '../harness/runs';
import { useSession } from '../harness/suite';

const session = useSession({
  name: 'sweeps',
  prepare(workspace) {
    writeTinyCorpus(workspace);
    // The first trains long enough to be seen training.
    const steps = 'sweep:\n  - { train.steps: 2000 }\n  - { train.steps: 30 }\n  - { train.steps: 31 }\n';
    writeFileIn(workspace, 'family.moe.yaml', `${tinyConfig({ name: 'Family', every: 1000, checkpointEvery: 100_000 })}${steps}`);
    const endless = tinyConfig({ name: 'Endless', steps: 500_000, every: 1000, checkpointEvery: 100_000 });
    writeFileIn(workspace, 'endless.moe.yaml', `${endless}sweep: { train.seed: [1, 2] }\n`);
  },
});
const file = (name: string): string => join(session().workspace, name);

function run(name: string): RunOnDisk | undefined {
  return runsIn(session().workspace).find(({ description }) => description.name === name);
}

function theFirst(): RunOnDisk {
  const first = run('Family, steps=2000');
  if (!first) throw new Error('The first member has not been started.');
  return first;
}

async function startAll(name: string): Promise<void> {
  await session().host.open(file(name));
  await session().window.runCommand('MoE Lab: Start Run');
  await eventually('the members', async () => (await session().window.quickPickLabels()).some((label) => label.startsWith('All ')));
  await session().window.pick((await session().window.quickPickLabels()).find((label) => label.startsWith('All ')) ?? '');
}

function rowSays(pattern: RegExp): Promise<unknown> {
  return eventually(`a row like ${pattern.source}`, async () => (await session().window.runRowTexts()).some((text) => pattern.test(text)));
}

test('the run that trains says how many wait behind it', async () => {
  await session().window.openSideBar('MoE Lab');
  await startAll('family.moe.yaml');
  await rowSays(/^Family, steps=2000 ?step .* then 2 more$/);
  // It stands still while the editor is closed, however long that takes: the next cannot have been started by the editor.
  process.kill(theFirst().status.pid, 'SIGSTOP');
  await session().window.screenshot('sweep-waiting');
});

test('without any editor the worker that ends starts the next', async () => {
  const host = session().host.pid;
  const { state, pid } = theFirst().status;
  expect(state).toBe('running');
  await session().endServer();
  await eventually('the extension host to be gone', () => !isAlive(host));
  expect(run('Family, steps=30')).toBeUndefined();
  process.kill(pid, 'SIGCONT');
  await eventually('the end of the last', () => run('Family, steps=31')?.status.state === 'finished', 200);
  expect(run('Family, steps=30')?.status).toMatchObject({ state: 'finished', step: 30 });
  expect(run('Family, steps=31')?.description.sweep).toMatchObject({ follows: run('Family, steps=30')?.description.id });
});

test('an editor that is opened then shows them all, in the chart too', async () => {
  await session().startServerAgain();
  await session().window.openSideBar('MoE Lab');
  for (const steps of [2000, 30, 31]) await rowSays(new RegExp(`^Family, steps=${steps} ?step ${steps}/${steps} `));
  await session().window.runCommand('MoE Lab: Open Dashboard');
  await eventually('the three in the chart', async () => (await new Dashboard(session().window).runNames()).length === 3);
});

test('stopping the run keeps what waits, resuming it goes on, stopping the sweep drops it', async () => {
  await startAll('endless.moe.yaml');
  const endless = await eventually('the first to train', () => {
    const found = run('Endless, seed=1');
    return found?.status.state === 'running' && found;
  });
  const { directory } = endless;
  await rowSays(/^Endless, seed=1 ?step .* then 1 more$/);
  await session().host.execute('moeLab.stopRun', { directory });
  await rowSays(/^Endless, seed=1 ?step .* stopped · 1 more waits$/);
  await session().host.execute('moeLab.resumeRun', { directory });
  await rowSays(/^Endless, seed=1 ?step .* then 1 more$/);
  await session().host.execute('moeLab.stopSweep', { directory });
  await rowSays(/^Endless, seed=1 ?step .* stopped$/);
  const { pid } = endless.status;
  await eventually('the worker to be gone', () => !isAlive(pid));
  expect(existsSync(join(directory, 'sweep.json'))).toBe(false);
  expect(run('Endless, seed=2')).toBeUndefined();
});
