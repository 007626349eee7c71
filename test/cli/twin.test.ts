import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { createRun } from '../../src/worker/createRun';
import { loadExperiment } from '../../src/worker/loadExperiment';
import { RunWriter } from '../../src/runs/runWriter';
import { temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

const smoe = '{ kind: smoe, experts: 8, top_k: 2, expert_width: 64';
const config = (router: string, name = 'Dynamic', moe = smoe, model = '') => `name: ${name}
model:
  d_model: 64
  layers: 2
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }${model}
  moe: ${moe}, router: ${router} }
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
async function varyingRun(folder: string, { file = 'dynamic.moe.yaml', meanK = 3.3 } = {}): Promise<string> {
  const loaded = loadExperiment({ configFile: join(folder, file), readText: readTextFromDisk, overrides: { steps: 10 } });
  const { run, description } = await createRun(loaded, [], join(folder, 'runs'), []);
  const writer = new RunWriter(run, description);
  for (let step = 1; step <= 10; step++) {
    const train = { loss: 1, crossEntropy: 1, meanK: step < 10 ? 1 : meanK, kShares: [0, 0, 0.7, 0.3] };
    writer.metrics({ step, time: step, tokens: step, train });
  }
  writer.close();
  return run;
}

const moeOf = (file: string) => loadConfig(file, readTextFromDisk).experiment?.model.moe;
/** MACs per token of one expert in the routed layer. */
const perExpert = 3 * 64 * 64;
const perSubTokenChoice = 2 * 32 * 48;
/** Of two layers every second. */
const routedLayers = 1;

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
    writeFileSync(join(folder, 'one.moe.yaml'), config('{}', 'One').replace('top_k: 2', 'top_k: 1'));
    expect((await runCli(folder, 'twin', 'one.moe.yaml')).stderr).toContain('One gives every unit 1 expert already');
    expect((await runCli(folder, 'twin', 'wrong.moe.yaml')).stderr).toMatch(/cannot be read: .*dynamc/);
    expect((await runCli(folder, 'twin', 'nobody')).code).toBe(2);
  });
});

describe('a twin that is a poor control', () => {
  interface Twin {
    readonly k: number;
    readonly cautions: readonly string[];
    readonly difference: number;
    readonly yaml: string;
  }
  async function twinOf(text: string, meanK?: number): Promise<Twin> {
    const folder = folderWith({ 'dynamic.moe.yaml': text });
    const subject = meanK === undefined ? 'dynamic.moe.yaml' : await varyingRun(folder, { meanK });
    return JSON.parse((await runCli(folder, 'twin', subject, '--json')).stdout) as Twin;
  }

  it('says so of a single weight that is scaled to 1', async () => {
    const { k, cautions } = await twinOf(config(dynamic), 1.2);
    expect([k, cautions]).toEqual([
      1,
      [expect.stringMatching(/^with k = 1 and `renormalize: true` its only weight is always 1, .*`top_k: 2`/)],
    ]);
    expect((await twinOf(config(dynamic), 1.6)).cautions).toEqual([]);
    expect((await twinOf(config(dynamic.replace('renormalize: true', 'renormalize: false')), 1.2)).cautions).toEqual([]);
  });

  it('says so where only its subject sees later tokens, in the config and on the terminal', async () => {
    const text = config('{ select: dynamic, k_min: 1, k_max: 4, budget: true }');
    const { cautions, yaml } = await twinOf(text);
    const said =
      'Its subject is not causal, by `budget`, and the other one is, so their perplexities are not comparable; remove `budget` in both models.';
    expect(cautions).toEqual([said]);
    expect(yaml.replaceAll('\n# ', ' ')).toContain(`A poor control: ${said}\n`);
    const folder = folderWith({ 'dynamic.moe.yaml': text });
    const { stdout } = await runCli(folder, 'twin', 'dynamic.moe.yaml', '--out', 'twin.moe.yaml');
    expect(stdout).toMatch(/as many as at that mean\.\nA poor control: Its subject is not causal/);
    // Both see both sides by themselves.
    expect(
      (await twinOf(config('{ select: dynamic, budget: true }', 'Masked', smoe, '\n  objective: masked\n  vocabulary: 257'))).cautions,
    ).toEqual([]);
  });

  it('says so where only the twin does: fewer experts each can displace one another', async () => {
    const drops =
      '{ select: top_p, entropy_weight: 0.01, capacity_factor: 2, capacity_in_evaluation: true, capacity_priority: first_choice }';
    const four = smoe.replace('top_k: 2', 'top_k: 4');
    expect((await twinOf(config(drops, 'Drops', four))).cautions).toEqual([]);
    expect((await twinOf(config(drops, 'Drops', four), 2)).cautions).toEqual([
      expect.stringMatching(/^The twin is not causal, by `capacity_in_evaluation`, and the other one is/),
    ]);
  });

  it('does not say that top_k is the mean where every unit takes all', async () => {
    const { k, yaml, difference } = await twinOf(config('{ select: top_p, top_p: 1, k_max: 5, entropy_weight: 0.01 }'));
    expect([k, difference]).toEqual([5, 0]);
    expect(yaml.replaceAll('\n# ', ' ')).toContain(
      'with 5 experts for every unit, where that takes 5 too, as many as it may, because only all experts reach `top_p: 1`.',
    );
  });
});

describe('the twin of a model without its head layer', () => {
  // Of two matrices: each expert is 64 / (2 * 2) = 16 wider.
  const isoMac = '{ kind: mh-moe, heads: 2, head_layer: false, ablation: iso_mac, experts: 8, top_k: 2, expert_width: 32';
  const text = config('{ select: top_p, entropy_weight: 0.01 }', 'Ablation', isoMac).replace(
    '{ width: 128 }',
    '{ width: 128, activation: relu }',
  );

  it.each([
    ['extends it', text],
    ['stands alone', undefined],
  ])('has the very same experts where it %s', async (_, now) => {
    const folder = folderWith({ 'dynamic.moe.yaml': text });
    const run = await varyingRun(folder, { meanK: 6.4 });
    if (now === undefined) rmSync(join(folder, 'dynamic.moe.yaml'));
    const file = join(folder, 'twin.moe.yaml');
    const { code, stdout } = await runCli(folder, 'twin', run, '--out', file);
    expect(code).toBe(0);
    // 8 experts of 2 * 32 * 32 parameters and the 64 * 64 of the head layer are 6.67 of 2 * 32 * 48.
    expect(moeOf(file)).toMatchObject({ top_k: 6, experts: 7, expert_width: 48, ablation: 'remove_only', head_layer: false });
    expect(readFileSync(file, 'utf8').replaceAll('\n# ', ' ')).toContain(
      'Its 7 experts of width 48 are those that `ablation: iso_mac` gives',
    );
    // 0.4 choices of each of 2 sub-tokens fewer.
    const [, , twin, mean] = /: k = 6, ((\S+) MACs per token, \S+ % fewer than the (\S+) at)/.exec(stdout) ?? [];
    const number = (text = ''): number => Number(text.replaceAll(',', ''));
    expect(number(mean) - number(twin)).toBeCloseTo(perSubTokenChoice * 2 * 0.4 * routedLayers, -1);
  });

  it('takes no more of them than there are', async () => {
    const folder = folderWith({ 'dynamic.moe.yaml': text.replace('entropy_weight: 0.01', 'entropy_weight: 0.01, top_p: 1') });
    expect(JSON.parse((await runCli(folder, 'twin', 'dynamic.moe.yaml', '--json')).stdout)).toMatchObject({ k: 7 });
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

describe('the twin of a config in another family', () => {
  const fixed = config('{}', 'Fixed')
    .replace('d_model: 64', 'd_model: 96')
    .replace('expert_width: 64', 'expert_width: 256')
    .replace('top_k: 2', 'top_k: 1');

  it('is written beside it, with what it costs, and can be counted against it', async () => {
    const folder = folderWith({ 'smoe.moe.yaml': fixed });
    const { code, stdout, stderr } = await runCli(folder, 'twin', 'smoe.moe.yaml', '--family', 'mh-moe', '--out', 'mh.moe.yaml');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /mh\.moe\.yaml: MACs 0\.00 % \(\+4\.\d\d % with router\), parameters [+−]\d\.\d\d % \([+−]\d\.\d\d % with router\) against smoe\.moe\.yaml, of the feed-forward layers that differ\n$/,
    );
    expect(moeOf(join(folder, 'mh.moe.yaml'))).toMatchObject({ kind: 'mh-moe', heads: 2, top_k: 2, expert_width: 96 });
    const counted = await runCli(folder, 'count', 'mh.moe.yaml', '--json');
    const twin = await runCli(folder, 'twin', 'smoe.moe.yaml', '--family', 'mh-moe', '--json');
    const { parity } = (JSON.parse(counted.stdout) as { models: [{ parity: unknown }] }).models[0];
    expect(JSON.parse(twin.stdout)).toMatchObject({ schemaVersion: 1, file: null, family: 'mh-moe', parity });
  });

  it.each([
    [['--family', 'moe'], 2, 'There is no family moe; use one of smoe, fine-grained, mh-moe.'],
    [['--family', 'smoe', '--heads', '2'], 2, '--heads is for --family mh-moe.'],
    [['--heads', '2'], 2, '--heads is for --family mh-moe.'],
    [['--family', 'mh-moe', '--heads', 'two'], 2, '--heads takes a whole number from 2, not two.'],
    [['--family', 'mh-moe', '--heads', '5'], 1, 'A token of width 96 cannot be split into 5 sub-tokens.'],
    [['--family', 'smoe'], 1, 'Fixed is of that family already.'],
  ])('%j ends with %i and one sentence', async (args, expected, sentence) => {
    const { code, stdout, stderr } = await runCli(folderWith({ 'smoe.moe.yaml': fixed }), 'twin', 'smoe.moe.yaml', ...args);
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toContain(`moe-lab: ${sentence}`);
  });

  it('goes to another number of heads', async () => {
    const folder = folderWith({ 'smoe.moe.yaml': fixed });
    expect((await runCli(folder, 'twin', 'smoe.moe.yaml', '--family', 'mh-moe', '--heads', '3', '--out', 'mh3.moe.yaml')).code).toBe(0);
    expect(moeOf(join(folder, 'mh3.moe.yaml'))).toMatchObject({ heads: 3, top_k: 3, expert_width: 64 });
  });
});
