import type { ProgramBuilder, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import { ShapeError } from '../graph/shapes';
import type { Attended } from './attention';
import type { RouterSpec } from './routerLogits';

/**
 * `select: dynamic`, this project's own definition in the style of 2409.06669: how many experts each unit takes, int32 [units, 1], by how important
 * attention makes its token. Aims at top_k on average, which it is exactly with `budget`. Sub-tokens take as many as their token. It has no
 * gradient.
 */
export function choicesByImportance(builder: ProgramBuilder, { query, key, causal, scale }: Attended, spec: RouterSpec): Tensor {
  const { config, k, most, unitsPerToken } = spec;
  const importance = builder.attentionImportance(query, key, { statistic: config.importance, causal, scale });
  const perToken = builder.allocateChoices(importance, { mean: k, least: config.k_min, most, budget: config.budget });
  if (unitsPerToken === 1) return perToken;
  const [tokens] = perToken.shape;
  if (tokens === undefined) throw new ShapeError('Experts are allocated to rows of tokens.');
  return builder.reshape(builder.expand(perToken, [tokens, unitsPerToken]), [product([tokens, unitsPerToken]), 1]);
}
