import { experimentSchema } from '../../src/config/schema';
import { countModel, type ModelCount } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import type { ComparedModel, ModelInput } from '../comparison/plan';
import { Problem } from '../problem';

export interface Shape {
  /** A multiple of 32: head widths and the feed-forward width come out whole. */
  readonly width: number;
  readonly layers: number;
  readonly context: number;
}

/** Heads of the dense model; SwitchHead has as many experts over all its heads (2312.07987 section 3). */
const denseHeads = 8;
const heads = 2;
const experts = 4;
const topK = 2;

/**
 * The three models of 2312.07987 on Enwik8 (Table 9) at another width d: dense with 8 heads, dense with 2, SwitchHead with 2 heads of 4
 * experts, two of them chosen. Head widths keep the paper's ratios to d: d / 8, d / 2, and for SwitchHead the largest width w that is not
 * dearer than dense in parameters,
 *
 *     dense       5 d^2                                    query, key, value, output, positions
 *     SwitchHead  d n w (2 + 2 E + 1) + 2 d n E            and the two selections
 *
 * which at d = 512 is 115, where the paper takes 112. What is left over widens the feed-forward network, whose column costs 2 d, as in the
 * paper.
 */
export function switchHeadModels({ width: d, layers, context }: Shape): ComparedModel[] {
  const model = (attention: ModelInput['attention'], widened = 0): ModelInput => ({
    vocabulary: 256,
    d_model: d,
    layers,
    context,
    tie_embeddings: false,
    norm: 'layer',
    initialization: 'fan_in',
    attention: { ...attention, position: 'xl' },
    // 2,053 to 512 in the paper: 4 d but for what makes parameters equal.
    ffn: { width: 4 * d + widened, activation: 'relu' },
  });
  const denseParameters = 5 * d * d;
  const selections = 2 * d * heads * experts;
  const perWidth = d * heads * (3 + 2 * experts);
  const headWidth = Math.floor((denseParameters - selections) / perWidth);
  const left = denseParameters - selections - perWidth * headWidth;
  return [
    { name: 'Dense, 8 heads', slug: 'dense-8', model: model({ heads: denseHeads }) },
    { name: 'Dense, 2 heads', slug: 'dense-2', model: model({ heads }) },
    {
      name: 'SwitchHead, 2 heads',
      slug: 'switch-head',
      model: model({ heads, head_width: headWidth, moe: { experts, top_k: topK } }, Math.round(left / (2 * d))),
    },
  ];
}

export interface CountedModel extends ComparedModel {
  readonly count: ModelCount;
}

/** Parameters may differ by this much, what a whole head width leaves over. */
const parameterTolerance = 0.001;

/**
 * Counts the models from the programs that will be trained. Throws Problem where they do not have the same number of parameters to 0.1 %.
 */
export function countedAtParity(models: readonly ComparedModel[]): CountedModel[] {
  const counted = models.map((one): CountedModel => {
    const experiment = experimentSchema.parse({ model: one.model });
    return { ...one, count: countModel(buildLanguageModel(experiment), experiment.model) };
  });
  const baseline = counted[0]?.count.parameters.total ?? Number.NaN;
  for (const { name, count } of counted) {
    const ratio = count.parameters.total / baseline;
    if (Math.abs(ratio - 1) > parameterTolerance) throw new Problem(`${name} has ${ratio.toFixed(4)} times the parameters of dense.`);
  }
  return counted;
}
