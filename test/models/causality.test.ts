import { describe, expect, it } from 'vitest';
import { causality } from '../../src/config/causality';
import type { Experiment } from '../../src/config/schema';
import { RandomStream } from '../../src/graph/random';
import type { ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { ShapeError } from '../../src/graph/shapes';
import { buildLanguageModel } from '../../src/models/languageModel';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { interpret, normals, randomParameters, randomTokens, stateFeeds } from '../support/programs';
import { importanceOracle } from './support/dynamicOracle';
import { layerFeeds, matrixOf, routedLayerProgram, runLayer } from './support/routedLayer';

const bindings = { batch: 2, time: 6 };
const vocabulary = 11;

/**
 * The largest change of any logits at or before t, over every t and both windows, when token t + 1 of their window changes; and the largest
 * change at t + 1, to see that something changed. Evaluation, float64.
 */
function changes(experiment: Experiment, seed: number): { before: number; own: number } {
  const program = buildLanguageModel(experiment);
  const logits = program.nodes.find((node) => node.op === 'crossEntropy')?.inputs[0] ?? -1;
  const tokens = program.inputs.find(({ name }) => name === 'tokens')?.value ?? -1;
  const feeds = new Map<ValueId, NdArray>([
    ...randomParameters(program, seed, 0.6),
    ...stateFeeds(program, bindings, seed, 'evaluation'),
    ...randomTokens(program, bindings, vocabulary, seed),
  ]);
  const run = (data: Int32Array): ArrayLike<number> => {
    const moved = new Map([...feeds, [tokens, { shape: [2, 6], data }] as const]);
    return interpret(program, { bindings, mode: 'evaluation', feeds: moved, wanted: [logits] }).get(logits)?.data ?? [];
  };
  const original = feeds.get(tokens)?.data as Int32Array;
  const base = run(original);
  const found = { before: 0, own: 0 };
  for (let window = 0; window < bindings.batch; window++) {
    for (let position = 1; position < bindings.time; position++) {
      const place = window * bindings.time + position;
      const changed = Int32Array.from(original);
      changed[place] = ((changed[place] ?? 0) + 1 + (seed % (vocabulary - 1))) % vocabulary;
      const after = run(changed);
      const at = (row: number): number =>
        Math.max(
          ...Array.from({ length: vocabulary }, (_, i) =>
            Math.abs((after[row * vocabulary + i] ?? NaN) - (base[row * vocabulary + i] ?? NaN)),
          ),
        );
      for (let row = window * bindings.time; row < place; row++) found.before = Math.max(found.before, at(row));
      found.own = Math.max(found.own, at(place));
    }
  }
  return found;
}

/** A random model over what decides about causality and what might. */
function randomModel(seed: number): Record<string, unknown> {
  const stream = new RandomStream(seed, 'causality');
  let drawn = 0;
  const oneOf = <T>(...choices: readonly T[]): T => choices[Math.floor(stream.uniform(drawn++) * choices.length)] as T;
  const select = oneOf('top_k', 'top_k', 'top_k_biased', 'top_k_biased', 'expert_choice', 'dynamic', 'dynamic', 'top_p');
  const router = {
    type: oneOf('linear', 'cosine'),
    dimension: 4,
    score: oneOf('softmax', 'sigmoid'),
    select,
    renormalize: oneOf(true, false),
    balance: oneOf('none', 'gshard_first', 'entropy'),
    balance_scope: oneOf('micro', 'global'),
    jitter: oneOf(0, 0.3),
    expert_dropout: oneOf(0, 0, 0.3),
    importance: oneOf('entropy', 'row_max'),
    budget: oneOf(false, false, true),
    top_p: 0.6,
    ...(select === 'dynamic' ? { k_max: 3 } : {}),
    ...oneOf(
      {},
      {
        capacity_factor: oneOf(0.4, 0.8),
        capacity_priority: oneOf('first_choice', 'position'),
        capacity_in_evaluation: oneOf(true, true, false),
      },
    ),
  };
  const moe = {
    ...oneOf(
      { kind: 'smoe' },
      {
        kind: 'mh-moe',
        heads: oneOf(1, 2, 3),
        head_layer: oneOf(true, false),
        merge_layer: oneOf(true, false),
        inner_residual: oneOf(true, false),
        projection_bias: oneOf(true, false),
      },
    ),
    every: 1,
    experts: oneOf(3, 5),
    top_k: oneOf(1, 2, 3),
    expert_width: 4,
    shared_width: oneOf(0, 4),
    router,
  };
  const objective = oneOf('causal', 'causal', 'causal', 'causal', 'masked');
  const attention = { heads: 2, kv_heads: oneOf(1, 2), qk_norm: oneOf('none', 'head', 'full'), position: oneOf('rope', 'none') };
  const rest = {
    ffn: { width: 5, activation: oneOf('swiglu', 'relu', 'gelu') },
    ...oneOf({}, { bitnet: { weights: oneOf('ternary', 'binary'), norm: oneOf('rms', 'none') } }),
    ...oneOf(
      { moe },
      { moe },
      {
        moe: { ...moe, every: 2 },
        product_keys: {
          kind: oneOf('peer', 'pkm'),
          layers: [0],
          experts: 16,
          heads: 2,
          top_k: oneOf(1, 3),
          key_width: 4,
          query_norm: oneOf('batch', 'batch', 'none'),
          score: oneOf('softmax', 'sigmoid'),
        },
      },
    ),
  };
  const relative = objective === 'causal' && select !== 'dynamic' && oneOf(true, false);
  const projections = oneOf(['value', 'output'], ['output'], ['query', 'key', 'value', 'output'], ['query', 'key']);
  const shared_selection = oneOf(true, false);
  const moeOfHeads = { experts: oneOf(1, 3), top_k: 1, projections, shared_selection, expert_dropout: oneOf(0, 0.3) };
  const withExperts = {
    moe: moeOfHeads,
    ...(projections.includes('value') || projections.includes('key') ? { kv_heads: 2 } : {}),
  };
  return {
    ...rest,
    objective,
    attention: {
      ...attention,
      ...(relative ? { position: 'xl' } : { rope_share: oneOf(1, 0.5) }),
      ...('bitnet' in rest || oneOf(true, false) ? {} : withExperts),
    },
    norm: oneOf('rms', 'layer'),
  };
}

const drawn = Array.from({ length: 84 }, (_, index) => ({ seed: index + 1, experiment: tinyExperiment(randomModel(index + 1)) }));
const causal = drawn.filter(({ experiment }) => causality(experiment).causal);

describe('causal models', () => {
  it('are drawn in number and kind', () => {
    expect(causal.length).toBeGreaterThanOrEqual(40);
    const routers = causal.flatMap(({ experiment: { model } }) =>
      model.moe === undefined ? [] : [{ ...model.moe, bitnet: model.bitnet }],
    );
    expect(routers.some(({ kind, heads, inner_residual }) => kind === 'mh-moe' && heads > 1 && inner_residual)).toBe(true);
    expect(routers.some(({ router }) => router.type === 'cosine' && router.select === 'top_k_biased')).toBe(true);
    expect(routers.some(({ router, top_k: k }) => router.capacity_in_evaluation && router.capacity_priority === 'position' && k > 1)).toBe(
      true,
    );
    expect(routers.some(({ bitnet, shared_width: shared }) => bitnet !== undefined && shared > 0)).toBe(true);
    const attentions = causal.map(({ experiment: { model } }) => model.attention);
    for (const position of ['xl', 'rope', 'none']) {
      expect(
        attentions.filter((attention) => attention.position === position && attention.moe !== undefined).length,
      ).toBeGreaterThanOrEqual(3);
    }
    expect(routers.some(({ router, kind, heads }) => router.select === 'dynamic' && kind === 'mh-moe' && heads > 1)).toBe(true);
    expect(routers.some(({ router }) => router.select === 'top_p')).toBe(true);
    expect(causal.some(({ experiment: { model } }) => model.product_keys?.query_norm === 'batch')).toBe(true);
  });

  it.each(causal.map(({ seed, experiment }) => ({ seed, kind: experiment.model.moe?.kind, experiment })))(
    'random model $seed ($kind) does not let a token see later ones',
    ({ experiment, seed }) => {
      const { before, own } = changes(experiment, seed);
      expect(before).toBeLessThan(1e-12);
      expect(own).toBeGreaterThan(1e-6);
    },
  );

  it.each(layerKinds.filter(({ model }) => causality(tinyExperiment(model)).causal))(
    '$name does not let a token see later ones',
    ({ model }) => {
      const { before, own } = changes(tinyExperiment(model), 3);
      expect(before).toBeLessThan(1e-12);
      expect(own).toBeGreaterThan(1e-6);
    },
  );
});

const smoe = { kind: 'smoe', every: 1, experts: 3, top_k: 2, expert_width: 4 };
const dropping = { capacity_factor: 0.6, capacity_in_evaluation: true };

const leaking = [
  {
    name: 'expert choice',
    key: 'model.moe.router.select',
    model: { moe: { ...smoe, router: { select: 'expert_choice', balance: 'none' } } },
  },
  {
    name: 'expert choice of sub-tokens',
    key: 'model.moe.router.select',
    model: { moe: { ...smoe, kind: 'mh-moe', heads: 2, router: { select: 'expert_choice', balance: 'none', score: 'sigmoid' } } },
  },
  {
    name: 'capacity in evaluation, first choices first, k = 2',
    key: 'model.moe.router.capacity_in_evaluation',
    model: { moe: { ...smoe, router: dropping } },
  },
  { name: 'masked objective', key: 'model.objective', model: { objective: 'masked' } },
  {
    name: 'dynamic allocation with a budget',
    key: 'model.moe.router.budget',
    model: { moe: { ...smoe, router: { select: 'dynamic', budget: true } } },
  },
  {
    name: 'dynamic allocation of sub-tokens with a budget, by the largest weight',
    key: 'model.moe.router.budget',
    model: { moe: { ...smoe, kind: 'mh-moe', heads: 2, router: { select: 'dynamic', budget: true, importance: 'row_max', k_max: 3 } } },
  },
];

describe('models that are not causal', () => {
  it.each(leaking)('$name lets a token see later ones, and is said to', ({ model, key }) => {
    const experiment = tinyExperiment(model);
    const { causal: isCausal, reasons } = causality(experiment);
    expect(isCausal).toBe(false);
    expect(reasons.map(({ path }) => path.join('.'))).toEqual([key]);
    for (const { reason } of reasons) expect(reason).toMatch(/^Not causal: .*\.$/);
    const leak = Array.from({ length: 10 }, (_, seed) => changes(experiment, seed + 1).before);
    expect(Math.max(...leak)).toBeGreaterThan(1e-3);
  });

  it.each(['received', 'cls_row'] as const)(
    'importance: %s is refused with a causal objective, and leaks through an encoder',
    (importance) => {
      const moe = { ...smoe, router: { select: 'dynamic', importance, k_max: 3 } };
      expect(causality(tinyExperiment({ moe })).reasons.map(({ path }) => path.join('.'))).toEqual(['model.moe.router.importance']);
      expect(() => buildLanguageModel(tinyExperiment({ moe }))).toThrow(ShapeError);
      // The layer alone, whose tokens meet nowhere but in their importance: of a later token only query and key change.
      const model = tinyExperiment({ objective: 'masked', moe }).model;
      const tokens = 8;
      const layer = routedLayerProgram(model, tokens);
      let leaks = 0;
      for (let seed = 1; seed <= 5; seed++) {
        const feeds = layerFeeds(layer, tokens, seed);
        const later = new Map(feeds);
        for (const id of [layer.attended?.query ?? -1, layer.attended?.key ?? -1]) {
          const { shape, data } = feeds.get(id) as NdArray;
          later.set(id, { shape, data: Float64Array.from(data, (e, i) => (i < (tokens - 1) * (shape[1] ?? 1) ? e : 5 - 3 * e)) });
        }
        const [before, after] = [feeds, later].map((fed) => runLayer(layer, tokens, fed).output.slice(0, -model.d_model));
        if (before?.some((e, i) => Math.abs(e - (after?.[i] ?? NaN)) > 1e-3) === true) leaks++;
      }
      expect(leaks).toBeGreaterThan(2);
    },
  );

  it('attention received is a leak under a causal mask as well: it is later tokens that pay it', () => {
    const rows = (seed: number) => [[matrixOf({ shape: [6, 3], data: normals([6, 3], seed) })]];
    const [query, key] = [rows(1), rows(2)];
    const moved = query.map((heads) => heads.map((own) => own.map((row, token) => (token === 5 ? row.map((e) => 4 * e) : row))));
    const first = (q: typeof query, importance: 'received' | 'entropy' | 'row_max'): number[] =>
      importanceOracle({ query: q, key, causal: true, scale: 1 }, importance).flatMap((window) => window.slice(0, 5));
    expect(first(moved, 'received')).not.toEqual(first(query, 'received'));
    for (const own of ['entropy', 'row_max'] as const) expect(first(moved, own)).toEqual(first(query, own));
  });

  it('gives every reason', () => {
    const experiment = tinyExperiment({ ...leaking[0]?.model, objective: 'masked' });
    expect(causality(experiment).reasons).toHaveLength(2);
  });
});

describe('what makes capacity, expert choice or allocation causal again', () => {
  it.each([
    { name: 'by position', moe: { ...smoe, router: { ...dropping, capacity_priority: 'position' } } },
    { name: 'one choice', moe: { ...smoe, top_k: 1, router: dropping } },
    { name: 'in training only', moe: { ...smoe, router: { capacity_factor: 0.6 } } },
    { name: 'no layer is routed', moe: { ...smoe, every: 5, router: dropping } },
    { name: 'room for every unit', moe: { ...smoe, router: { ...dropping, capacity_factor: 1.5 } } },
    { name: 'every expert takes every unit', moe: { ...smoe, top_k: 3, router: { select: 'expert_choice', balance: 'none' } } },
    { name: 'importance without a budget', moe: { ...smoe, router: { select: 'dynamic', k_max: 3 } } },
    { name: 'a budget that leaves no choice', moe: { ...smoe, router: { select: 'dynamic', budget: true, k_min: 2, k_max: 2 } } },
  ])('$name', ({ moe }) => {
    const experiment = tinyExperiment({ moe });
    expect(causality(experiment)).toEqual({ causal: true, reasons: [] });
    for (let seed = 1; seed <= 5; seed++) expect(changes(experiment, seed).before).toBeLessThan(1e-12);
  });
});
