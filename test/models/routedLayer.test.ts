import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import type { ExperimentInput, ModelConfig } from '../../src/config/schema';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { layerFeeds, matrixOf, oracleWeights, routedLayerProgram, runLayer } from './support/routedLayer';
import { routedLayerOracle } from './support/routedLayerOracle';

type Moe = NonNullable<ExperimentInput['model']['moe']>;
type Router = NonNullable<Moe['router']>;
type Mode = 'training' | 'evaluation';

const tokens = 7;

function expectClose(actual: readonly number[], expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const error = Math.max(...expected.map((e, i) => Math.abs(e - (actual[i] ?? NaN))));
  expect(error, what).toBeLessThan(1e-11 * Math.max(1, ...expected.map(Math.abs)));
}

/** One layer of `model` with random weights against the oracle: output, losses, counts, drops and the next bias. */
function expectOracle(model: ModelConfig, seed: number, mode: Mode, what: string): void {
  const { moe } = model;
  if (moe === undefined) throw new RangeError('The model has no routed layers.');
  const built = routedLayerProgram(model, tokens);
  const feeds = layerFeeds(built, tokens, seed, mode);
  const actual = runLayer(built, tokens, feeds, mode);
  const given = (id: number | undefined) => {
    const value = feeds.get(id ?? -1);
    return value === undefined ? undefined : matrixOf(value);
  };
  const [bias, jitter] = [given(built.program.buffers[0]?.value)?.[0], given(built.program.noises[0]?.value)];
  const expected = routedLayerOracle(given(built.x) ?? [], model, moe, oracleWeights(built, feeds), {
    training: mode === 'training',
    ...(bias === undefined ? {} : { bias }),
    ...(jitter === undefined ? {} : { jitter }),
  });
  expectClose(actual.output, expected.output.flat(), `${what}: output`);
  expect(actual.counts, `${what}: counts`).toEqual(expected.counts);
  expect(actual.balance === undefined, `${what}: balance`).toBe(expected.balance === undefined);
  expect(actual.balance ?? 0, `${what}: balance`).toBeCloseTo(expected.balance ?? 0, 12);
  if (moe.router.z_loss_weight > 0) expect(actual.zLoss, `${what}: z-loss`).toBeCloseTo(expected.zLoss, 11);
  expect(actual.zLoss === undefined, `${what}: z-loss`).toBe(moe.router.z_loss_weight === 0);
  const pairs = expected.counts.reduce((sum, count) => sum + count, 0);
  const capped = moe.router.capacity_factor !== undefined && moe.router.select !== 'expert_choice';
  expect(actual.dropped, `${what}: dropped`).toBe(capped ? expected.dropped : undefined);
  if (capped) expect(actual.dropRate, `${what}: drop rate`).toBeCloseTo(expected.dropped / pairs, 12);
  if (moe.router.select === 'top_k_biased') expectClose(actual.updates.flat(), expected.nextBias, `${what}: bias`);
}

function modelOf(moe: Partial<Moe>, router: Router, rest: Partial<ExperimentInput['model']> = {}): ModelConfig {
  return experimentSchema.parse({
    model: {
      d_model: 6,
      layers: 1,
      context: 8,
      attention: { heads: 1 },
      ffn: { width: 5 },
      ...rest,
      moe: { kind: 'smoe', experts: 5, top_k: 2, expert_width: 3, every: 1, ...moe, router },
    },
  }).model;
}

const selects = ['top_k', 'top_k_biased', 'expert_choice'] as const;
const scores = ['softmax', 'sigmoid'] as const;
const capacities = [
  { name: 'dropless', router: {} },
  { name: 'first choices first', router: { capacity_factor: 0.7 } },
  { name: 'by position', router: { capacity_factor: 0.7, capacity_priority: 'position' } },
  { name: 'also in evaluation', router: { capacity_factor: 0.7, capacity_in_evaluation: true } },
] as const;

describe('a routed layer equals the masked sum of an independent oracle', () => {
  describe.each(selects)('%s', (select) => {
    it.each(scores.flatMap((score) => [true, false].map((renormalize) => ({ score, renormalize }))))(
      '$score, renormalize $renormalize, with every balance and capacity',
      ({ score, renormalize }) => {
        let seed = 0;
        for (const balance of ['none', 'switch', 'gshard_first', 'top_k', 'entropy', 'loss_free'] as const) {
          for (const capacity of capacities) {
            // Only capacity asks which of the two it is.
            for (const mode of capacity.name === 'dropless' ? (['training'] as const) : (['training', 'evaluation'] as const)) {
              const k = balance === 'switch' ? 1 : 2 + (++seed % 2);
              const router = { select, score, balance, ...capacity.router, ...(select === 'expert_choice' ? {} : { renormalize }) };
              expectOracle(modelOf({ top_k: k }, router), seed, mode, `${balance}, ${capacity.name}, ${mode}, k = ${k}, seed ${seed}`);
            }
          }
        }
      },
    );
  });

  it.each(['training', 'evaluation'] as const)('with cosine logits, jitter and z-loss, in %s', (mode) => {
    let seed = 100;
    for (const type of ['linear', 'cosine'] as const) {
      for (const score of scores) {
        const router = { type, score, dimension: 3, jitter: 0.3, z_loss_weight: 0.01 };
        expectOracle(modelOf({}, router), ++seed, mode, `${type}, ${score}`);
      }
    }
  });

  it('with sub-tokens: head and merge on or off, biases, inner residual, shared expert', () => {
    let seed = 200;
    for (const heads of [1, 2, 3]) {
      for (const head_layer of [true, false]) {
        for (const merge_layer of [true, false]) {
          for (const extra of [{}, { projection_bias: true, inner_residual: true }, { shared_width: 4, inner_residual: true }]) {
            const moe = { kind: 'mh-moe', heads, head_layer, merge_layer, ...extra } as const;
            expectOracle(modelOf(moe, {}), ++seed, 'training', JSON.stringify(moe));
          }
        }
      }
    }
  });

  it('with every activation and every BitLinear', () => {
    let seed = 300;
    const bitnets = (['ternary', 'binary'] as const).flatMap((weights) =>
      (['rms', 'none'] as const).flatMap((norm) =>
        [8 as const, 'none' as const].map((activation_bits) => ({ weights, norm, activation_bits, quantize_head_merge: norm === 'none' })),
      ),
    );
    for (const activation of ['swiglu', 'relu', 'gelu'] as const) {
      for (const bitnet of [undefined, ...bitnets]) {
        for (const select of ['top_k', 'expert_choice'] as const) {
          const rest = { ffn: { width: 5, activation }, ...(bitnet === undefined ? {} : { bitnet }) };
          const model = modelOf({ kind: 'mh-moe', heads: 2, shared_width: 4 }, { select }, rest);
          expectOracle(model, ++seed, 'training', `${activation}, ${select}, ${JSON.stringify(bitnet)}`);
        }
      }
    }
  });

  it.each(layerKinds.filter(({ model }) => model['moe'] !== undefined))('$name', ({ model }) => {
    for (const mode of ['training', 'evaluation'] as const) expectOracle(tinyExperiment(model).model, 7, mode, mode);
  });

  it('with capacities that fill exactly and that drop nearly all', () => {
    for (const capacity_factor of [0.01, 1, 5 / 2, 10]) {
      for (const capacity_priority of ['first_choice', 'position'] as const) {
        expectOracle(modelOf({}, { capacity_factor, capacity_priority }), 9, 'training', `${capacity_factor} ${capacity_priority}`);
      }
    }
  });
});
