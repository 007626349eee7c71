import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MetricsLine } from '../../src/runs/format';
import { createRunDirectory } from '../../src/runs/runDirectory';
import { RunWriter, writeDescription, writeStatus } from '../../src/runs/runWriter';
import { aDescription, aLine, aStatus, noon, temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

/** A folder with a run of these lines, and a calm one that is newer. */
function aFolder(lines: readonly MetricsLine[]): { readonly folder: string; readonly id: string } {
  const folder = temporaryFolder();
  const [id = ''] = [lines, [aLine(120)]].map((own, index) => {
    const now = new Date(noon + 1000 * index);
    const created = createRunDirectory({ runsDirectory: join(folder, '.moe-lab', 'runs'), name: `run ${index}`, now });
    const description = aDescription({ id: created.id, name: `run ${index}`, createdAt: now.toISOString() });
    writeDescription(created.directory, description);
    writeStatus(created.directory, aStatus({ state: 'finished', step: 120 }));
    const writer = new RunWriter(created.directory, description);
    for (const line of own) writer.metrics(line);
    writer.close();
    return created.id;
  });
  return { folder, id };
}

const idleExperts = { layer: 'layers.3.moe', experts: 8, idle: 7, steps: 20 };
const collapsed: MetricsLine = { ...aLine(120), train: { loss: 1, crossEntropy: 1, idleExperts } };
const message = '7 of the 8 experts of layer 3 got less than a tenth of an even share, over 20 steps up to step 120.';
const alarms = [{ name: 'collapsed-experts', message, figure: 7 / 8 }];

describe('what goes wrong in a run', () => {
  it('stands in the list of runs, in a column that is there only then', async () => {
    const { folder } = aFolder([collapsed]);
    const [heading, calm, alarmed] = (await runCli(folder, 'runs')).stdout.split('\n');
    expect(heading).toMatch(/tokens\/s {2}alarms$/);
    expect(calm?.trimEnd()).toMatch(/ 20$/);
    expect(alarmed).toMatch(/ 20 {2}experts collapsed$/);
    const { runs } = JSON.parse((await runCli(folder, 'runs', '--json')).stdout) as { runs: unknown[] };
    expect(runs).toMatchObject([{ alarms: [] }, { alarms }]);
    expect((await runCli(aFolder([aLine(120)]).folder, 'runs')).stdout).not.toContain('alarms');
  });

  it('is said of one run in full', async () => {
    const { folder, id } = aFolder([collapsed]);
    expect((await runCli(folder, 'show', id)).stdout).toContain(`\nalarm    ${message}\n`);
    const { runs } = JSON.parse((await runCli(folder, 'show', id, '--json')).stdout) as { runs: unknown[] };
    expect(runs).toMatchObject([{ alarms }]);
  });

  it('keeps a figure that is not finite in JSON, as a string', async () => {
    const lines = Array.from({ length: 40 }, (_, index): MetricsLine => {
      const step = index + 1;
      return { ...aLine(step), gradientNorm: step === 40 ? 'Infinity' : 1 };
    });
    const { folder, id } = aFolder(lines);
    for (const command of [['runs'], ['show', id]]) {
      const { runs } = JSON.parse((await runCli(folder, ...command, '--json')).stdout) as { runs: unknown[] };
      expect(runs.at(-1)).toMatchObject({ alarms: [{ name: 'gradient-norm', figure: 'Infinity' }] });
    }
  });
});
