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

const withoutProjections = { head_layer: false, merge_layer: false };
/** Table 4 without projections has the MACs of SMoE, so experts of width 1024, and 32 of them for its parameters. */
const tableFour = { kind: 'mh-moe', heads: 2, experts: 32, top_k: 2, expert_width: 1024 };

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
  {
    name: 'table 4: h=2 without head and merge',
    moe: { ...tableFour, ...withoutProjections },
    total: 307_784_448,
    active: 109_603_584,
    layerMacs: 4_718_592,
    routerMacs: 24_576,
    layerParameters: 37_748_736,
  },
  {
    name: 'table 4: h=2 with head and merge',
    moe: tableFour,
    total: 314_862_336,
    active: 116_681_472,
    layerMacs: 5_898_240,
    routerMacs: 24_576,
    layerParameters: 38_928_384,
  },
  {
    name: 'table 4: smoe with head and merge',
    moe: { ...smoe, kind: 'mh-moe', heads: 1 },
    total: 314_825_472,
    active: 116_644_608,
    layerMacs: 5_898_240,
    routerMacs: 6_144,
    layerParameters: 38_928_384,
  },
  {
    name: 'table 4: fine-grained with head and merge',
    moe: { ...fineGrained, kind: 'mh-moe', heads: 1 },
    total: 314_862_336,
    active: 116_681_472,
    layerMacs: 5_898_240,
    routerMacs: 12_288,
    layerParameters: 38_928_384,
  },
  {
    name: 'table 5: h=2 without head and merge',
    moe: { ...twoHeads, ...withoutProjections },
    total: 293_647_104,
    active: 102_544_128,
    layerMacs: 3_538_944,
    routerMacs: 30_720,
    layerParameters: 35_389_440,
  },
  {
    name: 'table 5: h=2 with the head layer only',
    moe: { ...twoHeads, merge_layer: false },
    total: 297_186_048,
    active: 106_083_072,
    layerMacs: 4_128_768,
    routerMacs: 30_720,
    layerParameters: 35_979_264,
  },
  {
    name: 'table 5: h=2 with the merge layer only',
    moe: { ...twoHeads, head_layer: false },
    total: 297_186_048,
    active: 106_083_072,
    layerMacs: 4_128_768,
    routerMacs: 30_720,
    layerParameters: 35_979_264,
  },
  {
    name: 'iso_mac: h=2 without head and merge, 31 experts of width 1024',
    moe: { ...twoHeads, ...withoutProjections, ablation: 'iso_mac' },
    // As h=2, but for the routers: 384 inputs to 31 instead of 40 logits, in six layers.
    total: 300_724_992 - 6 * 384 * 9,
    active: 109_622_016 - 6 * 384 * 9,
    layerMacs: 4_718_592,
    routerMacs: 2 * 384 * 31,
    layerParameters: 36_569_088,
  },
  {
    name: 'iso_mac: h=2 without the merge layer, 35 experts of width 896',
    moe: { ...twoHeads, merge_layer: false, ablation: 'iso_mac' },
    total: 300_724_992 + 6 * (147_456 - 384 * 5),
    active: 109_622_016 - 6 * 384 * 5,
    layerMacs: 4_718_592,
    routerMacs: 2 * 384 * 35,
    layerParameters: 36_716_544,
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

  it('says what routed layers are made of', () => {
    const { macsPerToken, routed, parameters } = count({ ...twoHeads, ...shared });
    expect(routed).toEqual({ experts: 6 * 3_538_944, head: 6 * 589_824, merge: 6 * 589_824, shared: 6 * 4_718_592 });
    expect(Object.values(routed).reduce((a, b) => a + b)).toBe(macsPerToken.experts);
    expect(parameters).toMatchObject({
      experts: 6 * 40 * 3 * 384 * 768,
      head: 6 * 589_824,
      merge: 6 * 589_824,
      shared: 6 * 4_718_592,
      output: 0,
      norm: 25 * 768,
    });
    const { total, active: _, ...lines } = parameters;
    expect(Object.values(lines).reduce((a, b) => a + b)).toBe(total);
  });
});

/** Counts of a small model; every figure expected below is written out from the definition. */
function small(model: Record<string, unknown>) {
  const experiment = experimentSchema.parse({
    model: { vocabulary: 100, d_model: 64, layers: 4, context: 32, attention: { heads: 8 }, ffn: { width: 96 }, ...model },
  });
  return countModel(buildLanguageModel(experiment), experiment.model);
}

describe('counts of what else a config can choose', () => {
  it('counts grouped heads of their own width, and the gains of queries and keys', () => {
    const attention = { heads: 8, kv_heads: 2, head_width: 16 };
    const { parameters, macsPerToken } = small({ attention });
    const perLayer = 64 * 8 * 16 + 2 * 64 * 2 * 16 + 8 * 16 * 64;
    expect(parameters.attention).toBe(4 * perLayer);
    expect(macsPerToken.attention).toBe(4 * perLayer);
    // Scores and values for each of the 8 query heads: sharing keys saves parameters and memory, not products.
    expect(macsPerToken.attentionCore).toBe(4 * 2 * 8 * 16 * 32);
    const gains = (qk_norm: string): number => small({ attention: { ...attention, qk_norm } }).parameters.norm - parameters.norm;
    expect(gains('head')).toBe(4 * (16 + 16));
    expect(gains('full')).toBe(4 * (8 * 16 + 2 * 16));
  });

  it('counts an untied output', () => {
    const [tied, untied] = [small({}), small({ tie_embeddings: false })];
    expect(untied.parameters.output).toBe(100 * 64);
    expect(untied.parameters.total).toBe(tied.parameters.total + 100 * 64);
    expect(untied.parameters.embedding).toBe(tied.parameters.embedding);
    expect(untied.macsPerToken).toEqual(tied.macsPerToken);
  });

  it('counts a BitLinear as the matrix it stands for', () => {
    const moe = { kind: 'mh-moe', heads: 2, experts: 8, top_k: 2, expert_width: 24 };
    expect(small({ moe, bitnet: {} })).toEqual(small({ moe }));
  });

  it('counts biases of head and merge layer', () => {
    const moe = { kind: 'mh-moe', heads: 2, experts: 8, top_k: 2, expert_width: 24 };
    const { parameters } = small({ moe: { ...moe, projection_bias: true } });
    expect(parameters.head).toBe(2 * (64 * 64 + 64));
    expect(parameters.merge).toBe(2 * (64 * 64 + 64));
  });

  it('counts a cosine router: its reduction, its expert vectors and its temperature', () => {
    const moe = { kind: 'mh-moe', heads: 2, experts: 8, top_k: 2, expert_width: 24, router: { type: 'cosine', dimension: 5 } };
    const layer = small({ moe }).layers[1];
    expect(layer?.routerParameters).toBe(32 * 5 + 5 * 8 + 1);
    expect(layer?.routerMacsPerToken).toBe(2 * (32 * 5 + 5 * 8));
  });

  it('counts expert choice as k experts per unit on average', () => {
    const moe = { kind: 'smoe', experts: 4, top_k: 2, expert_width: 24 };
    const [topK, choice] = [small({ moe }), small({ moe: { ...moe, router: { select: 'expert_choice', balance: 'none' } } })];
    expect(choice.macsPerToken).toEqual(topK.macsPerToken);
    expect(choice.parameters).toEqual(topK.parameters);
    // Half of the experts per token, in the two routed layers.
    expect(choice.parameters.total - choice.parameters.active).toBe((2 * 4 * 3 * 64 * 24) / 2);
  });

  it('counts no expert twice as active', () => {
    const moe = { kind: 'mh-moe', heads: 4, experts: 6, top_k: 2, expert_width: 24 };
    const { parameters } = small({ moe });
    expect(parameters.active).toBe(parameters.total);
  });

  it('routes the listed layers', () => {
    const moe = { kind: 'smoe', experts: 4, top_k: 2, expert_width: 24 };
    const kinds = (placed: Record<string, unknown>): string[] => small({ moe: { ...moe, ...placed } }).layers.map(({ kind }) => kind);
    expect(kinds({})).toEqual(['dense', 'smoe', 'dense', 'smoe']);
    expect(kinds({ every: 1 })).toEqual(['smoe', 'smoe', 'smoe', 'smoe']);
    expect(kinds({ layers: [0, 3] })).toEqual(['smoe', 'dense', 'dense', 'smoe']);
  });
});
