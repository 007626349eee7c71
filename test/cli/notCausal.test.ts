import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDescription } from '../../src/runs/format';
import { RunWriter, writeDescription, writeStatus } from '../../src/runs/runWriter';
import { createRunDirectory } from '../../src/runs/runDirectory';
import { aDescription, aLine, anExperiment, aStatus, noon, temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

const { model } = anExperiment;
const withRouter = (router: object) => ({ ...anExperiment, model: { ...model, moe: { ...model.moe, top_k: 2, router } } });

/** The runs of a folder, one for each experiment, under its name; newest last. */
function aRunsFolder(experiments: Readonly<Record<string, unknown>>): string {
  const folder = temporaryFolder();
  const runsDirectory = join(folder, '.moe-lab', 'runs');
  Object.entries(experiments).forEach(([name, experiment], index) => {
    const now = new Date(noon + 1000 * index);
    const { id, directory } = createRunDirectory({ runsDirectory, name, now });
    const description: RunDescription = aDescription({ id, name, experiment, createdAt: now.toISOString() });
    writeDescription(directory, description);
    writeStatus(directory, aStatus({ state: 'finished', step: 100 }));
    const writer = new RunWriter(directory, description);
    writer.metrics({ ...aLine(100, 2), validation: { prose: { loss: 2, perplexity: Math.exp(2) } } });
    writer.close();
  });
  return folder;
}

const oldChoice = { ...model.moe, renormalize: false, balance_weight: 0.01 };
const folder = () =>
  aRunsFolder({
    Plain: anExperiment,
    Choice: withRouter({ select: 'expert_choice', balance: 'none' }),
    Capacity: withRouter({ capacity_factor: 1, capacity_in_evaluation: true }),
    Encoder: { ...anExperiment, model: { ...model, vocabulary: 257, objective: 'masked', moe: oldChoice } },
    Foreign: { ...anExperiment, model: { ...model, mixer: {} } },
  });

const path = (key: string) => ['model', 'moe', 'router', key];
const told = [
  { name: 'Plain', causal: true, notCausal: [] },
  { name: 'Choice', causal: false, notCausal: [{ path: path('select'), reason: expect.stringMatching(/^Not causal: with `select: /) }] },
  {
    name: 'Capacity',
    causal: false,
    notCausal: [{ path: path('capacity_in_evaluation'), reason: expect.stringMatching(/^Not causal: /) }],
  },
  { name: 'Encoder', causal: false, notCausal: [{ path: ['model', 'objective'], reason: expect.stringMatching(/^Not causal: /) }] },
  { name: 'Foreign', causal: null, notCausal: [] },
];

describe('moe-lab runs', () => {
  it('marks the perplexity of what is not causal', async () => {
    const { stdout } = await runCli(folder(), 'runs');
    const rows = stdout.trimEnd().split('\n');
    expect(rows.map((row) => /7\.39 +7\.39 {2}(.*\S)? +20$/.exec(row)?.[1] ?? '')).toEqual([
      '',
      'causality unknown',
      'not causal',
      'not causal',
      'not causal',
      '',
    ]);
    expect((await runCli(aRunsFolder({ Plain: anExperiment }), 'runs')).stdout.split('\n')[0]).toMatch(/ {2}validation {2}tokens\/s$/);
  });

  it('says so in JSON, with the key and the reason', async () => {
    const { stdout } = await runCli(folder(), 'runs', '--json');
    expect((JSON.parse(stdout) as { runs: unknown[] }).runs.toReversed()).toMatchObject(told);
  });
});

describe('moe-lab show', () => {
  it('marks the name of what is not causal, with the reason below the table', async () => {
    const at = folder();
    const { runs } = JSON.parse((await runCli(at, 'runs', '--json')).stdout) as { runs: { id: string }[] };
    const { stdout } = await runCli(at, 'show', ...runs.map(({ id }) => id).toReversed());
    const [heading, below] = [stdout.split('\n')[0], stdout.split('\n\n').at(-1)];
    expect(heading).toMatch(
      /^ +Plain {2}Choice \(not causal\) {2}Capacity \(not causal\) {2}Encoder \(not causal\) {2}Foreign \(causality unknown\)$/,
    );
    expect(below).toMatch(
      /^Choice: Not causal: .*\nCapacity: Not causal: .*\nEncoder: Not causal: .*\nForeign: Whether it is causal is unknown: .*\nMACs are /,
    );
    const alone = await runCli(at, 'show', runs.at(-1)?.id ?? '');
    expect(alone.stdout).not.toContain('ausal');
  });

  it('says so in JSON, with the key and the reason', async () => {
    const at = folder();
    const { runs } = JSON.parse((await runCli(at, 'runs', '--json')).stdout) as { runs: { id: string }[] };
    const { stdout } = await runCli(at, 'show', ...runs.map(({ id }) => id).toReversed(), '--json');
    expect((JSON.parse(stdout) as { runs: unknown[] }).runs).toMatchObject(
      told.map(({ name, causal, notCausal }) => ({ description: { name }, causal, notCausal })),
    );
  });
});
