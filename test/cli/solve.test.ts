import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

const smoe = `name: SMoE
model:
  d_model: 768
  layers: 12
  context: 2048
  vocabulary: 32000
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }
`;

const mhMoe = `extends: smoe.moe.yaml
parity: smoe.moe.yaml
name: MH-MoE   # two heads
model:
  moe:
    kind: mh-moe
    heads: 2
    # As the paper has it.
    top_k: 2
    expert_width: 700 # hidden
    experts: 40
`;

function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries({ 'smoe.moe.yaml': smoe, 'mh-moe.moe.yaml': mhMoe, ...files })) {
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

interface Solved {
  readonly schemaVersion: number;
  readonly baseline: string;
  readonly exact: Readonly<Record<string, number>>;
  readonly choices: readonly {
    readonly changes: Readonly<Record<string, number>>;
    readonly macs: number;
    readonly macsWithRouter: number;
    readonly parameters: number;
  }[];
}

async function solved(folder: string, ...args: string[]): Promise<Solved> {
  const { code, stdout } = await runCli(folder, 'solve', ...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Solved;
}

describe('moe-lab solve', () => {
  it('prints the choices that the editor offers, best first, with residuals as fractions', async () => {
    const { schemaVersion, baseline, exact, choices } = await solved(folderWith(), 'mh-moe.moe.yaml');
    expect([schemaVersion, baseline]).toEqual([1, 'smoe.moe.yaml']);
    expect(exact['model.moe.experts']).toBeCloseTo(41.33, 2);
    expect(choices[0]).toMatchObject({
      changes: { 'model.moe.expert_width': 768, 'model.moe.experts': 41 },
      macs: 0,
      parameters: -1 / 128,
    });
    const papers = choices.find(({ changes }) => changes['model.moe.experts'] === 40 && changes['model.moe.expert_width'] === 768);
    expect(papers).toMatchObject({ macs: 0, parameters: -0.03125 });
    expect(papers?.macsWithRouter).toBeCloseTo(0.0052, 4);
  });

  it('says plainly where sizes cannot be equal on both axes, with the closest on each', async () => {
    const dense = smoe.replace(/ {2}moe: .*\n/, '').replace('name: SMoE', 'parity: smoe.moe.yaml');
    const folder = folderWith({ 'dense.moe.yaml': dense });
    const { stdout } = await runCli(folder, 'solve', 'dense.moe.yaml');
    expect(stdout.trimEnd().split('\n').slice(-3)).toEqual([
      'No sizes make both MACs and parameters equal. One of both is dense; the other uses a part of its parameters for each token.',
      'Closest in MACs: width 2048: MACs 0.00 % (−0.13 % with router), parameters −87.50 %',
      'Closest in parameters: width 9216: MACs +350.00 % (+349.71 % with router), parameters 0.00 % (−0.01 % with router)',
    ]);
    const told = await solved(folder, 'dense.moe.yaml');
    expect(told).toMatchObject({
      equal: { withoutRouter: false, withRouter: false, atOnce: false },
      closest: { macs: { changes: { 'model.ffn.width': 2048 } }, parameters: { changes: { 'model.ffn.width': 9216 } } },
    });
    expect(await solved(folder, 'mh-moe.moe.yaml')).toMatchObject({ equal: { atOnce: true }, closest: {} });
    // Of one axis nobody asks for both.
    expect(await solved(folder, 'dense.moe.yaml', '--target', 'macs')).not.toHaveProperty('equal');
  });

  it('as a table, both axes always, with and without the router', async () => {
    const { code, stdout } = await runCli(folderWith(), 'solve', 'mh-moe.moe.yaml', '--limit', '2');
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(0, 6)).toEqual([
      'mh-moe.moe.yaml at the MACs and parameters of smoe.moe.yaml; residuals are those of the feed-forward layers that differ',
      '  exactly: moe.expert_width 768, moe.experts 41.33',
      '  with router: moe.expert_width 762.4, moe.experts 41.63',
      '',
      'sizes                            MACs  with router  parameters  with router  model MACs  model parameters',
      expect.stringMatching(/^expert_width 768, experts 41 +0\.00 % +\+0\.54 % +−0\.78 % +−0\.76 % +\+0\.1\d % +−0\.5\d %$/),
    ]);
  });

  it('writes the best choice in place, comments and all that it does not change kept', async () => {
    const folder = folderWith();
    const { code, stderr } = await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--write');
    expect(code).toBe(0);
    expect(stderr).toMatch(/mh-moe\.moe\.yaml now says expert_width 768, experts 41\.\n$/);
    expect(readFileSync(join(folder, 'mh-moe.moe.yaml'), 'utf8')).toBe(
      mhMoe.replace('700 #', '768 #').replace('experts: 40', 'experts: 41'),
    );
    const again = await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--write');
    expect(again.stderr).toMatch(/says expert_width 768, experts 41 already\.\n$/);
  });

  it('writes into a variant only what its base says otherwise', async () => {
    const variant = 'extends: mh-moe.moe.yaml\nmodel:\n  moe:\n    # on purpose\n    expert_width: 768 # as solved\n';
    const folder = folderWith({ 'variant.moe.yaml': variant });
    expect((await runCli(folder, 'solve', 'variant.moe.yaml', '--write')).code).toBe(0);
    expect(readFileSync(join(folder, 'variant.moe.yaml'), 'utf8')).toBe(variant.replace('    # on', '    experts: 41\n    # on'));
    const again = await runCli(folder, 'solve', 'variant.moe.yaml', '--write');
    expect(again.stderr).toMatch(/says expert_width 768, experts 41 already\.\n$/);
  });

  it('by one target, for some keys, against another baseline', async () => {
    const folder = folderWith({ 'small.moe.yaml': smoe.replace('experts: 8', 'experts: 4') });
    const macs = await solved(folder, 'mh-moe.moe.yaml', '--target', 'macs');
    expect(macs.choices[0]?.changes).toEqual({ 'model.moe.expert_width': 768, 'model.moe.experts': 40 });
    const only = await solved(folder, 'mh-moe.moe.yaml', '--keys', 'experts', '--target=parameters');
    expect(Object.keys(only.choices[0]?.changes ?? {})).toEqual(['model.moe.experts']);
    const small = await solved(folder, 'mh-moe.moe.yaml', '--baseline', 'small.moe.yaml');
    expect([small.baseline, small.exact['model.moe.experts']]).toEqual(['small.moe.yaml', 20]);
  });

  it('says what is missing, or wrong', async () => {
    const folder = folderWith({ 'broken.moe.yaml': smoe.replace('smoe', 'smoo') });
    const without = await runCli(folder, 'solve', 'smoe.moe.yaml');
    expect([without.code, without.stdout]).toEqual([1, '']);
    expect(without.stderr).toMatch(/names no baseline\.\n {2}State one as `parity:` in the config, or say --baseline FILE\./);
    const broken = await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--baseline', 'broken.moe.yaml');
    expect([broken.code, broken.stdout]).toEqual([1, '']);
    expect(broken.stderr).toContain('broken.moe.yaml:9:');
    expect((await runCli(folder, 'solve')).stderr).toContain('Name one config');
    expect((await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--target', 'speed')).stderr).toContain(
      '--target is one of both, macs, parameters',
    );
    expect((await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--keys', 'd_model')).stderr).toContain('The solver changes no d_model');
    expect((await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--limit', 'many')).code).toBe(2);
  });

  it('fails where nothing that the config accepts comes near, and says so', async () => {
    const folder = folderWith({ 'tiny.moe.yaml': smoe.replaceAll('768', '96').replaceAll('2048', '64') });
    const { code, stdout } = await runCli(folder, 'solve', 'mh-moe.moe.yaml', '--baseline', 'tiny.moe.yaml');
    expect(code).toBe(1);
    expect(stdout).toContain('impossible with the other sizes as they are');
  });
});
