import type { Experiment } from '../config/schema';
import { nodeCosts } from '../graph/cost';
import { elementCount } from '../graph/dimensions';
import type { Parameter } from '../graph/program';
import { buildLanguageModel } from '../models/languageModel';

/** Projections of the attention of one layer: the dense ones, or the experts of one side with what chooses among them. */
export interface AttentionLayer {
  /** `layers.0.attention`; of a side `layers.0.attention.source`, as its routed layer is called. */
  readonly name: string;
  readonly kind: 'dense' | 'switchhead';
  readonly parameters: number;
  readonly macsPerToken: number;
  /** Of the scores by which experts are chosen: 0 for a side that uses the other side's choice. */
  readonly selectionParameters: number;
  readonly selectionMacsPerToken: number;
}

/** The attention of every layer of SwitchHead, part by part; nothing for attention without experts. */
export function attentionLayers(experiment: Experiment): readonly AttentionLayer[] {
  const { model } = experiment;
  if (model.attention.moe === undefined) return [];
  const program = buildLanguageModel(experiment);
  const costs = nodeCosts(program, { batch: 1, time: model.context });
  const withExperts = new Set(costs.flatMap(({ node }) => (node.op === 'expertMatmul' ? node.inputs.slice(1, 2) : [])));
  const sum = (figures: readonly number[]): number => figures.reduce((total, figure) => total + figure, 0);
  /** Of parameters, and of the products with them. */
  const figuresOf = (those: readonly Parameter[]): readonly [parameters: number, macsPerToken: number] => {
    const values = new Set(those.map(({ value }) => value));
    const products = costs.filter(({ node }) => values.has(node.inputs[1] ?? -1));
    return [sum(those.map(({ shape }) => elementCount(shape))), sum(products.map(({ macs }) => macs / model.context))];
  };
  return Array.from({ length: model.layers }, (_, layer) => `layers.${layer}.attention`).flatMap((attention) => {
    const own = program.parameters.filter(({ name }) => name.startsWith(`${attention}.`));
    const projections = own.filter(({ role }) => role === 'attention');
    const part = (side: Side | undefined): AttentionLayer => {
      const name = side === undefined ? attention : `${attention}.${side}`;
      const ofSide = projections.filter((parameter) => (withExperts.has(parameter.value) ? sideOf(parameter) : undefined) === side);
      const selecting = own.filter((parameter) => side !== undefined && parameter.name === `${name}.router.weight`);
      const [parameters, macsPerToken] = figuresOf(ofSide);
      const [selectionParameters, selectionMacsPerToken] = figuresOf(selecting);
      const kind = side === undefined ? 'dense' : 'switchhead';
      return { name, kind, parameters, macsPerToken, selectionParameters, selectionMacsPerToken };
    };
    return [part(undefined), part('source'), part('destination')].filter(({ parameters }) => parameters > 0);
  });
}

type Side = 'source' | 'destination';

/** What is seen has values and keys, what sees has queries and outputs (2312.07987 section 2.2). */
function sideOf({ name }: Parameter): Side {
  return /\.(?:query|output)$/.test(name) ? 'destination' : 'source';
}
