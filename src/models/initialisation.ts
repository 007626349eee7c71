import type { Initialiser } from '../graph/program';
import type { ModelConfig } from '../config/schema';

/**
 * How the weights of a model are drawn. A layer says of each of its matrices what it does and over how many `inputs` each of its outputs
 * sums: of one expert out of many, but where a unit gets the sum of its experts, those of all of them.
 */
export interface Initialisation {
  readonly matrix: (inputs: number) => Initialiser;
  /** A matrix whose outputs are added to the residual stream. */
  readonly residual: (inputs: number) => Initialiser;
  /** A matrix [inputs, experts] whose outputs decide which experts are used. */
  readonly selection: (inputs: number) => Initialiser;
  /** A matrix [vocabulary, d_model]: embeddings, or logits of their own. */
  readonly embedding: () => Initialiser;
}

export function initialisation(model: ModelConfig): Initialisation {
  return model.initialization === 'fan_in' ? byFanIn(model) : likeGpt2(model);
}

/**
 * One deviation for all, `initial_std`, but for what writes into the residual stream: that starts smaller by 1 / sqrt(2 layers), so that
 * the variance of the stream does not grow with depth.
 */
function likeGpt2({ layers, initial_std: deviation }: ModelConfig): Initialisation {
  const usual = normal(deviation);
  const residual = normal(deviation * (1 / Math.sqrt(2 * layers)));
  return { matrix: () => usual, residual: () => residual, selection: () => usual, embedding: () => usual };
}

/**
 * sqrt(2 / (layers inputs)): what a layer of ReLUs gives has the variance of its input (1502.01852 Eq. 10) over the number of layers, so
 * that the sum of all of them stays bounded. As the code of 2310.10837 and 2312.07987 does it.
 */
function byFanIn({ layers, d_model: d }: ModelConfig): Initialisation {
  const deviation = (inputs: number): number => Math.sqrt(2 / (layers * inputs));
  const matrix = (inputs: number): Initialiser => normal(deviation(inputs));
  return {
    matrix,
    residual: matrix,
    selection: (inputs) => ({ kind: 'equalColumns', standardDeviation: deviation(inputs) }),
    embedding: () => normal(1 / Math.sqrt(d)),
  };
}

function normal(standardDeviation: number): Initialiser {
  return { kind: 'normal', standardDeviation };
}
