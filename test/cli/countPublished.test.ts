import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { published } from './publishedCount';
import { runCli } from './runCli';

const models = join(import.meta.dirname, '../fixtures/tables-1-and-2');

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
