import type { ProgramBuilder, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { Initialiser, Retrieval } from '../graph/program';
import { ShapeError } from '../graph/shapes';
import type { ModelConfig, ProductKeysConfig } from '../config/schema';
import { batchNorm } from './batchNorm';
import { initialisation } from './initialisation';

/** What a layer retrieved, and where it did. */
export interface Retrieved {
  readonly output: Tensor;
  readonly retrieval: Retrieval;
}

/** Experts per token and what they weigh with, both [tokens, heads * k]. */
interface Choice {
  readonly indices: Tensor;
  readonly weights: Tensor;
}

/** The optimiser group of the tables. */
export const TABLES_GROUP = 'tables';

/**
 * A layer that retrieves experts by product keys in place of a feed-forward network, x [tokens, d_model] -> [tokens, d_model]. Every head
 * has queries of its own; sub-keys and experts are shared by the heads.
 *
 *     peer (2407.04153 Algorithm 1)   y = sum over heads and choices of g_i act(down_i . x) up_i, with glu gelu(gate_i . x) (down_i . x) for act
 *     pkm (1907.05242)                y = sum over heads and choices of g_i values_i
 */
export function productKeys(builder: ProgramBuilder, x: Tensor, model: ModelConfig, config: ProductKeysConfig): Retrieved {
  const { experts, heads, top_k: k } = config;
  const { matrix, residual } = initialisation(model);
  const { indices, weights } = builder.inScope('router', () => choose(builder, x, model, config));
  const table = (name: string, initialiser: Initialiser): Tensor => expertTable(builder, name, initialiser, model, config);
  const retrieve = (name: string, coefficients: Tensor): Tensor => builder.rowSum(table(name, residual(heads * k)), indices, coefficients);
  const hidden = (): Tensor => neurons(builder, x, indices, config.activation, (name) => table(name, matrix(model.d_model)));
  const output = config.kind === 'pkm' ? retrieve('values', weights) : retrieve('up', builder.multiply(weights, hidden()));
  return { output, retrieval: { name: builder.scope, experts, k: heads * k, indices: indices.id, weights: weights.id } };
}

/** The hidden value of every chosen expert [tokens, heads * k]: each is one neuron. */
function neurons(
  builder: ProgramBuilder,
  x: Tensor,
  indices: Tensor,
  activation: ProductKeysConfig['activation'],
  table: (name: 'down' | 'gate') => Tensor,
): Tensor {
  const down = builder.rowDot(table('down'), indices, x);
  if (activation !== 'glu') return builder.activation(activation, down);
  return builder.multiply(builder.activation('gelu', builder.rowDot(table('gate'), indices, x)), down);
}

/** One row of width d_model for each expert. A token uses heads * k of them, fewer where two heads choose the same. */
function expertTable(
  builder: ProgramBuilder,
  name: string,
  initialiser: Initialiser,
  model: ModelConfig,
  config: ProductKeysConfig,
): Tensor {
  const { experts, heads, top_k: k } = config;
  return builder.parameter(name, [experts, model.d_model], {
    initialiser,
    role: 'experts',
    group: TABLES_GROUP,
    gradient: config.optimizer === 'lazy' ? 'rows' : 'dense',
    shardAxis: 0,
    activeFraction: Math.min(1, (heads * k) / experts),
  });
}

/**
 * Expert i n + j of the n^2 has the score q1 . c_i + q2 . c'_j, q1 and q2 the halves of a head's query; each head takes its k best (section
 * 2). What they weigh with is softmax over the k, or the sigmoid of each.
 */
function choose(builder: ProgramBuilder, x: Tensor, model: ModelConfig, config: ProductKeysConfig): Choice {
  const { experts, heads, top_k: k, key_width: width } = config;
  const [tokens] = x.shape;
  if (tokens === undefined) throw new ShapeError('Product keys are for rows of tokens.');
  const keys = Math.sqrt(experts);
  const half = width / 2;
  const parameter = (name: string, shape: readonly number[], initialiser: Initialiser): Tensor =>
    builder.parameter(name, shape, { initialiser, role: 'router' });
  const projected = builder.matmul(x, parameter('query', [model.d_model, heads * width], initialisation(model).matrix(model.d_model)));
  const normed = config.query_norm === 'batch' ? batchNorm(builder, 'query', projected, heads * width) : projected;
  const queries = builder.reshape(normed, [product([tokens, heads]), width]);
  const scores = (name: string, start: number): Tensor =>
    builder.matmul(builder.slice(queries, 1, start, start + half), parameter(name, [half, keys], subKeys(model, half)));
  const [first, second] = [scores('first_keys', 0), scores('second_keys', half)];
  const chosen = builder.productKeys(first, second, k);
  const score = builder.add(builder.takeAlongLast(first, chosen.first), builder.takeAlongLast(second, chosen.second));
  const weights = config.score === 'softmax' ? builder.softmax(score) : builder.sigmoid(score);
  const perToken = (perHead: Tensor): Tensor => builder.reshape(perHead, [tokens, heads * k]);
  return { indices: perToken(chosen.indices), weights: perToken(weights) };
}

/**
 * Normalised queries have unit variance whatever `initial_std` is: sub-keys of the deviation 1 / sqrt(half) then give sums of scores with a
 * variance of 2, so that a softmax over them begins neither flat nor sharp.
 */
function subKeys(model: ModelConfig, half: number): Initialiser {
  if (model.initialization === 'fan_in') return initialisation(model).matrix(half);
  return { kind: 'normal', standardDeviation: 1 / Math.sqrt(half) };
}
