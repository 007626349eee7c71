import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commands } from '../../src/cli/dispatch';
import { version } from '../../package.json';
import { runCli } from './runCli';

const models = join(import.meta.dirname, '../fixtures/tables-1-and-2');

/** The published form, key by key: strict, so that a key more or less is a failure. */
const macs = z.strictObject(
  Object.fromEntries(
    ['total', 'attention', 'attentionCore', 'position', 'ffn', 'experts', 'router', 'logits'].map((key) => [key, z.int()]),
  ),
);
const parameters = z.strictObject(
  Object.fromEntries(
    ['total', 'active', 'embedding', 'attention', 'position', 'ffn', 'experts', 'shared', 'router', 'head', 'merge', 'norm', 'output'].map(
      (key) => [key, z.int()],
    ),
  ),
);
const routed = z.strictObject({ experts: z.int(), head: z.int(), merge: z.int(), shared: z.int() });
const layer = z.strictObject({
  name: z.string(),
  kind: z.enum(['dense', 'smoe', 'mh-moe', 'peer', 'pkm']),
  parameters: z.int(),
  macsPerToken: z.int(),
  routerParameters: z.int(),
  routerMacsPerToken: z.int(),
  macsPerChoice: z.int(),
});
const paperCost = z.strictObject({ macs: z.int(), selections: z.int(), memory: z.int() });
const memoryPart = z.strictObject({ name: z.string(), meaning: z.string(), exact: z.boolean(), host: z.number(), device: z.number() });
const published = z.strictObject({
  schemaVersion: z.literal(1),
  models: z.array(
    z.strictObject({
      file: z.string(),
      name: z.string(),
      parameters,
      activeIsUpperBound: z.boolean(),
      macsPerToken: macs,
      routedMacsPerToken: routed,
      attentionMacsPerToken: z.strictObject({ projections: z.int(), experts: z.int(), selections: z.int() }),
      attentionCosts: z
        .strictObject({
          graph: z.strictObject({
            macs: z.int(),
            projections: z.int(),
            experts: z.int(),
            selections: z.int(),
            core: z.int(),
            positions: z.int(),
          }),
          paperEquation: paperCost.nullable(),
          authorsScript: paperCost.omit({ selections: true }).nullable(),
        })
        .nullable(),
      varyingK: z.strictObject({ counted: z.int(), most: z.int() }).nullable(),
      sweep: z.strictObject({ against: z.string(), members: z.array(z.looseObject({ name: z.string() })) }).nullable(),
      training: z
        .strictObject({
          memory: z.strictObject({ parts: z.array(memoryPart), host: z.number(), device: z.number() }),
          disk: z.strictObject({ checkpoints: z.number(), series: z.number(), total: z.number() }),
        })
        .nullable(),
      layers: z.array(layer),
      parity: z
        .strictObject({
          baseline: z.string(),
          parameters: z.number(),
          parametersWithoutRouter: z.number(),
          macs: z.number(),
          macsWithRouter: z.number(),
          compared: z.strictObject({
            scope: z.enum(['layers', 'attention', 'model']),
            parameters: z.number(),
            parametersWithRouter: z.number(),
            macs: z.number(),
            macsWithRouter: z.number(),
          }),
          attention: z.strictObject({ parameters: z.number(), macs: z.number() }).optional(),
        })
        .nullable(),
      causal: z.boolean(),
      notCausal: z.array(z.strictObject({ path: z.array(z.string()), reason: z.string() })),
    }),
  ),
});

/** 2411.16205 as worked out for 12 layers, d_model 768, vocabulary 32,000: the whole model, then one routed layer. */
const table = [
  {
    file: 'dense',
    total: 109_529_856,
    active: 109_529_856,
    layerMacs: 4_718_592,
    routerMacs: 0,
    layerParameters: 4_718_592,
    routerParameters: 0,
  },
  {
    file: 'smoe',
    total: 307_747_584,
    active: 109_566_720,
    layerMacs: 4_718_592,
    routerMacs: 6_144,
    layerParameters: 37_748_736,
    routerParameters: 6_144,
  },
  {
    file: 'fine-grained',
    total: 307_784_448,
    active: 109_603_584,
    layerMacs: 4_718_592,
    routerMacs: 12_288,
    layerParameters: 37_748_736,
    routerParameters: 12_288,
  },
  {
    file: 'mh-moe-2',
    total: 300_724_992,
    active: 109_622_016,
    layerMacs: 4_718_592,
    routerMacs: 30_720,
    layerParameters: 36_569_088,
    routerParameters: 15_360,
  },
  {
    file: 'mh-moe-3',
    total: 314_936_064,
    active: 109_677_312,
    layerMacs: 4_718_592,
    routerMacs: 73_728,
    layerParameters: 38_928_384,
    routerParameters: 24_576,
  },
  {
    file: 'smoe-shared',
    total: 336_059_136,
    active: 137_878_272,
    layerMacs: 9_437_184,
    routerMacs: 6_144,
    layerParameters: 42_467_328,
    routerParameters: 6_144,
  },
  {
    file: 'fine-grained-shared',
    total: 336_096_000,
    active: 137_915_136,
    layerMacs: 9_437_184,
    routerMacs: 12_288,
    layerParameters: 42_467_328,
    routerParameters: 12_288,
  },
  {
    file: 'mh-moe-2-shared',
    total: 329_036_544,
    active: 137_933_568,
    layerMacs: 9_437_184,
    routerMacs: 30_720,
    layerParameters: 41_287_680,
    routerParameters: 15_360,
  },
  {
    file: 'mh-moe-3-shared',
    total: 343_247_616,
    active: 137_988_864,
    layerMacs: 9_437_184,
    routerMacs: 73_728,
    layerParameters: 43_646_976,
    routerParameters: 24_576,
  },
];

describe('moe-lab count --json', () => {
  it('counts the nine models of 2411.16205 to the integer, in the order given', async () => {
    const files = table.map(({ file }) => `${file}.moe.yaml`);
    const { code, stdout, stderr } = await runCli(models, 'count', ...files, '--json');
    expect([code, stderr]).toEqual([0, '']);
    const counted = published.parse(JSON.parse(stdout)).models;
    const figures = counted.map(({ file, parameters, layers }) => {
      const second = layers[1];
      return {
        file: file.replace('.moe.yaml', ''),
        total: parameters.total,
        active: parameters.active,
        layerMacs: second?.macsPerToken,
        routerMacs: second?.routerMacsPerToken,
        layerParameters: second?.parameters,
        routerParameters: second?.routerParameters,
      };
    });
    expect(figures).toEqual(table);
    expect(counted.map(({ layers }) => layers.length)).toEqual(table.map(() => 12));
    for (const { macsPerToken, parameters } of counted) {
      expect(parameters.embedding).toBe(32_000 * 768);
      const { total, ...lines } = macsPerToken;
      expect(Object.values(lines).reduce((sum, line) => sum + line, 0)).toBe(total);
      expect(macsPerToken).toMatchObject({ attention: 12 * 4 * 768 ** 2, attentionCore: 37_748_736, logits: 24_576_000 });
    }
  });

  it('gives residuals as fractions, with and without the router', async () => {
    const { stdout } = await runCli(models, 'count', 'mh-moe-3.moe.yaml', 'smoe.moe.yaml', '--json');
    const [threeHeads, smoe] = published.parse(JSON.parse(stdout)).models;
    expect(threeHeads?.parity).toMatchObject({ baseline: 'smoe.moe.yaml', macs: 0, parameters: 314_936_064 / 307_747_584 - 1 });
    expect(threeHeads?.parity?.macsWithRouter).toBeCloseTo((6 * (73_728 - 6_144)) / 147_296_256, 12);
    expect(smoe?.parity).toBeNull();
  });
});

describe('the active parameters of moe-lab count --json', () => {
  it('say where they are an upper bound, as the table does', async () => {
    const { stdout } = await runCli(models, 'count', 'mh-moe-2.moe.yaml', 'smoe.moe.yaml', '--json');
    expect(published.parse(JSON.parse(stdout)).models.map(({ activeIsUpperBound }) => activeIsUpperBound)).toEqual([true, false]);
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

describe('mechanisms that are counted in ways of their own', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'count-'));
    const model = (more: string): string =>
      `model: { d_model: 64, layers: 2, context: 32, attention: { heads: 2${more.includes('ATT') ? ', head_width: 32, moe: { experts: 4, top_k: 2 }' : ''} }, ffn: { width: 128 }${more.replace('ATT', '')} }\n`;
    const trained = 'train: { steps: 10, batch_tokens: 64, micro_batch: 2 }\ndata: { train: [a.txt], validation: { text: [b.txt] } }\n';
    writeFileSync(join(folder, 'switch-head.moe.yaml'), model('ATT'));
    writeFileSync(join(folder, 'peer.moe.yaml'), model(', product_keys: { experts: 1024, heads: 2, top_k: 4, key_width: 16 }') + trained);
    writeFileSync(
      join(folder, 'dynamic.moe.yaml'),
      model(', moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 64, router: { select: dynamic } }'),
    );
    writeFileSync(
      join(folder, 'whole-sum.moe.yaml'),
      model(', moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 64, router: { select: top_p, top_p: 1, k_max: 4 } }'),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('SwitchHead: the graph, the equations of the paper and the script of its authors', async () => {
    const { stdout, stderr, code } = await runCli(folder, 'count', 'switch-head.moe.yaml');
    expect([code, stderr]).toEqual([0, '']);
    // n (2 T h d + 2 T k h (d + 1) + 2 T^2 h), T = 32, n = 2, h = 32, d = 64, k = 2; selections 2 n E d T, the script 2 E d T.
    const equation = 2 * (2 * 32 * 32 * 64 + 2 * 32 * 2 * 32 * 65 + 2 * 32 ** 2 * 32);
    const selections = 2 * 2 * 4 * 64 * 32;
    const digits = (value: number): string => value.toLocaleString('en-US');
    expect(stdout).toMatch(new RegExp(`^2312.07987 Eq. 11-13 +${digits(equation)} +${digits(equation + selections)} +12,288$`, 'm'));
    expect(stdout).toMatch(new RegExp(`its authors' script +${digits(equation + selections / 2)} `));
    expect(stdout).toMatch(/^graph +[\d,]+ +[\d,]+$/m);
    const { attentionCosts } =
      published.parse(JSON.parse((await runCli(folder, 'count', 'switch-head.moe.yaml', '--json')).stdout)).models[0] ?? {};
    expect(attentionCosts).toMatchObject({
      paperEquation: { macs: equation, selections },
      authorsScript: { macs: equation + selections / 2 },
    });
  });

  it('SwitchHead: its sides, layer by layer, and how far its attention is from the baseline', async () => {
    writeFileSync(join(folder, 'sides.moe.yaml'), 'extends: switch-head.moe.yaml\nparity: peer.moe.yaml\n');
    const { stdout } = await runCli(folder, 'count', 'sides.moe.yaml', '--layers');
    // Query and key are dense, 2 n h d; value and output have n E experts of h d, k of them used per head; each side selects by d n E.
    for (const layer of [0, 1]) {
      expect(stdout).toMatch(new RegExp(`^layers\\.${layer}\\.attention +dense +8,192 +8,192 +0 +0$`, 'm'));
      for (const side of ['source', 'destination'])
        expect(stdout).toMatch(new RegExp(`^layers\\.${layer}\\.attention\\.${side} +switchhead +16,384 +8,192 +512 +512$`, 'm'));
    }
    // The baseline has 4 d^2 parameters, and 2 T d for scores and values as SwitchHead has: 40,960 / 16,384; (24,576 + 4,096) / (16,384 + 4,096).
    expect(stdout).toContain('; attention +150.00 % parameters, +40.00 % MACs (without selections) vs peer.moe.yaml');
    const dense = await runCli(folder, 'count', 'peer.moe.yaml', '--layers');
    expect(dense.stdout).not.toContain('.attention');
  });

  it('product keys, and what it takes to train them', async () => {
    const { stdout } = await runCli(folder, 'count', 'peer.moe.yaml', '--layers');
    // d h dk + h n dk for queries and keys, 2 h k d for the experts.
    expect(stdout).toMatch(/^layers\.0\.product_keys +peer +131,072 +1,024 +2,560 +3,072$/m);
    expect(stdout).toMatch(/^peer: training takes about \d+ MiB of memory, and up to [\d.]+ MiB of disk$/m);
    const [peer] = published.parse(JSON.parse((await runCli(folder, 'count', 'peer.moe.yaml', '--json')).stdout)).models;
    // The tables and their moments, for each of the checkpoints.
    expect(peer?.training?.disk.checkpoints).toBeGreaterThan(131_072 * 4 * 3 * 3);
    expect(peer?.training?.memory.parts.find(({ name }) => name === 'moments')?.host).toBe(2 * 4 * (peer?.parameters.total ?? 0));
    expect(stdout).toContain('or heads that retrieve for it');
  });

  it('a varying number of experts: at which it is counted, and what one more costs', async () => {
    const { stdout } = await runCli(folder, 'count', 'dynamic.moe.yaml');
    expect(stdout).toMatch(/^dynamic: units take up to 4 experts; counted at 2, one more on average costs 12,288 MACs\/token$/m);
    const [dynamic] = published.parse(JSON.parse((await runCli(folder, 'count', 'dynamic.moe.yaml', '--json')).stdout)).models;
    expect(dynamic?.varyingK).toEqual({ counted: 2, most: 4 });
    const whole = await runCli(folder, 'count', 'whole-sum.moe.yaml');
    expect(whole.stdout).toContain('units take always 4 experts (top_p: 1); counted at 2, one more');
    expect(dynamic?.layers[1]?.macsPerChoice).toBe(3 * 64 * 64);
    expect(dynamic?.training).toBeNull();
  });
});

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

describe('moe-lab', () => {
  it.each([
    [[], 'No command given; use one of count'],
    [['cuont'], 'There is no command cuont; did you mean count?'],
    [['toString'], 'There is no command toString; use one of count'],
    [['--json', 'count'], 'Options follow the command, as in moe-lab count --json'],
    [['count'], 'Name at least one config'],
    [['count', '--colour', 'a.moe.yaml'], 'moe-lab count has no option --colour; it has --layers, --json, --help.'],
    [['count', '--json=yes', 'a.moe.yaml'], 'The option --json of moe-lab count takes no value.'],
  ])('%j is wrong use: one sentence and exit 2', async (args, sentence) => {
    const { code, stdout, stderr } = await runCli(models, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.startsWith(`moe-lab: ${sentence}`)).toBe(true);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('--version and --help are no failure', async () => {
    expect(await runCli(models, '--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await runCli(models, '--help');
    expect(help.code).toBe(0);
    for (const name of Object.keys(commands)) expect(help.stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    expect((await runCli(models, 'count', '-h')).stdout).toMatch(/^usage: moe-lab count FILE\.\.\./);
  });

  it.each(Object.entries(commands))('%s says the same of itself in the overview and in its own help', async (name, entry) => {
    const command = await entry.load();
    expect(entry.summary).toBe(command.summary);
    expect(command.usage.split(' ')[0]).toBe(name);
  });
});
