import { nodeCosts } from '../graph/cost';
import { elementCount } from '../graph/dimensions';
import type { Parameter, Program, ProgramNode } from '../graph/program';
import type { ModelConfig } from '../config/schema';
import { isRoutedLayer } from './placement';

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

/** `layers.3.moe` for everything in and below the feed-forward part of layer 3, else undefined. */
function feedForwardOf(scope: string): string | undefined {
  return /^layers\.\d+\.(?:moe|ffn)(?=\.|$)/.exec(scope)?.[0];
}

/** Sums by key. */
class Tally<Key> {
  readonly #sums = new Map<Key, number>();

  add(key: Key, amount: number): void {
    this.#sums.set(key, this.of(key) + amount);
  }

  of(key: Key): number {
    return this.#sums.get(key) ?? 0;
  }
}

/**
 * Counts a language model from its program (forward, nominal: dropless and unpadded). 1 MAC = one multiply-add of a matrix product;
 * attention over the full context. Parameters of tied embeddings count once.
 */
export function countModel(program: Program, model: ModelConfig): ModelCount {
  const macs = new Tally<MacCategory>();
  const layerMacs = new Tally<string>();
  for (const { node, macs: nodeMacs } of nodeCosts(program, { batch: 1, time: model.context })) {
    if (nodeMacs === 0) continue;
    const category = categoryOf(node);
    const perToken = nodeMacs / model.context;
    macs.add(category, perToken);
    const layer = feedForwardOf(node.scope);
    if (layer !== undefined) layerMacs.add(category === 'router' ? `${layer}.router` : layer, perToken);
  }

  const roles = new Tally<Parameter['role']>();
  const layerParameters = new Tally<string>();
  for (const parameter of program.parameters) {
    roles.add(parameter.role, sizeOf(parameter));
    const layer = feedForwardOf(parameter.name);
    if (layer === undefined || parameter.role === 'norm') continue;
    layerParameters.add(parameter.role === 'router' ? `${layer}.router` : layer, sizeOf(parameter));
  }

  const layers = Array.from({ length: model.layers }, (_, index): LayerCount => {
    const routed = isRoutedLayer(model, index);
    const name = `layers.${index}.${routed ? 'moe' : 'ffn'}`;
    return {
      name,
      kind: routed && model.moe !== undefined ? model.moe.kind : 'dense',
      parameters: layerParameters.of(name),
      macsPerToken: layerMacs.of(name),
      routerParameters: layerParameters.of(`${name}.router`),
      routerMacsPerToken: layerMacs.of(`${name}.router`),
    };
  });

  const parts = {
    attention: macs.of('attention'),
    attentionCore: macs.of('attentionCore'),
    ffn: macs.of('ffn'),
    experts: macs.of('experts'),
    router: macs.of('router'),
    logits: macs.of('logits'),
  };
  return {
    parameters: {
      total: sumOf(program.parameters, sizeOf),
      active: Math.round(sumOf(program.parameters, (parameter) => sizeOf(parameter) * parameter.activeFraction)),
      embedding: roles.of('embedding'),
      router: roles.of('router'),
    },
    activeIsUpperBound: program.routedLayers.some((layer) => layer.unitsPerToken > 1),
    macsPerToken: { total: sumOf(Object.values(parts), (part) => part), ...parts },
    layers,
  };
}
