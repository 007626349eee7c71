import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../runs/fixtures';
import { createTinyRun } from '../worker/experiments';
import { runCli } from './runCli';

const models = join(import.meta.dirname, '../fixtures/tables-1-and-2');

describe('moe-lab compare', () => {
  it('prints the keys and costs that differ, and both axes', async () => {
    const { code, stdout, stderr } = await runCli(models, 'compare', 'smoe.moe.yaml', 'mh-moe-2.moe.yaml');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatchSnapshot();
  });

  it('as other programs read it', async () => {
    const { stdout } = await runCli(models, 'compare', 'smoe.moe.yaml', 'mh-moe-2.moe.yaml', '--json');
    const { keys, costs, parity, ...rest } = JSON.parse(stdout) as {
      keys: { key: string }[];
      costs: { figure: string; residual: number | null }[];
      parity: { scope: string; compared: Record<string, number> };
    };
    expect(rest).toEqual({
      schemaVersion: 1,
      identical: false,
      one: { argument: 'smoe.moe.yaml', name: 'smoe.moe.yaml' },
      other: { argument: 'mh-moe-2.moe.yaml', name: 'mh-moe-2.moe.yaml' },
    });
    expect(keys).toContainEqual({ key: 'model.moe.kind', one: 'smoe', other: 'mh-moe' });
    // What is equal is not there.
    expect(keys.map(({ key }) => key)).not.toContain('model.d_model');
    expect(costs.map(({ figure }) => figure)).not.toContain('MACs of attention');
    expect(parity).toMatchObject({ scope: 'layers', compared: { macs: 0 } });
    expect(parity.compared['parameters']).toBeCloseTo(-0.03125, 12);
  });

  it('says of a config and another name for it that they are the same', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'copy.moe.yaml'), `name: Another\nextends: ${join(models, 'smoe.moe.yaml')}\n`);
    const same = await runCli(folder, 'compare', 'copy.moe.yaml', join(models, 'smoe.moe.yaml'));
    expect(same).toMatchObject({
      code: 0,
      stdout: 'copy.moe.yaml and smoe.moe.yaml are the same experiment: every key has the same value.\n',
    });
    const json = await runCli(folder, 'compare', 'copy.moe.yaml', join(models, 'smoe.moe.yaml'), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ identical: true, keys: [], costs: [] });
  });

  it('takes runs, by what they train', async () => {
    const folder = temporaryFolder();
    const { run } = await createTinyRun(folder, { learningRate: 1e-3 });
    writeFileSync(join(folder, 'other.moe.yaml'), 'extends: tiny.moe.yaml\ntrain: { learning_rate: 2.0e-3 }\n');
    const { stdout } = await runCli(folder, 'compare', run, 'other.moe.yaml', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ keys: [{ key: 'train.learning_rate', one: 0.001, other: 0.002 }], costs: [] });
    const text = await runCli(folder, 'compare', run, 'other.moe.yaml');
    expect(text.stdout).toMatch(/^key +Tiny MH-MoE +other\.moe\.yaml\ntrain\.learning_rate +0\.001 +0\.002\n\nThey cost the same/);
    // The config has changed since: the run has not.
    writeFileSync(join(folder, 'tiny.moe.yaml'), 'model: 3\n');
    expect(await runCli(folder, 'compare', run, run, '--json')).toMatchObject({ code: 0 });
  });

  it('prints the findings of a config with errors, and names what is not there', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'bad.moe.yaml'), 'model: 3\n');
    const bad = await runCli(folder, 'compare', 'bad.moe.yaml', join(models, 'smoe.moe.yaml'));
    expect(bad).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^bad\.moe\.yaml:1:8: error invalid-value/) });
    expect(await runCli(folder, 'compare', 'bad.moe.yaml')).toMatchObject({ code: 2 });
    const missing = await runCli(folder, 'compare', 'gone.moe.yaml', join(models, 'smoe.moe.yaml'));
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('missing-file') });
    expect(await runCli(folder, 'compare', 'no-such-run', join(models, 'smoe.moe.yaml'))).toMatchObject({ code: 2 });
  });
});
