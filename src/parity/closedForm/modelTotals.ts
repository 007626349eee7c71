import { isProductKeyLayer, isRoutedLayer } from '../../config/placement';
import type { ModelConfig } from '../../config/schema';
import type { PartCost } from '../comparedPart';
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
 * A whole model's parameters and MACs per token, without what chooses experts and of that, as in `modelCost`. Costs little for a model
 * whose placement is known, and takes sizes that are not whole.
 */
export function modelTotals(model: ModelConfig, placement: Placement): PartCost {
  return withRouting(model, placement, totalsBesideRouting(model, placement));
}

/** Of everything but routed and retrieving layers, which `withRouting` adds: most models that are compared differ in these alone. */
export function totalsBesideRouting(model: ModelConfig, { dense }: Placement): PartCost {
  const { d_model: d, layers: depth, vocabulary } = model;
  const attention = attentionCost(model);
  const table = vocabulary * d;
  const norms = (2 * depth + 1) * d * (model.norm === 'layer' ? 2 : 1) + depth * attention.normParameters;
  const { ffn } = denseCost(model);
  return {
    parameters:
      (model.tie_embeddings ? 1 : 2) * table +
      norms +
      depth * (attention.parameters + attention.positionParameters) +
      dense * ffn.parameters,
    routerParameters: depth * attention.routerParameters,
    macs: table + depth * (attention.projections + attention.experts + attention.core + attention.position) + dense * ffn.macs,
    routerMacs: depth * attention.selections,
  };
}

export function withRouting(model: ModelConfig, { routed, retrieving }: Placement, others: PartCost): PartCost {
  const { moe, product_keys: keys } = model;
  const plusRouted = moe !== undefined && routed > 0 ? plus(others, routedCost(model, moe), routed) : others;
  return keys !== undefined && retrieving > 0 ? plus(plusRouted, retrievingCost(model, keys), retrieving) : plusRouted;
}

function plus(totals: PartCost, { experts, head, merge, shared, router }: FeedForwardCost, layers: number): PartCost {
  return {
    parameters: totals.parameters + layers * (experts.parameters + head.parameters + merge.parameters + shared.parameters),
    routerParameters: totals.routerParameters + layers * router.parameters,
    macs: totals.macs + layers * (experts.macs + head.macs + merge.macs + shared.macs),
    routerMacs: totals.routerMacs + layers * router.macs,
  };
}
