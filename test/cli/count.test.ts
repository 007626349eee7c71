import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { published } from './publishedCount';
import { runCli } from './runCli';

const models = join(import.meta.dirname, '../fixtures/tables-1-and-2');

describe('moe-lab count', () => {
  it('prints a table', async () => {
    const { code, stdout } = await runCli(models, 'count', 'smoe.moe.yaml', 'mh-moe-2.moe.yaml');
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it('prints the layers too when asked', async () => {
    const { stdout } = await runCli(models, 'count', 'mh-moe-2.moe.yaml', '--layers');
    expect(stdout).toMatch(/^layers\.1\.moe +mh-moe +36,569,088 +4,718,592 +15,360 +30,720$/m);
  });

  it('prints the members of a sweep, each against the baseline', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'count-'));
    const base = join(models, 'mh-moe-2.moe.yaml');
    const parity = join(models, 'smoe.moe.yaml');
    writeFileSync(join(folder, 'family.moe.yaml'), `extends: ${base}\nparity: ${parity}\nsweep: { model.moe.experts: [40, 41] }\n`);
    const { code, stdout } = await runCli(folder, 'count', 'family.moe.yaml');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^family: members of its sweep, residuals of the part that differs against .*smoe\.moe\.yaml$/m);
    expect(stdout).toMatch(/^2 {2}experts=41 +[\d.]+ M +≤ [\d.]+ M +[\d.]+ M +0\.00 % +\+0\.54 % +−0\.78 % +−0\.76 %$/m);
    const [model] = published.parse(JSON.parse((await runCli(folder, 'count', 'family.moe.yaml', '--json')).stdout)).models;
    expect(model?.sweep?.members).toMatchObject([{ name: 'experts=40', parity: { macs: 0 } }, { name: 'experts=41' }]);
    rmSync(folder, { recursive: true });
  });

  describe('of configs that are wrong', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'count-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('prints each finding at its place and exits 1, but counts the others', async () => {
      writeFileSync(
        join(folder, 'bad.moe.yaml'),
        'model:\n  d_model: 64\n  layer: 2\n  context: -1\n  attention: { heads: 2 }\n  ffn: { width: 64 }\n',
      );
      const good = join(models, 'dense.moe.yaml');
      const { code, stdout, stderr } = await runCli(folder, 'count', 'bad.moe.yaml', good, '--json');
      expect(code).toBe(1);
      expect(stderr).toBe(
        'bad.moe.yaml:3:3: error unknown-key: Unknown key `model.layer`; did you mean `layers`?\n' +
          'bad.moe.yaml:4:12: error invalid-value: `model.context` is -1; it must be a whole number of at least 1 and at most 16,777,216.\n',
      );
      expect(published.parse(JSON.parse(stdout)).models.map(({ file }) => file)).toEqual([good]);
    });

    it('names a file that is not there', async () => {
      const { code, stdout, stderr } = await runCli(folder, 'count', 'nowhere.moe.yaml');
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^nowhere\.moe\.yaml:1:1: error missing-file: There is no readable file /);
    });

    it('takes a warning for no failure', async () => {
      writeFileSync(
        join(folder, 'a.moe.yaml'),
        'parity: gone.moe.yaml\nmodel: { d_model: 8, layers: 1, context: 4, attention: { heads: 1 }, ffn: { width: 8 } }\n',
      );
      const { code, stdout, stderr } = await runCli(folder, 'count', 'a.moe.yaml');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^a +/m);
      expect(stderr).toMatch(/^a\.moe\.yaml:1:9: warning parity-missing: /);
    });
  });
});

describe('what is not causal', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'count-'));
    const choice = 'model: { moe: { router: { select: expert_choice, balance: none } } }';
    writeFileSync(join(folder, 'choice.moe.yaml'), `extends: ${join(models, 'smoe.moe.yaml')}\n${choice}\n`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is said with its reason, as text and as JSON', async () => {
    const { code, stdout, stderr } = await runCli(folder, 'count', 'choice.moe.yaml', join(models, 'smoe.moe.yaml'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^choice\.moe\.yaml:2:\d+: warning not-causal: /);
    expect(stdout).toMatch(/^choice \(not causal\) +/m);
    expect(stdout).toMatch(/^SMoE +/m);
    expect(stdout).toMatch(/^choice: Not causal: with `select: expert_choice` /m);
    const json = await runCli(folder, 'count', 'choice.moe.yaml', join(models, 'smoe.moe.yaml'), '--json');
    const [choice, plain] = published.parse(JSON.parse(json.stdout)).models;
    expect(choice).toMatchObject({
      causal: false,
      notCausal: [
        { path: ['model', 'moe', 'router', 'select'], reason: expect.stringMatching(/^Not causal: with `select: expert_choice` /) },
      ],
    });
    expect(plain).toMatchObject({ causal: true, notCausal: [] });
  });
});
