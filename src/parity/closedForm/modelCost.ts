import { unitsPerToken } from '../../config/moeShape';
import { isProductKeyLayer, isRoutedLayer } from '../../config/placement';
import type { ModelConfig } from '../../config/schema';
import type { LayerCount, ModelCount } from '../../models/count';
import { attentionCost } from './attentionCost';
import type { FeedForwardCost, PartFigures } from './feedForwardCost';
import { denseCost, retrievingCost, routedCost } from './feedForwardCost';

/**
 * What a model costs by the equations of the papers, without its program: equal to `countModel` of the program in every figure, at a small
 * part of the time, for what asks about many models that are never built: solvers, sweeps, the effect of one more expert. Whole numbers
 * throughout.
 */
export function modelCost(model: ModelConfig): ModelCount {
  const { d_model: d, layers: depth, vocabulary } = model;
  const attention = attentionCost(model);
  const costs = layerCosts(model);
  const over = (part: Part, figure: keyof PartFigures): number => costs.reduce((total, cost) => total + cost[part][figure], 0);
  const table = vocabulary * d;
  const output = model.tie_embeddings ? 0 : table;
  // Before attention and before what stands behind it in each layer, and before the logits.
  const norms = (2 * depth + 1) * d * (model.norm === 'layer' ? 2 : 1) + depth * attention.normParameters;
  const parameters = {
    embedding: table,
    attention: depth * attention.parameters,
    position: depth * attention.positionParameters,
    ffn: over('ffn', 'parameters'),
    experts: over('experts', 'parameters'),
    shared: over('shared', 'parameters'),
    router: over('router', 'parameters') + depth * attention.routerParameters,
    head: over('head', 'parameters'),
    merge: over('merge', 'parameters'),
    norm: norms,
    output,
  };
  const unused = depth * (attention.parameters - attention.active) + over('experts', 'parameters') - over('experts', 'active');
  const total = sum(parameters);
  const routed = {
    experts: over('experts', 'macs'),
    head: over('head', 'macs'),
    merge: over('merge', 'macs'),
    shared: over('shared', 'macs'),
  };
  const macs = {
    attention: depth * (attention.projections + attention.experts),
    attentionCore: depth * attention.core,
    position: depth * attention.position,
    ffn: over('ffn', 'macs'),
    experts: sum(routed),
    router: over('router', 'macs') + depth * attention.selections,
    logits: table,
  };
  return {
    parameters: { total, active: total - unused, ...parameters },
    activeIsUpperBound: costs.some(({ scope }) => mayMeet(model, scope)),
    macsPerToken: { total: sum(macs), ...macs },
    routed,
    attention: {
      projections: depth * attention.projections,
      experts: depth * attention.experts,
      selections: depth * attention.selections,
    },
    layers: costs.map(layerCount),
  };
}

const parts = ['ffn', 'experts', 'head', 'merge', 'shared', 'router'] as const;
type Part = (typeof parts)[number];

/** Of every layer; layers of a kind are one object. */
function layerCosts(model: ModelConfig): readonly FeedForwardCost[] {
  const dense = denseCost(model);
  const routed = model.moe && routedCost(model, model.moe);
  const retrieving = model.product_keys && retrievingCost(model, model.product_keys);
  return Array.from({ length: model.layers }, (_, index) => {
    if (retrieving !== undefined && isProductKeyLayer(model, index)) return retrieving;
    return routed !== undefined && isRoutedLayer(model, index) ? routed : dense;
  });
}

function layerCount(cost: FeedForwardCost, index: number): LayerCount {
  const { kind, scope, router, macsPerChoice } = cost;
  const over = (figure: keyof PartFigures): number =>
    parts.reduce((total, part) => total + (part === 'router' ? 0 : cost[part][figure]), 0);
  return {
    name: `layers.${index}.${scope}`,
    kind,
    parameters: over('parameters'),
    macsPerToken: over('macs'),
    routerParameters: router.parameters,
    routerMacsPerToken: router.macs,
    macsPerChoice,
  };
}

/** Whether two sub-tokens of a token, or two heads that retrieve for it, may use the same expert. */
function mayMeet({ moe, product_keys: keys }: ModelConfig, scope: FeedForwardCost['scope']): boolean {
  if (scope === 'moe') return moe !== undefined && unitsPerToken(moe) > 1;
  return scope === 'product_keys' && keys !== undefined && keys.heads > 1;
}

function sum(figures: Readonly<Record<string, number>>): number {
  return Object.values(figures).reduce((total, figure) => total + figure, 0);
}
