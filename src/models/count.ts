import type { NodeCost } from '../graph/cost';
import { nodeCosts } from '../graph/cost';
import { elementCount } from '../graph/dimensions';
import type { Parameter, ParameterRole, ProgramNode } from '../graph/program';
import { unitsPerToken } from '../config/moeShape';
import { isProductKeyLayer, isRoutedLayer } from '../config/placement';
import type { ModelConfig, MoeConfig, ProductKeysConfig } from '../config/schema';
import { repeatsOf, type ProgramOutline } from './outline';

/** Multiply-adds per token, forward. The lines add up to `total`. */
export interface MacsPerToken {
  readonly total: number;
  /** Query, key, value and output projections, with their experts; with `position: xl` keys and values of the cached chunk as well. */
  readonly attention: number;
  /** Scores by content and the product with the values, over the full context and what is cached, for every query head. */
  readonly attentionCore: number;
  /** Relative positions: their projection, and the scores by them. */
  readonly position: number;
  /** Feed-forward layers that are neither routed nor retrieve. */
  readonly ffn: number;
  /**
   * Routed and retrieving layers without what chooses: experts, head and merge layers, shared experts; `ModelCount.routed` says how much
   * each. Where units take different numbers of experts, at `top_k` of them; see `macsAtMeanK`.
   */
  readonly experts: number;
  /**
   * What chooses experts: logits of the routers, for cosine routers the reduction of the input as well; queries and keys of product keys;
   * the selections of SwitchHead, which `ModelCount.attention` has for themselves.
   */
  readonly router: number;
  /** Logits of the vocabulary, by the embeddings or by an output matrix of their own. */
  readonly logits: number;
}

/** What `MacsPerToken.experts` is made of. The experts of product keys are in `experts`. */
export type RoutedMacs = Readonly<Record<RoutedPart, number>>;

/**
 * The projections of attention, multiply-adds per token: `projections` + `experts` is `MacsPerToken.attention`, while the selections of
 * SwitchHead are a part of `MacsPerToken.router`.
 */
export interface AttentionMacs {
  /** Matrices that every token passes. */
  readonly projections: number;
  /** Experts of SwitchHead. */
  readonly experts: number;
  /** Scores of the experts of SwitchHead. */
  readonly selections: number;
}

const routedParts = ['experts', 'head', 'merge', 'shared'] as const;
type RoutedPart = (typeof routedParts)[number];

/**
 * Numbers of trained elements. The lines but `active` add up to `total`: `embedding` is the table of tokens (once, also where the logits
 * use it too), `output` the matrix of untied logits, `head` and `merge` those of MH-MoE with their biases, `norm` every gain and, of
 * LayerNorm, bias.
 */
export interface ParameterCount extends Readonly<Record<ParameterRole, number>> {
  readonly total: number;
  /**
   * Parameters that one token uses: of routed experts min(1, h k / E), of the tables of product keys min(1, h k / N), of the experts of
   * SwitchHead k / E, everything else whole. An upper bound where sub-tokens of a token, or heads of product keys, may share an expert
   * (`activeIsUpperBound`); with expert choice the mean over tokens, with `select: dynamic` and `top_p` at `top_k` experts.
   */
  readonly active: number;
}

/** The feed-forward part of one layer, without its norm. Router figures stand apart, so that parity can be read with and without them. */
export interface LayerCount {
  readonly name: string;
  readonly kind: 'dense' | MoeConfig['kind'] | ProductKeysConfig['kind'];
  readonly parameters: number;
  readonly macsPerToken: number;
  readonly routerParameters: number;
  readonly routerMacsPerToken: number;
  /** How many of `macsPerToken` one expert for each routed unit costs, sub-tokens of a token together; 0 where nothing is routed. */
  readonly macsPerChoice: number;
}

export interface ModelCount {
  readonly parameters: ParameterCount;
  readonly activeIsUpperBound: boolean;
  readonly macsPerToken: MacsPerToken;
  readonly routed: RoutedMacs;
  readonly attention: AttentionMacs;
  readonly layers: readonly LayerCount[];
}

function sizeOf(parameter: Parameter): number {
  return elementCount(parameter.shape);
}

function sumOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

type MacCategory = Exclude<keyof MacsPerToken, 'total'>;

/** MACs of a node and the line of the count that they belong to, and with attention the part of it. */
interface Entry {
  readonly category: MacCategory;
  readonly part?: keyof AttentionMacs;
  readonly macs: number;
}

/** Which lines of the count a node belongs to, by its scope and by whether what it multiplies with chooses experts. */
function entriesOf({ node, macs }: NodeCost, selects: boolean): readonly Entry[] {
  if (/\.attention\b/.test(node.scope)) return attentionEntries(node, macs, selects);
  if (/\.router\b/.test(node.scope)) return [{ category: 'router', macs }];
  if (/\.(?:moe|product_keys)\b/.test(node.scope)) return [{ category: 'experts', macs }];
  return [{ category: /\.ffn$/.test(node.scope) ? 'ffn' : 'logits', macs }];
}

function attentionEntries(node: ProgramNode, macs: number, selects: boolean): readonly Entry[] {
  if (node.op === 'attention') return [{ category: 'attentionCore', macs }];
  if (node.op === 'relativeAttention') {
    // Three products of equal size: scores by content, scores by position, and with the values.
    const byPosition = macs / 3;
    return [
      { category: 'attentionCore', macs: macs - byPosition },
      { category: 'position', macs: byPosition },
    ];
  }
  if (/\.position$/.test(node.scope)) return [{ category: 'position', macs }];
  if (selects) return [{ category: 'router', part: 'selections', macs }];
  return [{ category: 'attention', part: node.op === 'expertMatmul' ? 'experts' : 'projections', macs }];
}

/** Which part of a routed layer a scope below it names; what stands in no part of its own is with the experts. */
function routedPartOf(scope: string): RoutedPart {
  const part = /\.moe\.(\w+)/.exec(scope)?.[1];
  return routedParts.find((known) => known === part) ?? 'experts';
}

/** `layers.3.moe` for everything in and below the feed-forward part of layer 3, else undefined. */
function feedForwardOf(scope: string): string | undefined {
  return /^layers\.\d+\.(?:moe|product_keys|ffn)(?=\.|$)/.exec(scope)?.[0];
}

/** What stands in layer `index` in place of a dense feed-forward network, or that. */
function feedForwardKind(model: ModelConfig, index: number): { readonly scope: string; readonly kind: LayerCount['kind'] } {
  if (model.product_keys !== undefined && isProductKeyLayer(model, index)) return { scope: 'product_keys', kind: model.product_keys.kind };
  if (model.moe !== undefined && isRoutedLayer(model, index)) return { scope: 'moe', kind: model.moe.kind };
  return { scope: 'ffn', kind: 'dense' };
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

/** MACs of a window of the context, by line, by part and, of each layer that has nodes of its own, by layer. */
function countMacs(program: ProgramOutline, model: ModelConfig) {
  const lines = new Tally<MacCategory>();
  const routed = new Tally<RoutedPart>();
  const attention = new Tally<keyof AttentionMacs>();
  const layers = new Tally<string>();
  const repeats = repeatsOf(program);
  const selecting = new Set(program.parameters.filter(({ role }) => role === 'router').map(({ value }) => value));
  for (const cost of nodeCosts(program, { batch: 1, time: model.context })) {
    if (cost.macs === 0) continue;
    const { scope, inputs } = cost.node;
    const times = repeats(scope);
    for (const { category, part, macs } of entriesOf(cost, selecting.has(inputs[1] ?? -1))) {
      lines.add(category, times * macs);
      if (part !== undefined) attention.add(part, times * macs);
      const layer = feedForwardOf(scope);
      if (layer !== undefined) layers.add(category === 'router' ? `${layer}.router` : layer, macs);
      if (category !== 'experts') continue;
      routed.add(routedPartOf(scope), times * macs);
      if (layer !== undefined && routedPartOf(scope) === 'experts') layers.add(`${layer}.experts`, macs);
    }
  }
  return { lines, routed, attention, layers };
}

/**
 * Counts a language model from its program or the outline of it (forward, nominal: nothing dropped for capacity, nothing padded). 1 MAC =
 * one multiply-add of a matrix product or of the dot products and sums of product keys, whatever the bits of its operands; attention over
 * the full context. With expert choice a unit has k experts, which is its mean where k units / experts is whole; where units take different
 * numbers it has `top_k`.
 */
export function countModel(program: ProgramOutline, model: ModelConfig): ModelCount {
  const macs = countMacs(program, model);
  const perToken = (ofWindow: number): number => ofWindow / model.context;
  const roles = new Tally<ParameterRole>();
  const layerParameters = new Tally<string>();
  for (const parameter of program.parameters) {
    roles.add(parameter.role, sizeOf(parameter));
    const layer = feedForwardOf(parameter.name);
    if (layer === undefined || parameter.role === 'norm') continue;
    layerParameters.add(parameter.role === 'router' ? `${layer}.router` : layer, sizeOf(parameter));
  }

  const layers = Array.from({ length: model.layers }, (_, index): LayerCount => {
    const { scope, kind } = feedForwardKind(model, index);
    const name = `layers.${index}.${scope}`;
    const counted = `layers.${program.standIns?.[index] ?? index}.${scope}`;
    return {
      name,
      kind,
      parameters: layerParameters.of(name),
      macsPerToken: perToken(macs.layers.of(counted)),
      routerParameters: layerParameters.of(`${name}.router`),
      routerMacsPerToken: perToken(macs.layers.of(`${counted}.router`)),
      macsPerChoice: scope === 'moe' && model.moe !== undefined ? perToken(macs.layers.of(`${counted}.experts`)) / model.moe.top_k : 0,
    };
  });

  const { lines, routed, attention } = macs;
  const parts = {
    attention: perToken(lines.of('attention')),
    attentionCore: perToken(lines.of('attentionCore')),
    position: perToken(lines.of('position')),
    ffn: perToken(lines.of('ffn')),
    experts: perToken(lines.of('experts')),
    router: perToken(lines.of('router')),
    logits: perToken(lines.of('logits')),
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
    activeIsUpperBound: layers.some(({ kind }) => mayMeet(kind, model)),
    macsPerToken: { total: sumOf(Object.values(parts), (part) => part), ...parts },
    routed: {
      experts: perToken(routed.of('experts')),
      head: perToken(routed.of('head')),
      merge: perToken(routed.of('merge')),
      shared: perToken(routed.of('shared')),
    },
    attention: {
      projections: perToken(attention.of('projections')),
      experts: perToken(attention.of('experts')),
      selections: perToken(attention.of('selections')),
    },
    layers,
  };
}

/** Whether two sub-tokens of a token, or two heads that retrieve for it, may meet in one expert of a layer of this kind. */
function mayMeet(kind: LayerCount['kind'], { moe, product_keys: keys }: ModelConfig): boolean {
  switch (kind) {
    case 'dense':
    case 'smoe':
      return false;
    case 'mh-moe':
      return moe !== undefined && unitsPerToken(moe) > 1;
    case 'peer':
    case 'pkm':
      return keys !== undefined && keys.heads > 1;
  }
}

/**
 * Multiply-adds per token at the mean number of experts that units were measured to take, of all routed layers or of each by its name; a
 * layer without a mean counts with `top_k`. The figure of the count itself where every unit takes `top_k`.
 */
export function macsAtMeanK(count: ModelCount, model: ModelConfig, meanK: number | Readonly<Record<string, number>>): number {
  const { moe } = model;
  if (moe === undefined) return count.macsPerToken.total;
  const meanOf = (layer: LayerCount): number => (typeof meanK === 'number' ? meanK : (meanK[layer.name] ?? moe.top_k));
  const more = sumOf(count.layers, (layer) => (layer.macsPerChoice === 0 ? 0 : layer.macsPerChoice * (meanOf(layer) - moe.top_k)));
  return count.macsPerToken.total + more;
}
