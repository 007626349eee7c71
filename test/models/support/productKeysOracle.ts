import type { ProductKeysConfig } from '../../../src/config/schema';
import type { Matrix } from './routedLayerOracle';

/**
 * A layer of product keys in plain loops over numbers, written from 2407.04153 and 1907.05242: the score of every one of the N experts is
 * computed and all are sorted. It shares nothing with the models or the graph.
 */

export interface ProductKeysRun {
  /** [in][out] by the parameter's name within the layer. */
  readonly matrix: (name: string) => Matrix;
  /** Running mean and variance of the queries in evaluation; undefined in training, where those of the rows hold. */
  readonly running: { readonly mean: readonly number[]; readonly variance: readonly number[] } | undefined;
}

export interface ProductKeysAnswer {
  readonly output: Matrix;
  /** [token][heads * k], best first in each head. */
  readonly chosen: Matrix;
  readonly weights: Matrix;
}

const sum = (xs: readonly number[]): number => xs.reduce((total, x) => total + x, 0);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, i) => x * (b[i] ?? NaN)));
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const column = (m: Matrix, j: number): number[] => m.map((row) => row[j] ?? NaN);

/** The error function by Abramowitz and Stegun 7.1.5, summed until nothing changes. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total) && n < 200; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

function normalised(queries: Matrix, { running }: ProductKeysRun): Matrix {
  const width = queries[0]?.length ?? 0;
  const means = range(width).map((j) => running?.mean[j] ?? sum(column(queries, j)) / queries.length);
  const variances = range(width).map(
    (j) => running?.variance[j] ?? sum(column(queries, j).map((q) => (q - (means[j] ?? NaN)) ** 2)) / queries.length,
  );
  return queries.map((row) => row.map((q, j) => (q - (means[j] ?? NaN)) / Math.sqrt((variances[j] ?? NaN) + 1e-5)));
}

function neuron(x: readonly number[], expert: number, { activation }: ProductKeysConfig, run: ProductKeysRun): number {
  const down = dot(run.matrix('down')[expert] ?? [], x);
  if (activation === 'relu') return Math.max(0, down);
  return activation === 'gelu' ? gelu(down) : gelu(dot(run.matrix('gate')[expert] ?? [], x)) * down;
}

/** x [token][d_model] through the layer. */
export function productKeysOracle(x: Matrix, config: ProductKeysConfig, run: ProductKeysRun): ProductKeysAnswer {
  const { experts, heads, top_k: k, key_width: width } = config;
  const keys = Math.sqrt(experts);
  const [queryMatrix, first, second] = [run.matrix('router.query'), run.matrix('router.first_keys'), run.matrix('router.second_keys')];
  const projected = x.map((row) => range(heads * width).map((j) => dot(row, column(queryMatrix, j))));
  const queries = config.query_norm === 'batch' ? normalised(projected, run) : projected;

  const answers = x.map((token, t) => {
    const output = token.map(() => 0);
    const [chosen, weights]: [number[], number[]] = [[], []];
    for (let head = 0; head < heads; head++) {
      const query = (queries[t] ?? []).slice(head * width, (head + 1) * width);
      const scores = range(experts).map(
        (e) => dot(query.slice(0, width / 2), column(first, Math.floor(e / keys))) + dot(query.slice(width / 2), column(second, e % keys)),
      );
      const best = range(experts)
        .sort((a, b) => (scores[b] ?? NaN) - (scores[a] ?? NaN))
        .slice(0, k);
      const total = sum(best.map((e) => Math.exp(scores[e] ?? NaN)));
      for (const expert of best) {
        const score = scores[expert] ?? NaN;
        const weight = config.score === 'softmax' ? Math.exp(score) / total : 1 / (1 + Math.exp(-score));
        const scale = config.kind === 'pkm' ? weight : weight * neuron(token, expert, config, run);
        const row = run.matrix(config.kind === 'pkm' ? 'values' : 'up')[expert] ?? [];
        row.forEach((value, i) => (output[i] = (output[i] ?? NaN) + scale * value));
        chosen.push(expert);
        weights.push(weight);
      }
    }
    return { output, chosen, weights };
  });
  return { output: answers.map((a) => a.output), chosen: answers.map((a) => a.chosen), weights: answers.map((a) => a.weights) };
}
