import { experimentSchema } from '../../src/config/schema';
import { countModel, type ModelCount } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import type { ComparedModel, ModelInput } from '../comparison/plan';
import { Problem } from '../problem';

export type MoeInput = NonNullable<ModelInput['moe']>;

export interface Shape {
  /** A multiple of 6: two and three sub-tokens, and the widths below, come out whole. */
  readonly width: number;
  readonly layers: number;
  readonly context: number;
  readonly attentionHeads: number;
}

/** Matrices of a SwiGLU expert, and projections (head and merge layer) of MH-MoE. */
const n = 3;
const q = 2;
/** Experts of the SMoE, which uses one. The hidden width of its experts and of the dense layers is 8/3 of d_model (2,048 to 768). */
const experts = 8;

/**
 * The models of 2411.16205 section 3 at another width d. Their hidden widths keep the paper's ratios to d, which follow from equal MACs:
 * n d f k = q d^2 + n d f' k' gives f' = (f k - q d / n) / k'. The experts of MH-MoE follow from equal parameters,
 * n d f E = q d^2 + n (d / h) f' E', rounded to the nearest whole number: 41 and 93 (the paper takes 40 and 96, multiples of 8).
 */
export function smallModels(shape: Shape): ComparedModel[] {
  const { width: d, layers, context, attentionHeads } = shape;
  const f = (8 * d) / 3;
  const model = (moe?: MoeInput): ModelInput => ({
    vocabulary: 256,
    d_model: d,
    layers,
    context,
    // As wide as 0.02 is at the paper's width: with less, weights in series (head layer, experts, merge layer) start all but at 0.
    initial_std: 0.02 * Math.sqrt(768 / d),
    attention: { heads: attentionHeads },
    ffn: { width: f },
    ...(moe === undefined ? {} : { moe }),
  });
  const multiHead = (h: number, k: number): MoeInput => {
    const width = (f - (q * d) / n) / k;
    const pool = Math.round((h * (n * f * experts - q * d)) / (n * width));
    return { kind: 'mh-moe', every: 2, heads: h, experts: pool, top_k: k, expert_width: width };
  };
  return [
    { name: 'Dense', slug: 'dense', model: model() },
    { name: 'SMoE', slug: 'smoe', model: model({ kind: 'smoe', every: 2, experts, top_k: 1, expert_width: f }) },
    {
      name: 'Fine-grained SMoE',
      slug: 'fine-grained',
      model: model({ kind: 'smoe', every: 2, experts: 2 * experts, top_k: 2, expert_width: f / 2 }),
    },
    { name: 'MH-MoE (head=2)', slug: 'mh-moe-h2', model: model(multiHead(2, 2)) },
    { name: 'MH-MoE (head=3)', slug: 'mh-moe-h3', model: model(multiHead(3, 3)) },
  ];
}

export interface CountedModel extends ComparedModel {
  readonly count: ModelCount;
  /** MACs per token of everything but the routers: what the equations make equal. */
  readonly macs: number;
  /** Parameters of the routed layers (experts, head and merge layers; no routers); 0 for the dense model. */
  readonly routedParameters: number;
}

/** Routed parameters may differ by this much, the rounding of the number of experts. */
const parameterTolerance = 0.01;

/**
 * Counts the models from the programs that will be trained. Throws Problem where they are not at parity: MACs to the unit, routed
 * parameters to 1 %.
 */
export function countedAtParity(models: readonly ComparedModel[]): CountedModel[] {
  const counted = models.map((small): CountedModel => {
    const experiment = experimentSchema.parse({ model: small.model });
    const count = countModel(buildLanguageModel(experiment), experiment.model);
    const routed = count.layers.filter(({ kind }) => kind !== 'dense');
    return {
      ...small,
      count,
      macs: count.macsPerToken.total - count.macsPerToken.router,
      routedParameters: routed.reduce((sum, layer) => sum + layer.parameters, 0),
    };
  });
  const [first] = counted;
  const smoe = counted.find(({ slug }) => slug === 'smoe');
  for (const { name, macs, routedParameters } of counted) {
    if (macs !== first?.macs) throw new Problem(`${name} has ${macs} MACs per token without routers, ${first?.name} ${first?.macs}.`);
    if (routedParameters === 0 || smoe === undefined) continue;
    const ratio = routedParameters / smoe.routedParameters;
    if (Math.abs(ratio - 1) > parameterTolerance) throw new Problem(`${name} has ${ratio.toFixed(4)} times the routed parameters of SMoE.`);
  }
  return counted;
}
