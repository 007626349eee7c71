import { nodeCosts } from '../graph/cost';
import { elementCount } from '../graph/dimensions';
import type { Parameter, Program, ProgramNode } from '../graph/program';
import type { ModelConfig } from '../config/schema';
import { isRoutedLayer } from './languageModel';

/** Multiply-adds per token, forward. */
export interface MacsPerToken {
  readonly total: number;
  /** Query, key, value and output projections. */
  readonly attention: number;
  /** Scores and their product with the values, over the full context. */
  readonly attentionCore: number;
  /** Feed-forward layers that are not routed. */
  readonly ffn: number;
  /** Routed layers without their routers: experts, head and merge layers, shared experts. */
  readonly experts: number;
  readonly router: number;
  readonly logits: number;
}

/** The feed-forward part of one layer. Router figures stand apart, so that parity can be read with and without them. */
export interface LayerCount {
  readonly name: string;
  readonly kind: 'dense' | 'smoe' | 'mh-moe';
  readonly parameters: number;
  readonly macsPerToken: number;
  readonly routerParameters: number;
  readonly routerMacsPerToken: number;
}

export interface ModelCount {
  readonly parameters: {
    readonly total: number;
    /** Parameters that one token uses. An upper bound where sub-tokens of a token may share an expert (`activeIsUpperBound`). */
    readonly active: number;
    readonly embedding: number;
    readonly router: number;
  };
  readonly activeIsUpperBound: boolean;
  readonly macsPerToken: MacsPerToken;
  readonly layers: readonly LayerCount[];
}

function sizeOf(parameter: Parameter): number {
  return elementCount(parameter.shape);
}

function sumOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

type MacCategory = Exclude<keyof MacsPerToken, 'total'>;

/** Which line of the count a node belongs to, by the scope that the model gave it. */
function categoryOf(node: ProgramNode): MacCategory {
  if (node.op === 'attention') return 'attentionCore';
  if (/\.attention$/.test(node.scope)) return 'attention';
  if (/\.router$/.test(node.scope)) return 'router';
  if (/\.moe\b/.test(node.scope)) return 'experts';
  if (/\.ffn$/.test(node.scope)) return 'ffn';
  return 'logits';
}

/**
 * Counts a language model from its program (forward, nominal: dropless and unpadded). 1 MAC = one multiply-add of a matrix product;
 * attention over the full context. Parameters of tied embeddings count once.
 */
export function countModel(program: Program, model: ModelConfig): ModelCount {
  const costs = nodeCosts(program, { batch: 1, time: model.context }).filter((cost) => cost.macs > 0);
  const macs = (keep: (node: ProgramNode) => boolean): number =>
    sumOf(
      costs.filter((cost) => keep(cost.node)),
      (cost) => cost.macs,
    ) / model.context;
  const inCategory = (category: MacCategory): number => macs((node) => categoryOf(node) === category);
  const ofRole = (...roles: readonly Parameter['role'][]): number =>
    sumOf(
      program.parameters.filter((parameter) => roles.includes(parameter.role)),
      sizeOf,
    );

  const layers = Array.from({ length: model.layers }, (_, index): LayerCount => {
    const routed = isRoutedLayer(model, index);
    const name = `layers.${index}.${routed ? 'moe' : 'ffn'}`;
    const inLayer = (scope: string): boolean => scope === name || scope.startsWith(`${name}.`);
    const parameters = program.parameters.filter((parameter) => inLayer(parameter.name) && parameter.role !== 'norm');
    const routers = parameters.filter((parameter) => parameter.role === 'router');
    const routerMacs = macs((node) => inLayer(node.scope) && categoryOf(node) === 'router');
    return {
      name,
      kind: routed && model.moe !== undefined ? model.moe.kind : 'dense',
      parameters: sumOf(parameters, sizeOf) - sumOf(routers, sizeOf),
      macsPerToken: macs((node) => inLayer(node.scope)) - routerMacs,
      routerParameters: sumOf(routers, sizeOf),
      routerMacsPerToken: routerMacs,
    };
  });

  return {
    parameters: {
      total: sumOf(program.parameters, sizeOf),
      active: Math.round(sumOf(program.parameters, (parameter) => sizeOf(parameter) * parameter.activeFraction)),
      embedding: ofRole('embedding'),
      router: ofRole('router'),
    },
    activeIsUpperBound: program.routedLayers.some((layer) => layer.unitsPerToken > 1),
    macsPerToken: {
      total: macs(() => true),
      attention: inCategory('attention'),
      attentionCore: inCategory('attentionCore'),
      ffn: inCategory('ffn'),
      experts: inCategory('experts'),
      router: inCategory('router'),
      logits: inCategory('logits'),
    },
    layers,
  };
}
