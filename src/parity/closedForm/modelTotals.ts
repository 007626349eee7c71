import { isProductKeyLayer, isRoutedLayer } from '../../config/placement';
import type { ModelConfig } from '../../config/schema';
import type { PartCost } from '../comparedPart';
import type { AttentionCost } from './attentionCost';
import { attentionCost } from './attentionCost';
import type { FeedForwardCost } from './feedForwardCost';
import { denseCost, retrievingCost, routedCost } from './feedForwardCost';

/** How many layers of a model are of which kind. */
export interface Placement {
  readonly dense: number;
  readonly routed: number;
  readonly retrieving: number;
}

export function placementOf(model: ModelConfig): Placement {
  let [routed, retrieving] = [0, 0];
  for (let index = 0; index < model.layers; index++) {
    if (isProductKeyLayer(model, index)) retrieving += 1;
    else if (isRoutedLayer(model, index)) routed += 1;
  }
  return { dense: model.layers - routed - retrieving, routed, retrieving };
}

/**
 * A whole model's parameters and MACs per token, without what chooses experts and of that, as in `modelCost`. Costs next to nothing for a model whose placement
 * is known, still less if its attention is, and takes sizes that are not whole.
 */
export function modelTotals(model: ModelConfig, placement: Placement, attention: AttentionCost = attentionCost(model)): PartCost {
  const { d_model: d, layers: depth, vocabulary, moe, product_keys: keys } = model;
  const table = vocabulary * d;
  const norms = (2 * depth + 1) * d * (model.norm === 'layer' ? 2 : 1) + depth * attention.normParameters;
  const totals = {
    parameters: (model.tie_embeddings ? 1 : 2) * table + norms + depth * (attention.parameters + attention.positionParameters),
    routerParameters: depth * attention.routerParameters,
    macs: table + depth * (attention.projections + attention.experts + attention.core + attention.position),
    routerMacs: depth * attention.selections,
  };
  if (placement.dense > 0) add(totals, denseCost(model), placement.dense);
  if (moe !== undefined && placement.routed > 0) add(totals, routedCost(model, moe), placement.routed);
  if (keys !== undefined && placement.retrieving > 0) add(totals, retrievingCost(model, keys), placement.retrieving);
  return totals;
}

function add(totals: { -readonly [Figure in keyof PartCost]: number }, cost: FeedForwardCost, layers: number): void {
  const { ffn, experts, head, merge, shared, router } = cost;
  totals.parameters += layers * (ffn.parameters + experts.parameters + head.parameters + merge.parameters + shared.parameters);
  totals.macs += layers * (ffn.macs + experts.macs + head.macs + merge.macs + shared.macs);
  totals.routerParameters += layers * router.parameters;
  totals.routerMacs += layers * router.macs;
}
