import { nodeCosts } from '../graph/cost';
import { elementCount } from '../graph/dimensions';
import type { Parameter, ParameterRole, Program, ProgramNode } from '../graph/program';
import { isRoutedLayer } from '../config/placement';
import type { ModelConfig } from '../config/schema';

/** Multiply-adds per token, forward. The lines add up to `total`. */
export interface MacsPerToken {
  readonly total: number;
  /** Query, key, value and output projections. */
  readonly attention: number;
  /** Scores and their product with the values, over the full context, for every query head. */
  readonly attentionCore: number;
  /** Feed-forward layers that are not routed. */
  readonly ffn: number;
  /** Routed layers without their routers: experts, head and merge layers, shared experts; `ModelCount.routed` says how much each. */
  readonly experts: number;
  /** Logits of the routers; for cosine routers the reduction of the input as well. */
  readonly router: number;
  /** Logits of the vocabulary, by the embeddings or by an output matrix of their own. */
  readonly logits: number;
}

/** What `MacsPerToken.experts` is made of. */
export type RoutedMacs = Readonly<Record<RoutedPart, number>>;

const routedParts = ['experts', 'head', 'merge', 'shared'] as const;
type RoutedPart = (typeof routedParts)[number];

/**
 * Numbers of trained elements. The lines but `active` add up to `total`: `embedding` is the table of tokens (once, also where the logits
 * use it too), `output` the matrix of untied logits, `head` and `merge` those of MH-MoE with their biases, `norm` every gain.
 */
export interface ParameterCount extends Readonly<Record<ParameterRole, number>> {
  readonly total: number;
  /**
   * Parameters that one token uses: of the routed experts min(1, h k / E), everything else whole. An upper bound where sub-tokens of a token may
   * share an expert (`activeIsUpperBound`); with expert choice the mean over tokens.
   */
  readonly active: number;
}

/** The feed-forward part of one layer, without its norm. Router figures stand apart, so that parity can be read with and without them. */
export interface LayerCount {
  readonly name: string;
  readonly kind: 'dense' | 'smoe' | 'mh-moe';
  readonly parameters: number;
  readonly macsPerToken: number;
  readonly routerParameters: number;
  readonly routerMacsPerToken: number;
}

export interface ModelCount {
  readonly parameters: ParameterCount;
  readonly activeIsUpperBound: boolean;
  readonly macsPerToken: MacsPerToken;
  readonly routed: RoutedMacs;
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
  if (/\.router\b/.test(node.scope)) return 'router';
  if (/\.moe\b/.test(node.scope)) return 'experts';
  if (/\.ffn$/.test(node.scope)) return 'ffn';
  return 'logits';
}

/** Which part of a routed layer a scope below it names; what stands in no part of its own is with the experts. */
function routedPartOf(scope: string): RoutedPart {
  const part = /\.moe\.(\w+)/.exec(scope)?.[1];
  return routedParts.find((known) => known === part) ?? 'experts';
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
 * Counts a language model from its program (forward, nominal: nothing dropped for capacity, nothing padded). 1 MAC = one multiply-add of a
 * matrix product, whatever the bits of its operands; attention over the full context. With expert choice a unit has k experts, which
 * is its mean where k units / experts is whole.
 */
export function countModel(program: Program, model: ModelConfig): ModelCount {
  const macs = new Tally<MacCategory>();
  const routed = new Tally<RoutedPart>();
  const layerMacs = new Tally<string>();
  for (const { node, macs: nodeMacs } of nodeCosts(program, { batch: 1, time: model.context })) {
    if (nodeMacs === 0) continue;
    const category = categoryOf(node);
    const perToken = nodeMacs / model.context;
    macs.add(category, perToken);
    if (category === 'experts') routed.add(routedPartOf(node.scope), perToken);
    const layer = feedForwardOf(node.scope);
    if (layer !== undefined) layerMacs.add(category === 'router' ? `${layer}.router` : layer, perToken);
  }

  const roles = new Tally<ParameterRole>();
  const layerParameters = new Tally<string>();
  for (const parameter of program.parameters) {
    roles.add(parameter.role, sizeOf(parameter));
    const layer = feedForwardOf(parameter.name);
    if (layer === undefined || parameter.role === 'norm') continue;
    layerParameters.add(parameter.role === 'router' ? `${layer}.router` : layer, sizeOf(parameter));
  }

  const layers = Array.from({ length: model.layers }, (_, index): LayerCount => {
    const isRouted = isRoutedLayer(model, index);
    const name = `layers.${index}.${isRouted ? 'moe' : 'ffn'}`;
    return {
      name,
      kind: isRouted && model.moe !== undefined ? model.moe.kind : 'dense',
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
      attention: roles.of('attention'),
      position: roles.of('position'),
      ffn: roles.of('ffn'),
      experts: roles.of('experts'),
      shared: roles.of('shared'),
      router: roles.of('router'),
      head: roles.of('head'),
      merge: roles.of('merge'),
      norm: roles.of('norm'),
      output: roles.of('output'),
    },
    activeIsUpperBound: program.routedLayers.some((layer) => layer.unitsPerToken > 1),
    macsPerToken: { total: sumOf(Object.values(parts), (part) => part), ...parts },
    routed: { experts: routed.of('experts'), head: routed.of('head'), merge: routed.of('merge'), shared: routed.of('shared') },
    layers,
  };
}
