import fc from 'fast-check';
import type { Experiment, ExperimentInput } from '../../src/config/schema';
import { experimentSchema } from '../../src/config/schema';

type Router = NonNullable<NonNullable<ExperimentInput['model']['moe']>['router']>;

type ObjectiveName = 'causal' | 'masked';

/** Draws one of the values. */
type OneOf = <const T>(...values: readonly T[]) => T;

/** Keys that only matter together are drawn together, so that every experiment drawn is one that the config accepts. */
function router(oneOf: OneOf, topK: number, objective: ObjectiveName): Router {
  const select = oneOf('top_k', 'top_k', 'top_k_biased', 'expert_choice', 'dynamic', 'top_p');
  const type = oneOf('linear', 'linear', 'cosine');
  const shared: Router = {
    type,
    score: oneOf('softmax', 'sigmoid'),
    select,
    z_loss_weight: oneOf(0, 0.001),
    jitter: oneOf(0, 0, 0.1),
    frozen: oneOf(false, false, false, true) && select !== 'top_k_biased',
    ...(type === 'cosine' ? { dimension: oneOf(3, 4), temperature: oneOf(0.07, 0.3), learn_temperature: oneOf(true, false) } : {}),
  };
  if (select === 'expert_choice') return { ...shared, balance: 'none' };
  const varies = select === 'dynamic' || select === 'top_p';
  const balance =
    select === 'top_k_biased'
      ? oneOf('loss_free', 'top_k')
      : oneOf(...(['none', 'gshard_first', 'top_k', 'entropy', ...(topK === 1 && !varies ? ['switch' as const] : [])] as const));
  // There is always one expert more than top_k, but where the ablation by MACs, which is drawn with top_k 1 alone, changes their number.
  const most = varies && topK > 1 ? oneOf<{ k_max?: number }>({}, { k_max: topK + 1 }) : {};
  return {
    ...shared,
    balance,
    renormalize: oneOf(true, false) && topK > 1,
    ...(balance === 'none' || balance === 'loss_free' ? {} : { balance_scope: oneOf('micro', 'global'), balance_weight: 0.02 }),
    ...(select === 'top_k_biased' ? { bias_rate: 0.01, bias_update: oneOf('sign', 'error') } : {}),
    ...most,
    ...(select === 'dynamic'
      ? {
          importance: objective === 'causal' ? oneOf('entropy', 'row_max') : oneOf('received', 'cls_row', 'row_max', 'entropy'),
          budget: oneOf(false, false, true),
          k_min: oneOf(1, topK),
        }
      : {}),
    ...(select === 'top_p' ? { top_p: oneOf(0.3, 0.7), entropy_weight: oneOf(0, 0.01) } : {}),
    expert_dropout: oneOf(0, 0, 0.2),
    ...oneOf(
      {},
      {
        capacity_factor: oneOf(0.5, 1, 1.25),
        capacity_priority: oneOf('first_choice', 'position'),
        capacity_in_evaluation: oneOf(true, false),
      },
    ),
  };
}

/** A layer of product keys in place of the feed-forward network of one that is not routed. */
function productKeys(oneOf: OneOf, layer: number): NonNullable<ExperimentInput['model']['product_keys']> {
  const keys: NonNullable<ExperimentInput['model']['product_keys']> = {
    layers: [layer],
    experts: oneOf(9, 25),
    heads: oneOf(1, 2, 3),
    top_k: oneOf(2, 3),
    key_width: oneOf(4, 6),
    query_norm: oneOf('batch', 'batch', 'none'),
    score: oneOf('softmax', 'sigmoid'),
    optimizer: oneOf('lazy', 'lazy', 'dense'),
    learning_rate_scale: oneOf(1, 1, 2),
  };
  return oneOf(true, true, false) ? { ...keys, kind: 'peer', activation: oneOf('gelu', 'relu', 'glu') } : { ...keys, kind: 'pkm' };
}

function mixtureOfExperts(oneOf: OneOf, layers: number, objective: ObjectiveName): NonNullable<ExperimentInput['model']['moe']> {
  const topK = oneOf(1, 2, 3);
  const routing = router(oneOf, topK, objective);
  const common = {
    // Expert choice needs a unit for every expert.
    experts: topK + (routing.select === 'expert_choice' ? oneOf(1, 2) : oneOf(1, 2, 5)),
    top_k: topK,
    expert_width: oneOf(3, 8),
    shared_width: oneOf(0, 0, 5),
    router: routing,
    ...oneOf<{ every?: number; layers?: number[] }>({}, { every: 1 }, { layers: [layers - 1] }),
  };
  if (oneOf('smoe', 'mh-moe') === 'smoe') return { kind: 'smoe', ...common };
  return {
    kind: 'mh-moe',
    ...common,
    heads: oneOf(1, 2, 3),
    head_layer: oneOf(true, false),
    merge_layer: oneOf(true, false),
    projection_bias: oneOf(true, false),
    inner_residual: oneOf(true, false),
    // Widths stay integral.
    ablation: topK === 1 ? oneOf('remove_only', 'iso_mac') : 'remove_only',
  };
}

type Attention = ExperimentInput['model']['attention'];

function headExperts(oneOf: OneOf): NonNullable<Attention['moe']> {
  const topK = oneOf(1, 2);
  return {
    experts: topK + oneOf(0, 1, 3),
    top_k: topK,
    projections: [...oneOf(['value', 'output'], ['value'], ['output'], ['query', 'key'], ['query', 'key', 'value', 'output'])],
    shared_selection: oneOf(false, false, true),
    expert_dropout: oneOf(0, 0.2),
  };
}

/** Relative positions are for causal models, and have no importance that `select: dynamic` could read. */
function attention(oneOf: OneOf, objective: ObjectiveName, dynamic: boolean, quantised: boolean): Attention {
  const heads = oneOf(2, 4);
  const moe = !quantised && oneOf(false, false, true) ? headExperts(oneOf) : undefined;
  const shared = moe?.projections?.some((projection) => projection === 'key' || projection === 'value') !== true;
  return {
    heads,
    position: objective === 'causal' && !dynamic ? oneOf('rope', 'none', 'xl') : oneOf('rope', 'none'),
    rope_share: oneOf(1, 0.5),
    qk_norm: oneOf('none', 'none', 'head', 'full'),
    ...(shared ? oneOf<{ kv_heads?: number }>({}, { kv_heads: 1 }, { kv_heads: 2 }) : {}),
    ...(heads === 2 ? oneOf<{ head_width?: number }>({}, { head_width: 4 }) : { head_width: 4 }),
    ...(moe === undefined ? {} : { moe }),
  };
}

/** Tiny experiments over everything a config can choose in a model. */
export const randomExperiment: fc.Arbitrary<Experiment> = fc.gen().map((generate) => {
  const oneOf: OneOf = (...values) => generate(() => fc.constantFrom(...values)) as (typeof values)[number];
  const layers = oneOf(2, 3);
  const objective = oneOf('causal', 'causal', 'causal', 'masked');
  const moe = oneOf(false, true, true, true, true) ? mixtureOfExperts(oneOf, layers, objective) : undefined;
  // Layer 0 is dense but where every layer is routed.
  const keys = moe?.every !== 1 && oneOf(false, false, true) ? productKeys(oneOf, 0) : undefined;
  const quantised = oneOf(false, false, true)
    ? {
        weights: oneOf('ternary', 'binary'),
        activation_bits: oneOf<8 | 'none'>(8, 'none'),
        norm: oneOf('rms', 'none'),
        quantize_head_merge: moe?.kind === 'mh-moe' && oneOf(true, false),
      }
    : undefined;
  const microBatch = oneOf(1, 2);
  const context = oneOf(4, 6);
  return experimentSchema.parse({
    model: {
      vocabulary: 17,
      d_model: 12,
      layers,
      context,
      objective,
      tie_embeddings: oneOf(true, true, false),
      norm: oneOf('rms', 'rms', 'layer'),
      initialization: oneOf('gpt2', 'gpt2', 'fan_in'),
      scale_embeddings: oneOf(false, false, true),
      attention: attention(oneOf, objective, moe?.router?.select === 'dynamic', quantised !== undefined),
      ffn: { width: oneOf(7, 16), activation: oneOf('swiglu', 'relu', 'gelu') },
      ...(moe === undefined ? {} : { moe }),
      ...(keys === undefined ? {} : { product_keys: keys }),
      ...(quantised === undefined ? {} : { bitnet: quantised }),
    },
    train: {
      steps: 10,
      micro_batch: microBatch,
      batch_tokens: microBatch * context * oneOf(1, 2, 3),
      warmup: 2,
      seed: generate(() => fc.integer({ min: 0, max: 1e6 })),
    },
  } satisfies ExperimentInput);
});
