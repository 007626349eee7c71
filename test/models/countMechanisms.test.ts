import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import { countModel, macsAtMeanK } from '../../src/models/count';
import type { LayerCount, ModelCount } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';

/** Counts of a small model; every figure expected below is written out from the definition. */
function countOf(model: Record<string, unknown>): ModelCount & { readonly meanK: (mean: number | Record<string, number>) => number } {
  const experiment = experimentSchema.parse({
    model: { vocabulary: 100, d_model: 64, layers: 4, context: 32, attention: { heads: 8 }, ffn: { width: 96 }, ...model },
  });
  const count = countModel(buildLanguageModel(experiment), experiment.model);
  return { ...count, meanK: (mean) => macsAtMeanK(count, experiment.model, mean) };
}

const sumOf = (record: Readonly<Record<string, number>>): number => Object.values(record).reduce((sum, value) => sum + value, 0);

interface Sizes {
  readonly d: number;
  readonly experts: number;
  readonly heads: number;
  readonly k: number;
  readonly width: number;
}

const sizes: readonly Sizes[] = [
  { d: 64, experts: 256, heads: 2, k: 4, width: 16 },
  { d: 64, experts: 1024, heads: 3, k: 5, width: 6 },
  { d: 256, experts: 16_384, heads: 8, k: 16, width: 128 },
  { d: 256, experts: 1_048_576, heads: 8, k: 16, width: 128 },
  { d: 768, experts: 1_048_576, heads: 8, k: 16, width: 128 },
];
const kinds = [
  { kind: 'peer', activation: 'gelu', tables: 2 },
  { kind: 'peer', activation: 'glu', tables: 3 },
  { kind: 'pkm', activation: 'gelu', tables: 1 },
] as const;

describe('counts of product keys', () => {
  it.each(sizes.flatMap((size) => kinds.map((kind) => ({ ...size, ...kind }))))(
    '$kind $activation of $experts at width $d: d h dk + h sqrt(N) dk and the tables',
    ({ d, experts, heads, k, width, kind, activation, tables }) => {
      const { layers, macsPerToken, parameters, routed, activeIsUpperBound } = countOf({
        d_model: d,
        product_keys: { kind, activation, experts, heads, top_k: k, key_width: width },
      });
      const n = Math.sqrt(experts);
      const layer: LayerCount = {
        name: 'layers.1.product_keys',
        kind,
        parameters: tables * experts * d,
        macsPerToken: tables * heads * k * d,
        routerParameters: d * heads * width + n * width,
        routerMacsPerToken: d * heads * width + heads * n * width,
        macsPerChoice: 0,
      };
      expect(layers[1]).toEqual(layer);
      expect(layers.map((other) => other.kind)).toEqual(['dense', kind, 'dense', 'dense']);
      expect(macsPerToken.experts).toBe(layer.macsPerToken);
      expect(routed).toEqual({ experts: layer.macsPerToken, head: 0, merge: 0, shared: 0 });
      expect(macsPerToken.router).toBe(layer.routerMacsPerToken);
      expect(parameters.experts).toBe(layer.parameters);
      expect(parameters.router).toBe(layer.routerParameters);
      const used = Math.min(experts, heads * k);
      expect(parameters.total - parameters.active).toBe(tables * (experts - used) * d);
      expect(activeIsUpperBound).toBe(true);
    },
  );

  it('are those of a million experts at width 768: 1.61 G parameters, 196,608 MACs', () => {
    const count = countOf({ d_model: 768, layers: 12, product_keys: { experts: 1024 * 1024, heads: 8, top_k: 16 } });
    expect(count.layers[5]).toMatchObject({ kind: 'peer', parameters: 1_610_612_736, macsPerToken: 196_608 });
    expect(count.layers[5]?.routerMacsPerToken).toBe(768 * 8 * 128 + 8 * 1024 * 128);
  });

  it('are no upper bound with a single head, whose choices differ', () => {
    const keys = { experts: 256, heads: 1, top_k: 4, key_width: 16 };
    expect(countOf({ product_keys: keys }).activeIsUpperBound).toBe(false);
    // Without normalisation nothing is counted less: it has no products and no parameters.
    expect(countOf({ product_keys: { ...keys, query_norm: 'none' } })).toMatchObject({
      macsPerToken: countOf({ product_keys: keys }).macsPerToken,
    });
  });
});

describe('counts where units take different numbers of experts', () => {
  const smoe = { kind: 'smoe', experts: 8, top_k: 2, expert_width: 24 };
  const multiHead = { ...smoe, kind: 'mh-moe', heads: 2, shared_width: 40 };
  const routers = [
    { select: 'dynamic' },
    { select: 'dynamic', k_max: 7, importance: 'row_max' },
    { select: 'top_p' },
    { select: 'top_p', k_max: 3, entropy_weight: 0.1 },
  ];

  it.each(routers.flatMap((router) => [smoe, multiHead].map((moe) => ({ moe, router }))))(
    '$moe.kind, $router are those at top_k',
    ({ moe, router }) => {
      const [varying, fixed] = [countOf({ moe: { ...moe, router } }), countOf({ moe })];
      expect(varying.macsPerToken).toEqual(fixed.macsPerToken);
      expect(varying.parameters).toEqual(fixed.parameters);
      expect(varying.layers).toEqual(fixed.layers);
    },
  );

  it.each([smoe, multiHead])('$kind: MACs at a mean of k are those of a router that takes k', (moe) => {
    const dynamic = countOf({ moe: { ...moe, router: { select: 'dynamic', k_max: 8 } } });
    expect(dynamic.meanK(2)).toBe(dynamic.macsPerToken.total);
    for (const k of [1, 3, 5]) expect(dynamic.meanK(k)).toBe(countOf({ moe: { ...moe, top_k: k } }).macsPerToken.total);
    const perChoice = 3 * 64 * 24;
    expect(dynamic.layers.map(({ macsPerChoice }) => macsPerChoice)).toEqual([0, perChoice, 0, perChoice]);
    expect(dynamic.meanK(2.25)).toBeCloseTo(dynamic.macsPerToken.total + 0.25 * 2 * perChoice, 6);
    // One mean for each layer; one that is not given is top_k.
    expect(dynamic.meanK({ 'layers.1.moe': 3.5 })).toBeCloseTo(dynamic.macsPerToken.total + 1.5 * perChoice, 6);
    expect(dynamic.meanK({ 'layers.1.moe': 3, 'layers.3.moe': 1 })).toBe(dynamic.macsPerToken.total);
  });

  it('has no mean to go by in a dense model', () => {
    const dense = countOf({});
    expect(dense.meanK(5)).toBe(dense.macsPerToken.total);
  });
});

describe('counts of attention', () => {
  const [d, n, w, T, layers] = [64, 2, 24, 32, 4];

  it('splits SwitchHead into dense projections, experts and selections', () => {
    const [E, k] = [5, 3];
    const attention = { heads: n, head_width: w, moe: { experts: E, top_k: k } };
    const { macsPerToken, parameters, attention: parts, activeIsUpperBound } = countOf({ attention });
    expect(parts).toEqual({
      projections: layers * 2 * d * n * w,
      experts: layers * 2 * k * d * n * w,
      selections: layers * 2 * d * n * E,
    });
    expect(macsPerToken.attention).toBe(parts.projections + parts.experts);
    expect(macsPerToken.router).toBe(parts.selections);
    expect(macsPerToken.attentionCore).toBe(layers * 2 * n * w * T);
    const { total, ...lines } = macsPerToken;
    expect(sumOf(lines)).toBe(total);
    expect(parameters.attention).toBe(layers * (2 + 2 * E) * d * n * w);
    expect(parameters.router).toBe(layers * 2 * d * n * E);
    // Of the experts of every head k are used, and they differ.
    expect(parameters.total - parameters.active).toBe(layers * 2 * (E - k) * d * n * w);
    expect(activeIsUpperBound).toBe(false);
  });

  it('counts one selection where both sides share it, and one side where the other has no experts', () => {
    const selections = (moe: Record<string, unknown>): number =>
      countOf({ attention: { heads: n, moe: { experts: 4, top_k: 2, ...moe } } }).attention.selections;
    expect(selections({ shared_selection: true })).toBe(layers * d * n * 4);
    expect(selections({ projections: ['value'] })).toBe(layers * d * n * 4);
    expect(selections({ projections: ['query', 'key', 'value', 'output'] })).toBe(2 * layers * d * n * 4);
  });

  it('has no experts and no selections without SwitchHead', () => {
    const { attention, macsPerToken } = countOf({});
    expect(attention).toEqual({ projections: macsPerToken.attention, experts: 0, selections: 0 });
    expect(macsPerToken.position).toBe(0);
  });

  it('counts a cached chunk: its keys and values, scores and positions over both', () => {
    const { macsPerToken, parameters } = countOf({ attention: { heads: n, head_width: w, position: 'xl' } });
    expect(macsPerToken.attention).toBe(layers * 6 * d * n * w);
    expect(macsPerToken.attentionCore).toBe(layers * 4 * T * n * w);
    expect(macsPerToken.position).toBe(layers * (2 * T * n * w + 2 * d * n * w));
    expect(parameters.position).toBe(layers * d * n * w);
    const { total, active, ...lines } = parameters;
    expect(sumOf(lines)).toBe(total);
    expect(active).toBe(total);
  });

  it('counts the experts and the selections of a cached chunk', () => {
    const [E, k] = [4, 2];
    const { attention } = countOf({ attention: { heads: n, head_width: w, position: 'xl', moe: { experts: E, top_k: k } } });
    expect(attention).toEqual({
      projections: layers * 3 * d * n * w,
      experts: layers * 3 * k * d * n * w,
      selections: layers * 3 * d * n * E,
    });
  });
});
