import { describe, expect, it } from 'vitest';
import { causality } from '../../src/config/causality';
import type { Experiment } from '../../src/config/schema';
import { RandomStream } from '../../src/graph/random';
import type { ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { interpret, randomParameters, randomTokens, stateFeeds } from '../support/programs';

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
  const select = oneOf('top_k', 'top_k', 'top_k_biased', 'top_k_biased', 'expert_choice');
  const router = {
    type: oneOf('linear', 'cosine'),
    dimension: 4,
    score: oneOf('softmax', 'sigmoid'),
    select,
    renormalize: oneOf(true, false),
    balance: oneOf('none', 'gshard_first', 'entropy'),
    balance_scope: oneOf('micro', 'global'),
    jitter: oneOf(0, 0.3),
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
  return {
    objective: oneOf('causal', 'causal', 'causal', 'causal', 'masked'),
    attention: { heads: 2, kv_heads: oneOf(1, 2), qk_norm: oneOf('none', 'head', 'full'), position: oneOf('rope', 'none') },
    ffn: { width: 5, activation: oneOf('swiglu', 'relu', 'gelu') },
    ...oneOf({}, { bitnet: { weights: oneOf('ternary', 'binary'), norm: oneOf('rms', 'none') } }),
    moe,
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

  it('gives every reason', () => {
    const experiment = tinyExperiment({ ...leaking[0]?.model, objective: 'masked' });
    expect(causality(experiment).reasons).toHaveLength(2);
  });
});

describe('what makes capacity, or expert choice, causal again', () => {
  it.each([
    { name: 'by position', moe: { ...smoe, router: { ...dropping, capacity_priority: 'position' } } },
    { name: 'one choice', moe: { ...smoe, top_k: 1, router: dropping } },
    { name: 'in training only', moe: { ...smoe, router: { capacity_factor: 0.6 } } },
    { name: 'no layer is routed', moe: { ...smoe, every: 5, router: dropping } },
    { name: 'room for every unit', moe: { ...smoe, router: { ...dropping, capacity_factor: 1.5 } } },
    { name: 'every expert takes every unit', moe: { ...smoe, top_k: 3, router: { select: 'expert_choice', balance: 'none' } } },
  ])('$name', ({ moe }) => {
    const experiment = tinyExperiment({ moe });
    expect(causality(experiment)).toEqual({ causal: true, reasons: [] });
    for (let seed = 1; seed <= 5; seed++) expect(changes(experiment, seed).before).toBeLessThan(1e-12);
  });
});
