import type { Experiment } from '../../src/config/schema';
import { experimentSchema } from '../../src/config/schema';

/** A tiny experiment, with parts of `model` replaced. */
export function tinyExperiment(model: Record<string, unknown> = {}, train: Record<string, unknown> = {}): Experiment {
  return experimentSchema.parse({
    model: {
      vocabulary: 11,
      d_model: 12,
      layers: 2,
      context: 6,
      attention: { heads: 2 },
      ffn: { width: 10, activation: 'swiglu' },
      ...model,
    },
    train: { steps: 10, batch_tokens: 24, micro_batch: 2, warmup: 2, ...train },
  });
}

type Model = Record<string, unknown>;

const tinySmoe = { kind: 'smoe', experts: 5, top_k: 2, expert_width: 6 };
const tinyMultiHead = { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 6 };

/** A routed model with a router of its own. */
const routedBy = (router: Model, moe: Model = tinySmoe): Model => ({ moe: { ...moe, router } });

const quantised = { weights: 'ternary' };

/** A layer of product keys in place of a feed-forward network. */
const retrievedBy = (keys: Model = {}): Model => ({ product_keys: { experts: 16, heads: 2, top_k: 3, key_width: 6, ...keys } });

/** Two heads of four experts for value and output, two of them used, or with parts replaced. */
const withHeadExperts = (moe: Model = {}, attention: Model = {}): Model => ({
  attention: { heads: 2, head_width: 4, ...attention, moe: { experts: 4, top_k: 2, ...moe } },
});

const everyProjection = ['query', 'key', 'value', 'output'];

/** sigma-MoE (2310.10837): two matrices, sigmoid, entropy, expert dropout. */
const sigmaMoe: Model = {
  ffn: { width: 10, activation: 'relu' },
  moe: { ...tinySmoe, every: 1, router: { score: 'sigmoid', balance: 'entropy', balance_weight: 0.1, expert_dropout: 0.2 } },
};

/** Every kind of layer, and every mechanism of a router, that a config can choose. */
export const layerKinds: readonly { readonly name: string; readonly model: Model }[] = [
  { name: 'dense swiglu', model: {} },
  { name: 'dense relu, no positions', model: { ffn: { width: 10, activation: 'relu' }, attention: { heads: 3, position: 'none' } } },
  { name: 'dense gelu', model: { ffn: { width: 10, activation: 'gelu' } } },
  { name: 'grouped-query attention, norm of heads', model: { attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head' } } },
  { name: 'attention with norm of projections, untied output', model: { attention: { heads: 2, qk_norm: 'full' }, tie_embeddings: false } },
  { name: 'smoe top-1', model: { moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 10 } } },
  {
    name: 'fine-grained top-2, renormalised',
    model: { moe: { kind: 'smoe', every: 1, experts: 6, top_k: 2, expert_width: 5, router: { renormalize: true } } },
  },
  { name: 'smoe relu', model: { ffn: { width: 10, activation: 'relu' }, moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 8 } } },
  { name: 'smoe + shared expert', model: { moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 10, shared_width: 8 } } },
  { name: 'smoe in a listed layer', model: { moe: { ...tinySmoe, layers: [0] } } },
  { name: 'mh-moe h=2', model: { moe: { kind: 'mh-moe', heads: 2, experts: 8, top_k: 2, expert_width: 7 } } },
  {
    name: 'mh-moe h=3 + shared expert',
    model: { moe: { kind: 'mh-moe', heads: 3, experts: 9, top_k: 3, expert_width: 5, shared_width: 8 } },
  },
  {
    name: 'mh-moe without head layer',
    model: { moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7, head_layer: false } },
  },
  {
    name: 'mh-moe without merge layer',
    model: { moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7, merge_layer: false } },
  },
  { name: 'mh-moe h=1 with head and merge', model: { moe: { kind: 'mh-moe', heads: 1, experts: 5, top_k: 2, expert_width: 7 } } },
  { name: 'mh-moe with biases and inner residual', model: { moe: { ...tinyMultiHead, projection_bias: true, inner_residual: true } } },
  { name: 'mh-moe without head layer, iso-MAC', model: { moe: { ...tinyMultiHead, head_layer: false, ablation: 'iso_mac' } } },
  {
    name: 'all experts chosen, no balance',
    model: { moe: { kind: 'smoe', experts: 3, top_k: 3, expert_width: 7, router: { balance: 'none' } } },
  },
  { name: 'cosine router', model: routedBy({ type: 'cosine', dimension: 4 }) },
  {
    name: 'cosine router of sub-tokens, sigmoid, fixed temperature',
    model: routedBy({ type: 'cosine', dimension: 3, temperature: 0.07, learn_temperature: false, score: 'sigmoid' }, tinyMultiHead),
  },
  { name: 'sigmoid renormalised, balance of all choices', model: routedBy({ score: 'sigmoid', renormalize: true, balance: 'top_k' }) },
  { name: 'sigmoid, entropy balance', model: routedBy({ score: 'sigmoid', balance: 'entropy' }) },
  { name: 'switch balance', model: routedBy({ balance: 'switch' }, { ...tinySmoe, top_k: 1 }) },
  { name: 'balance of the whole step', model: routedBy({ balance: 'top_k', balance_scope: 'global' }) },
  { name: 'entropy balance of the whole step', model: routedBy({ balance: 'entropy', balance_scope: 'global', balance_weight: 0.1 }) },
  { name: 'z-loss and jitter', model: routedBy({ z_loss_weight: 0.1, jitter: 0.2 }) },
  {
    name: 'loss-free bias',
    model: routedBy({ score: 'sigmoid', select: 'top_k_biased', balance: 'loss_free', renormalize: true, bias_rate: 0.01 }),
  },
  {
    name: 'loss-free bias by error, softmax',
    model: routedBy({ select: 'top_k_biased', balance: 'loss_free', bias_rate: 0.01, bias_update: 'error' }),
  },
  { name: 'expert choice', model: routedBy({ select: 'expert_choice', balance: 'none' }) },
  { name: 'expert choice of sub-tokens', model: routedBy({ select: 'expert_choice', balance: 'none', score: 'sigmoid' }, tinyMultiHead) },
  { name: 'capacity in training', model: routedBy({ capacity_factor: 0.8 }) },
  {
    name: 'capacity by position, also in evaluation',
    model: routedBy(
      { capacity_factor: 0.8, capacity_priority: 'position', capacity_in_evaluation: true, renormalize: true },
      { ...tinyMultiHead, shared_width: 4 },
    ),
  },
  { name: 'frozen router', model: routedBy({ frozen: true }) },
  { name: 'bitnet dense', model: { bitnet: quantised } },
  { name: 'bitnet smoe', model: { ...routedBy({}, { ...tinySmoe, shared_width: 4 }), bitnet: quantised } },
  {
    name: 'bitnet mh-moe, binary, head and merge too',
    model: { ...routedBy({}, tinyMultiHead), bitnet: { weights: 'binary', norm: 'none', quantize_head_merge: true } },
  },
  { name: 'bitnet, expert choice', model: { ...routedBy({ select: 'expert_choice', balance: 'none' }), bitnet: quantised } },
  { name: 'masked objective', model: { objective: 'masked' } },
  { name: 'rotary positions on half of the channels', model: { attention: { heads: 2, rope_share: 0.5 } } },
  { name: 'LayerNorm, scaled embeddings, fan-in', model: { norm: 'layer', scale_embeddings: true, initialization: 'fan_in' } },
  { name: 'SwitchHead', model: withHeadExperts() },
  { name: 'SwitchHead, every projection, norm of heads', model: withHeadExperts({ projections: everyProjection }, { qk_norm: 'head' }) },
  {
    name: 'SwitchHead, query and key, norm of projections',
    model: withHeadExperts({ projections: ['query', 'key'], top_k: 1 }, { qk_norm: 'full' }),
  },
  { name: 'SwitchHead, shared selection, expert dropout', model: withHeadExperts({ shared_selection: true, expert_dropout: 0.3 }) },
  { name: 'SwitchHead, gated dense heads', model: withHeadExperts({ experts: 1, top_k: 1 }) },
  { name: 'SwitchHead, output experts over grouped heads', model: withHeadExperts({ projections: ['output'] }, { heads: 4, kv_heads: 2 }) },
  { name: 'Transformer-XL', model: { attention: { heads: 2, position: 'xl' }, norm: 'layer' } },
  {
    name: 'Transformer-XL, grouped heads',
    model: { attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head', position: 'xl' } },
  },
  { name: 'Transformer-XL, SwitchHead', model: withHeadExperts({}, { position: 'xl' }) },
  {
    name: 'Transformer-XL, SwitchHead, every projection, shared selection',
    model: withHeadExperts({ projections: everyProjection, shared_selection: true, expert_dropout: 0.3 }, { position: 'xl' }),
  },
  {
    name: 'SwitchAll',
    model: { ...sigmaMoe, ...withHeadExperts({}, { position: 'xl' }), norm: 'layer', tie_embeddings: false, initialization: 'fan_in' },
  },
  { name: 'expert dropout', model: routedBy({ expert_dropout: 0.3 }) },
  { name: 'expert dropout under a loss-free bias', model: routedBy({ select: 'top_k_biased', balance: 'loss_free', expert_dropout: 0.3 }) },
  {
    name: 'dynamic allocation',
    model: routedBy({ select: 'dynamic', balance: 'top_k', balance_scope: 'global' }, { ...tinySmoe, every: 1 }),
  },
  {
    name: 'dynamic allocation by the largest weight, renormalised, sigmoid',
    model: routedBy({ select: 'dynamic', importance: 'row_max', k_max: 5, renormalize: true, score: 'sigmoid' }),
  },
  { name: 'dynamic allocation, budget', model: routedBy({ select: 'dynamic', budget: true, expert_dropout: 0.3 }) },
  {
    name: 'dynamic allocation of sub-tokens, capacity, grouped heads',
    model: {
      ...routedBy({ select: 'dynamic', k_max: 3, capacity_factor: 0.8, capacity_priority: 'position' }, tinyMultiHead),
      attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head' },
    },
  },
  {
    name: 'dynamic allocation by what is received, encoder',
    model: { ...routedBy({ select: 'dynamic', importance: 'received', k_max: 5 }), objective: 'masked' },
  },
  {
    name: 'dynamic allocation by the first row, encoder, budget',
    model: { ...routedBy({ select: 'dynamic', importance: 'cls_row', budget: true }, tinyMultiHead), objective: 'masked' },
  },
  {
    name: 'dynamic allocation by entropy, encoder, bitnet',
    model: { ...routedBy({ select: 'dynamic', k_min: 2, k_max: 4 }), objective: 'masked', bitnet: quantised },
  },
  { name: 'top-p', model: routedBy({ select: 'top_p', top_p: 0.5, entropy_weight: 0.01, balance: 'top_k' }) },
  {
    name: 'top-p of sub-tokens, at most 3, capacity, renormalised',
    model: routedBy(
      { select: 'top_p', top_p: 0.6, k_max: 3, capacity_factor: 0.8, capacity_in_evaluation: true, renormalize: true },
      tinyMultiHead,
    ),
  },
  { name: 'peer', model: retrievedBy() },
  { name: 'peer relu, sigmoid, queries not normalised', model: retrievedBy({ activation: 'relu', score: 'sigmoid', query_norm: 'none' }) },
  {
    name: 'peer glu, dense tables at a rate of their own, beside smoe',
    model: {
      ...retrievedBy({ activation: 'glu', optimizer: 'dense', learning_rate_scale: 3, layers: [0] }),
      moe: { ...tinySmoe, layers: [1] },
    },
  },
  {
    name: 'peer in every layer, fan-in, LayerNorm',
    model: { ...retrievedBy({ layers: [0, 1] }), norm: 'layer', initialization: 'fan_in' },
  },
  { name: 'pkm', model: retrievedBy({ kind: 'pkm', heads: 1, top_k: 4 }) },
  {
    name: 'pkm, sigmoid, dense table, encoder',
    model: { ...retrievedBy({ kind: 'pkm', score: 'sigmoid', optimizer: 'dense' }), objective: 'masked' },
  },
  {
    name: 'peer with SwitchHead and Transformer-XL',
    model: { ...retrievedBy(), ...withHeadExperts({}, { position: 'xl' }) },
  },
];
