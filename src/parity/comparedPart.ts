import type { LayerCount, ModelCount } from '../models/count';

/**
 * What two models are held against each other by. Papers print parity of the layers that they change, and the rest of a model hides a
 * difference: of the 300 M parameters of 2411.16205 a routed layer has 38 M, so 3 % of it are half a percent of the model.
 */
export type ComparedScope = 'layers' | 'attention' | 'model';

/** As it stands in a sentence, behind "of". */
export const comparedNames: Readonly<Record<ComparedScope, string>> = {
  layers: 'the feed-forward layers that differ',
  attention: 'attention',
  model: 'the whole model',
};

/** As it heads a row or a table. */
export const comparedTitles: Readonly<Record<ComparedScope, string>> = {
  layers: 'Layers that differ',
  attention: 'Attention',
  model: 'Whole model',
};

/** Shares of the baseline's costs of the part that differs, beyond which a comparison is no longer at equal cost. */
export const costLimits = { macs: 0.02, parameters: 0.05 } as const;

/** Parameters, and MACs per token, without what chooses experts and of that. */
export interface PartCost {
  readonly parameters: number;
  readonly routerParameters: number;
  readonly macs: number;
  readonly routerMacs: number;
}

/** Residuals of the part that differs, as fractions of the baseline's: 0.0052 is half a percent more. */
export interface ComparedResiduals {
  /**
   * `layers`: only feed-forward networks differ, and these are those of all layers where either model routes or retrieves, or where they differ.
   * `attention`: only attention differs, and this is that of all layers. `model`: everything.
   */
  readonly scope: ComparedScope;
  readonly parameters: number;
  readonly parametersWithRouter: number;
  readonly macs: number;
  readonly macsWithRouter: number;
}

export function comparedResiduals(ours: ModelCount, theirs: ModelCount): ComparedResiduals {
  const parts = comparedParts(ours, theirs);
  return { scope: parts.scope, ...residualsOf(parts.ours, parts.theirs) };
}

/** What is compared, in both models. */
export interface ComparedParts {
  readonly scope: ComparedScope;
  readonly ours: PartCost;
  readonly theirs: PartCost;
}

export function comparedParts(ours: ModelCount, theirs: ModelCount): ComparedParts {
  const scope = comparedScope(ours, theirs);
  return { scope, ours: partOf(scope, ours, theirs), theirs: partOf(scope, theirs, ours) };
}

export function residualsOf(ours: PartCost, theirs: PartCost): Omit<ComparedResiduals, 'scope'> {
  const withRouter = (one: PartCost, what: 'parameters' | 'macs'): number =>
    one[what] + (what === 'parameters' ? one.routerParameters : one.routerMacs);
  return {
    parameters: ours.parameters / theirs.parameters - 1,
    parametersWithRouter: withRouter(ours, 'parameters') / withRouter(theirs, 'parameters') - 1,
    macs: ours.macs / theirs.macs - 1,
    macsWithRouter: withRouter(ours, 'macs') / withRouter(theirs, 'macs') - 1,
  };
}

function comparedScope(ours: ModelCount, theirs: ModelCount): ComparedScope {
  const rest = ({ parameters, macsPerToken, layers }: ModelCount): readonly number[] => [
    parameters.embedding,
    parameters.output,
    parameters.norm,
    macsPerToken.logits,
    layers.length,
  ];
  if (!equal(rest(ours), rest(theirs))) return 'model';
  const attentionDiffers = !equal(Object.values(attentionPart(ours)), Object.values(attentionPart(theirs)));
  if (!attentionDiffers) return someLayer(ours, theirs) ? 'layers' : 'model';
  return ours.layers.some((layer, index) => differ(layer, theirs.layers[index])) ? 'model' : 'attention';
}

function partOf(scope: ComparedScope, model: ModelCount, other: ModelCount): PartCost {
  if (scope === 'attention') return attentionPart(model);
  if (scope === 'layers') return summed(model.layers.filter((layer, index) => isCompared(layer, other.layers[index])).map(layerPart));
  const { parameters, macsPerToken } = model;
  return {
    parameters: parameters.total - parameters.router,
    routerParameters: parameters.router,
    macs: macsPerToken.total - macsPerToken.router,
    routerMacs: macsPerToken.router,
  };
}

function someLayer(ours: ModelCount, theirs: ModelCount): boolean {
  return ours.layers.some((layer, index) => isCompared(layer, theirs.layers[index]));
}

function isCompared(layer: LayerCount, other: LayerCount | undefined): boolean {
  return layer.kind !== 'dense' || other?.kind !== 'dense' || differ(layer, other);
}

function differ(one: LayerCount, other: LayerCount | undefined): boolean {
  return other === undefined || one.kind !== other.kind || !equal(Object.values(layerPart(one)), Object.values(layerPart(other)));
}

function layerPart({ parameters, routerParameters, macsPerToken, routerMacsPerToken }: LayerCount): PartCost {
  return { parameters, routerParameters, macs: macsPerToken, routerMacs: routerMacsPerToken };
}

/** Attention of all layers; its routers are the selections of SwitchHead: those that are in no feed-forward network. */
function attentionPart({ parameters, macsPerToken, attention, layers }: ModelCount): PartCost {
  const { routerParameters } = summed(layers.map(layerPart));
  return {
    parameters: parameters.attention + parameters.position,
    routerParameters: parameters.router - routerParameters,
    macs: macsPerToken.attention + macsPerToken.attentionCore + macsPerToken.position,
    routerMacs: attention.selections,
  };
}

function summed(parts: readonly PartCost[]): PartCost {
  const sum = (figure: (part: PartCost) => number): number => parts.reduce((total, part) => total + figure(part), 0);
  return {
    parameters: sum((part) => part.parameters),
    routerParameters: sum((part) => part.routerParameters),
    macs: sum((part) => part.macs),
    routerMacs: sum((part) => part.routerMacs),
  };
}

function equal(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((figure, index) => figure === other[index]);
}
