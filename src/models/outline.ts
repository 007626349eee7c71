import { isProductKeyLayer, isRoutedLayer } from '../config/placement';
import type { Experiment, ModelConfig } from '../config/schema';
import type { Program } from '../graph/program';
import { buildLanguageModel } from './languageModel';

/**
 * What counts and estimates read of a program. Of a whole program every layer has nodes of its own; of an outline those of one layer may
 * stand for several that are alike, while all else is listed in full.
 */
export interface ProgramOutline extends Pick<
  Program,
  'name' | 'values' | 'nodes' | 'parameters' | 'buffers' | 'routedLayers' | 'retrievals'
> {
  /** For each layer of the model, the layer in the scopes of the nodes that computes the same; absent where that is itself. */
  readonly standIns?: readonly number[];
}

/**
 * The outline of the program that `buildLanguageModel` makes of an experiment: counts and memory are those of the whole program, at the
 * price of a layer of each kind. A model of 48 layers is outlined in a tenth of the time.
 */
export function outlineLanguageModel(experiment: Experiment): ProgramOutline {
  const { model } = experiment;
  const { representatives, standIns } = kindsOfLayers(model);
  if (representatives.length === model.layers) return buildLanguageModel(experiment);
  const program = buildLanguageModel({ ...experiment, model: withLayers(model, representatives) });
  const inFull = <Named extends { readonly name: string }>(named: readonly Named[]): Named[] => expanded(named, standIns);
  return {
    name: program.name,
    values: program.values,
    nodes: program.nodes,
    parameters: inFull(program.parameters),
    buffers: inFull(program.buffers),
    routedLayers: inFull(program.routedLayers),
    retrievals: inFull(program.retrievals),
    standIns,
  };
}

/** How many layers of the model a node of a scope stands for. */
export function repeatsOf({ standIns }: Pick<ProgramOutline, 'standIns'>): (scope: string) => number {
  if (standIns === undefined) return () => 1;
  const repeats = new Map<number, number>();
  for (const standIn of standIns) repeats.set(standIn, (repeats.get(standIn) ?? 0) + 1);
  return (scope) => {
    const layer = layerOf(scope);
    return layer === undefined ? 1 : (repeats.get(layer) ?? 0);
  };
}

/** Layers differ by what stands in place of their feed-forward network, and by nothing else. */
function kindsOfLayers(model: ModelConfig): { readonly representatives: readonly number[]; readonly standIns: readonly number[] } {
  const representatives: number[] = [];
  const placeOf = new Map<string, number>();
  const standIns = Array.from({ length: model.layers }, (_, index) => {
    const kind = isProductKeyLayer(model, index) ? 'product_keys' : isRoutedLayer(model, index) ? 'moe' : 'ffn';
    const known = placeOf.get(kind);
    if (known !== undefined) return known;
    placeOf.set(kind, representatives.length);
    return representatives.push(index) - 1;
  });
  return { representatives, standIns };
}

/** The model with these of its layers alone. */
function withLayers(model: ModelConfig, kept: readonly number[]): ModelConfig {
  const placesOf = (has: (index: number) => boolean): number[] => kept.flatMap((index, place) => (has(index) ? [place] : []));
  const { moe, product_keys: keys } = model;
  return {
    ...model,
    layers: kept.length,
    ...(moe === undefined ? {} : { moe: { ...moe, layers: placesOf((index) => isRoutedLayer(model, index)) } }),
    ...(keys === undefined ? {} : { product_keys: { ...keys, layers: placesOf((index) => isProductKeyLayer(model, index)) } }),
  };
}

/** Everything that is named, in the order of the whole program: what stands in layers once for each layer. */
function expanded<Named extends { readonly name: string }>(named: readonly Named[], standIns: readonly number[]): Named[] {
  const before: Named[] = [];
  const after: Named[] = [];
  const ofLayer = new Map<number, Named[]>();
  for (const one of named) {
    const layer = layerOf(one.name);
    if (layer === undefined) (ofLayer.size === 0 ? before : after).push(one);
    else if (ofLayer.get(layer)?.push(one) === undefined) ofLayer.set(layer, [one]);
  }
  const inLayers = standIns.flatMap((standIn, index) =>
    (ofLayer.get(standIn) ?? []).map((one) => ({ ...one, name: `layers.${index}${one.name.slice(`layers.${standIn}`.length)}` })),
  );
  return [...before, ...inLayers, ...after];
}

function layerOf(name: string): number | undefined {
  if (!name.startsWith('layers.')) return undefined;
  const index = Number.parseInt(name.slice('layers.'.length), 10);
  return Number.isNaN(index) ? undefined : index;
}
