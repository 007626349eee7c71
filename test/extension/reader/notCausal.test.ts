import { afterEach, expect, it } from 'vitest';
import { RunWatch } from '../../../src/extension/reader/runWatch';
import { thisHost } from '../../../src/runs/liveness';
import { readDescription } from '../../../src/runs/readRun';
import { writeDescription } from '../../../src/runs/runWriter';
import { WrittenRun } from './writtenRun';

const runs: WrittenRun[] = [];
afterEach(() => runs.splice(0).forEach((run) => run.close()));

const moe = { kind: 'smoe', experts: 4, top_k: 1, expert_width: 8 };
const model = { d_model: 8, layers: 2, context: 4, attention: { heads: 2 }, ffn: { width: 8 } };

it.each([
  ['a causal model', { model: { ...model, moe } }, 0],
  ['expert choice', { model: { ...model, moe: { ...moe, router: { select: 'expert_choice', balance: 'none' } } } }, 1],
  ['an encoder', { model: { ...model, vocabulary: 257, objective: 'masked' } }, 1],
  [
    'an encoder of keys that have moved',
    { model: { ...model, vocabulary: 257, objective: 'masked', moe: { ...moe, balance_weight: 0.01 } } },
    1,
  ],
  ['a config of another version', { model: { ...model, objective: 'masked', mixer: {} } }, 0],
])('the dashboard is told why %s is not causal, or nothing', async (_, experiment, reasons) => {
  const run = new WrittenRun();
  runs.push(run);
  const description = await readDescription(run.directory);
  if (!description) throw new Error('unreachable');
  writeDescription(run.directory, { ...description, experiment });
  const watch = new RunWatch(run.directory, thisHost());
  await watch.poll();
  const { notCausal } = watch.summary(Date.now());
  expect(notCausal).toHaveLength(reasons);
  for (const reason of notCausal) expect(reason).toMatch(/^Not causal: .*\.$/);
});
