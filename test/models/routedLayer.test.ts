import { describe, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import type { ExperimentInput, ModelConfig } from '../../src/config/schema';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { expectOracle } from './support/expectOracle';

type Moe = NonNullable<ExperimentInput['model']['moe']>;
type Router = NonNullable<Moe['router']>;

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

const selects = ['top_k', 'top_k_biased', 'expert_choice', 'dynamic', 'top_p'] as const;
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
              const what = `${balance}, ${capacity.name}, ${mode}, k = ${k}, seed ${seed}`;
              expectOracle(modelOf({ top_k: k }, router), { seed, mode, what });
            }
          }
        }
      },
    );
  });

  it.each(['training', 'evaluation'] as const)('with cosine logits, jitter, z-loss and expert dropout, in %s', (mode) => {
    let seed = 100;
    for (const type of ['linear', 'cosine'] as const) {
      for (const score of scores) {
        const router = { type, score, dimension: 3, jitter: 0.3, z_loss_weight: 0.01, expert_dropout: score === 'softmax' ? 0.4 : 0 };
        expectOracle(modelOf({}, router), { seed: ++seed, mode, what: `${type}, ${score}` });
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
            expectOracle(modelOf(moe, {}), { seed: ++seed, mode: 'training', what: JSON.stringify(moe) });
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
          expectOracle(model, { seed: ++seed, mode: 'training', what: `${activation}, ${select}, ${JSON.stringify(bitnet)}` });
        }
      }
    }
  });

  it.each(layerKinds.filter(({ model }) => model['moe'] !== undefined))('$name', ({ model }) => {
    for (const mode of ['training', 'evaluation'] as const) expectOracle(tinyExperiment(model).model, { seed: 7, mode, what: mode });
  });

  it('with capacities that fill exactly and that drop nearly all', () => {
    for (const capacity_factor of [0.01, 1, 5 / 2, 10]) {
      for (const capacity_priority of ['first_choice', 'position'] as const) {
        const what = `${capacity_factor} ${capacity_priority}`;
        expectOracle(modelOf({}, { capacity_factor, capacity_priority }), { seed: 9, mode: 'training', what });
      }
    }
  });
});
