import { matricesPerExpert, resultingExperts, unitsPerToken } from '../../config/moeShape';
import type { ModelConfig, MoeConfig, ProductKeysConfig } from '../../config/schema';
import type { LayerCount } from '../../models/count';
import { retrievalCost } from '../retrievalCost';

/** Parameters, how many of them one token uses, and multiply-adds per token. */
export interface PartFigures {
  readonly parameters: number;
  readonly active: number;
  readonly macs: number;
}

/** What stands in one layer behind attention, its norm apart. */
export interface FeedForwardCost {
  readonly kind: LayerCount['kind'];
  /** The last part of the layer's name. */
  readonly scope: 'ffn' | 'moe' | 'product_keys';
  readonly ffn: PartFigures;
  readonly experts: PartFigures;
  readonly head: PartFigures;
  readonly merge: PartFigures;
  readonly shared: PartFigures;
  readonly router: PartFigures;
  /** Multiply-adds of one expert for each routed unit. */
  readonly macsPerChoice: number;
}

const nothing: PartFigures = { parameters: 0, active: 0, macs: 0 };

/** What every token passes whole. */
function whole(parameters: number, macs = parameters): PartFigures {
  return { parameters, active: parameters, macs };
}

/** n d f: n matrices between the width of the model and that of the layer. */
export function denseCost(model: ModelConfig): FeedForwardCost {
  return {
    kind: 'dense',
    scope: 'ffn',
    ffn: whole(matricesPerExpert(model) * model.d_model * model.ffn.width),
    experts: nothing,
    head: nothing,
    merge: nothing,
    shared: nothing,
    router: nothing,
    macsPerChoice: 0,
  };
}

/**
 * E experts of width f with n matrices, k of them for each of the h units of a token, whose width is d / h (2411.16205 Eq. 6 and 7, which
 * have n = 2):
 *
 *     experts       n (d/h) f E     h k n (d/h) f MACs per token; a token uses h k of them at the most
 *     head, merge   d^2 each        d^2, and their biases, which are no MACs
 *     shared        n d f_s         n d f_s
 *     router        (d/h) E         d E; by cosine (d/h) r + r E + 1, and h times (d/h) r + r E MACs
 */
export function routedCost(model: ModelConfig, moe: MoeConfig): FeedForwardCost {
  const { d_model: d } = model;
  const units = unitsPerToken(moe);
  const matrices = matricesPerExpert(model);
  const { experts, width } = resultingExperts(model, moe);
  const expert = (matrices * d * width) / units;
  const projection = (present: boolean): PartFigures =>
    moe.kind === 'mh-moe' && present ? whole(d * d + (moe.projection_bias ? d : 0), d * d) : nothing;
  const macsPerChoice = units * expert;
  return {
    kind: moe.kind,
    scope: 'moe',
    ffn: nothing,
    experts: { parameters: experts * expert, active: Math.min(experts, units * moe.top_k) * expert, macs: moe.top_k * macsPerChoice },
    head: projection(moe.head_layer),
    merge: projection(moe.merge_layer),
    shared: moe.shared_width === 0 ? nothing : whole(matrices * d * moe.shared_width),
    router: routerCost(moe, d / units, units, experts),
    macsPerChoice,
  };
}

function routerCost({ router }: MoeConfig, width: number, units: number, experts: number): PartFigures {
  if (router.type === 'linear') return whole(width * experts, units * width * experts);
  const matrices = width * router.dimension + router.dimension * experts;
  return whole(matrices + 1, units * matrices);
}

/** A layer of product keys: see `retrievalCost`. Heads share experts, of which a token uses heads * k at the most. */
export function retrievingCost(model: ModelConfig, keys: ProductKeysConfig): FeedForwardCost {
  const { experts, queries, subKeys } = retrievalCost(keys, model.d_model);
  const used = Math.min(keys.experts, keys.heads * keys.top_k);
  return {
    kind: keys.kind,
    scope: 'product_keys',
    ffn: nothing,
    experts: { ...experts, active: (experts.parameters / keys.experts) * used },
    head: nothing,
    merge: nothing,
    shared: nothing,
    router: whole(queries.parameters + subKeys.parameters, queries.macs + subKeys.macs),
    macsPerChoice: 0,
  };
}
