import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { createRun, loadExperiment } from '../../src/worker/createRun';
import { RunWriter } from '../../src/runs/runWriter';
import { temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

const config = (router: string, name = 'Dynamic') => `name: ${name}
model:
  d_model: 64
  layers: 2
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 64, router: ${router} }
train: { steps: 1000, batch_tokens: 64, micro_batch: 2 }
data: { train: [corpus/a.txt], validation: { text: [corpus/b.txt] } }
`;
const dynamic = '{ select: dynamic, k_min: 1, k_max: 5, importance: entropy, renormalize: true }';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** A run whose units took 3.3 experts on average at the end. */
async function varyingRun(folder: string, file = 'dynamic.moe.yaml'): Promise<string> {
  const loaded = loadExperiment({ configFile: join(folder, file), readText: readTextFromDisk, overrides: { steps: 10 } });
  const { run, description } = await createRun(loaded, [], join(folder, 'runs'), []);
  const writer = new RunWriter(run, description);
  for (let step = 1; step <= 10; step++) {
    const train = { loss: 1, crossEntropy: 1, meanK: step < 10 ? 1 : 3.3, kShares: [0, 0, 0.7, 0.3] };
    writer.metrics({ step, time: step, tokens: step, train });
  }
  writer.close();
  return run;
}

const moeOf = (file: string) => loadConfig(file, readTextFromDisk).experiment?.model.moe;
/** MACs per token of one expert in the routed layer. */
const perExpert = 3 * 64 * 64;

describe('the twin of a config', () => {
  it('extends it, with as many experts as it says for every unit, and nothing that only a varying K needs', async () => {
    const folder = folderWith({ 'dynamic.moe.yaml': config(dynamic) });
    const { code, stdout, stderr } = await runCli(folder, 'twin', 'dynamic.moe.yaml', '--out', 'twin.moe.yaml');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/twin\.moe\.yaml: k = 2, [\d,]+ MACs per token, as many as at that mean\.$/m);
    const loaded = loadConfig(join(folder, 'twin.moe.yaml'), readTextFromDisk);
    expect(loaded.findings).toEqual([]);
    expect(loaded.experiment).toMatchObject({ name: 'Dynamic, k = 2', train: { steps: 1000 } });
    expect(loaded.experiment?.model.moe).toMatchObject({ top_k: 2, router: { select: 'top_k', renormalize: true } });
    const text = readFileSync(join(folder, 'twin.moe.yaml'), 'utf8');
    expect(text).toContain('extends: dynamic.moe.yaml');
    expect(text.replaceAll('\n# ', ' ')).toMatch(
      /^# Twin of Dynamic with 2 experts for every unit, where that is meant to take 2\.00 on average, its top_k\./,
    );
  });

  it('never overwrites', async () => {
    const folder = folderWith({ 'dynamic.moe.yaml': config(dynamic), 'mine.moe.yaml': 'mine' });
    const { code, stderr } = await runCli(folder, 'twin', 'dynamic.moe.yaml', '--out', 'mine.moe.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain('is there already');
    expect(readFileSync(join(folder, 'mine.moe.yaml'), 'utf8')).toBe('mine');
  });

  it('goes to another folder with its paths right, and takes keys away that a base of its base states', async () => {
    const folder = folderWith({
      'base.moe.yaml': config('{ select: top_p, top_p: 0.6, entropy_weight: 0.01 }'),
      'top-p.moe.yaml': 'extends: base.moe.yaml\n',
    });
    mkdirSync(join(folder, 'twins'));
    expect((await runCli(folder, 'twin', 'top-p.moe.yaml', '--out', 'twins/a.moe.yaml')).code).toBe(0);
    const { experiment, findings } = loadConfig(join(folder, 'twins', 'a.moe.yaml'), readTextFromDisk);
    expect(findings).toEqual([]);
    expect(experiment?.model.moe?.router).toMatchObject({ select: 'top_k', entropy_weight: 0 });
    expect(experiment?.data?.train).toEqual(['../corpus/a.txt']);
    expect(experiment?.name).toBe('top-p, k = 2');
  });

  it('is none where every unit takes k already, or the config has errors', async () => {
    const folder = folderWith({ 'fixed.moe.yaml': config('{}', 'Fixed'), 'wrong.moe.yaml': config('{ select: dynamc }') });
    const fixed = await runCli(folder, 'twin', 'fixed.moe.yaml');
    expect([fixed.code, fixed.stdout]).toEqual([1, '']);
    expect(fixed.stderr).toMatch(
      /Fixed gives every unit 2 experts already \(select: top_k\)\.\n {2}A twin is for models with select: dynamic or top_p\./,
    );
    expect((await runCli(folder, 'twin', 'wrong.moe.yaml')).stderr).toMatch(/cannot be read: .*dynamc/);
    expect((await runCli(folder, 'twin', 'nobody')).code).toBe(2);
  });
});

describe('the twin of a run', () => {
  it('has the nearest whole number of experts to the mean that was measured, and says what it costs beside that', async () => {
    const folder = folderWith({ 'dynamic.moe.yaml': config(dynamic) });
    const run = await varyingRun(folder);
    const { code, stdout } = await runCli(folder, 'twin', run, '--json');
    expect(code).toBe(0);
    const twin = JSON.parse(stdout) as {
      k: number;
      meanK: number;
      macsPerToken: number;
      macsAtMeanK: number;
      difference: number;
      yaml: string;
    };
    expect(twin).toMatchObject({ schemaVersion: 1, file: null, k: 3, meanK: 3.3 });
    expect(twin.macsAtMeanK - twin.macsPerToken).toBeCloseTo(0.3 * perExpert, 6);
    expect(twin.difference).toBeCloseTo(twin.macsPerToken / twin.macsAtMeanK - 1, 12);
    // The run had fewer steps from the command line; the config still says what it is.
    expect(twin.yaml.replaceAll('\n# ', ' ')).toMatch(
      /^# Twin of Dynamic with 3 experts for every unit, where that takes 3\.30 on average \(measured in \d{8}-\d{6}-dynamic-[a-z]{4}, /,
    );
    expect(twin.yaml).toContain('extends: dynamic.moe.yaml\nname: Dynamic, k = 3\n');
  });

  it.each([
    ['is gone', undefined],
    ['has changed since', config(dynamic).replace('d_model: 64', 'd_model: 128')],
  ])('stands alone where its config %s', async (_, now) => {
    const folder = folderWith({ 'dynamic.moe.yaml': config(dynamic) });
    const run = await varyingRun(folder);
    if (now === undefined) rmSync(join(folder, 'dynamic.moe.yaml'));
    else writeFileSync(join(folder, 'dynamic.moe.yaml'), now);
    mkdirSync(join(folder, 'twins'));
    const file = join(folder, 'twins', 'b.moe.yaml');
    expect((await runCli(folder, 'twin', run, '--out', file)).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain('extends');
    const { experiment, findings } = loadConfig(file, readTextFromDisk);
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(experiment?.model.d_model).toBe(64);
    expect(moeOf(file)).toMatchObject({ top_k: 3, router: { select: 'top_k', renormalize: true } });
    expect(experiment?.data?.train).toEqual(['../corpus/a.txt']);
    expect(experiment?.train?.steps).toBe(10);
  });
});
