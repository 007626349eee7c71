import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';

interface Row {
  readonly name: string;
  readonly moe?: Record<string, unknown>;
  readonly total: number;
  readonly active: number;
  readonly layerMacs: number;
  readonly routerMacs: number;
  readonly layerParameters: number;
}

const smoe = { kind: 'smoe', experts: 8, top_k: 1, expert_width: 2048 };
const fineGrained = { kind: 'smoe', experts: 16, top_k: 2, expert_width: 1024 };
const twoHeads = { kind: 'mh-moe', heads: 2, experts: 40, top_k: 2, expert_width: 768 };
const threeHeads = { kind: 'mh-moe', heads: 3, experts: 96, top_k: 3, expert_width: 512 };
const shared = { shared_width: 2048 };

/** The models of 2411.16205 with the figures that follow from their definition (vocabulary 32,000, context 2048). */
const rows: readonly Row[] = [
  { name: 'dense', total: 109_529_856, active: 109_529_856, layerMacs: 4_718_592, routerMacs: 0, layerParameters: 4_718_592 },
  {
    name: 'smoe',
    moe: smoe,
    total: 307_747_584,
    active: 109_566_720,
    layerMacs: 4_718_592,
    routerMacs: 6_144,
    layerParameters: 37_748_736,
  },
  {
    name: 'fine-grained',
    moe: fineGrained,
    total: 307_784_448,
    active: 109_603_584,
    layerMacs: 4_718_592,
    routerMacs: 12_288,
    layerParameters: 37_748_736,
  },
  {
    name: 'h=2',
    moe: twoHeads,
    total: 300_724_992,
    active: 109_622_016,
    layerMacs: 4_718_592,
    routerMacs: 30_720,
    layerParameters: 36_569_088,
  },
  {
    name: 'h=3',
    moe: threeHeads,
    total: 314_936_064,
    active: 109_677_312,
    layerMacs: 4_718_592,
    routerMacs: 73_728,
    layerParameters: 38_928_384,
  },
  {
    name: 'smoe + shared',
    moe: { ...smoe, ...shared },
    total: 336_059_136,
    active: 137_878_272,
    layerMacs: 9_437_184,
    routerMacs: 6_144,
    layerParameters: 42_467_328,
  },
  {
    name: 'fine-grained + shared',
    moe: { ...fineGrained, ...shared },
    total: 336_096_000,
    active: 137_915_136,
    layerMacs: 9_437_184,
    routerMacs: 12_288,
    layerParameters: 42_467_328,
  },
  {
    name: 'h=2 + shared',
    moe: { ...twoHeads, ...shared },
    total: 329_036_544,
    active: 137_933_568,
    layerMacs: 9_437_184,
    routerMacs: 30_720,
    layerParameters: 41_287_680,
  },
  {
    name: 'h=3 + shared',
    moe: { ...threeHeads, ...shared },
    total: 343_247_616,
    active: 137_988_864,
    layerMacs: 9_437_184,
    routerMacs: 73_728,
    layerParameters: 43_646_976,
  },
];

function count(moe: Record<string, unknown> | undefined) {
  const experiment = experimentSchema.parse({
    model: { vocabulary: 32_000, d_model: 768, layers: 12, context: 2048, attention: { heads: 12 }, ffn: { width: 2048 }, moe },
  });
  return countModel(buildLanguageModel(experiment), experiment.model);
}

describe('counts of the models of 2411.16205', () => {
  it.each(rows)('$name', (row) => {
    const counted = count(row.moe);
    const layer = counted.layers[1];
    expect({
      total: counted.parameters.total,
      active: counted.parameters.active,
      layerMacs: layer?.macsPerToken,
      routerMacs: layer?.routerMacsPerToken,
      layerParameters: layer?.parameters,
    }).toEqual({
      total: row.total,
      active: row.active,
      layerMacs: row.layerMacs,
      routerMacs: row.routerMacs,
      layerParameters: row.layerParameters,
    });
  });

  it('splits the rest of the cost as the definition says', () => {
    const { macsPerToken, parameters } = count(smoe);
    expect(macsPerToken.attention + macsPerToken.ffn).toBe(56_623_104);
    expect(macsPerToken.attentionCore).toBe(37_748_736);
    expect(macsPerToken.logits).toBe(24_576_000);
    expect(macsPerToken.router).toBe(6 * 6_144);
    const { total, ...parts } = macsPerToken;
    expect(Object.values(parts).reduce((a, b) => a + b)).toBe(total);
    expect(parameters.embedding).toBe(24_576_000);
  });
});
