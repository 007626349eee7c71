import type { RouterConfig } from '../../../src/config/schema';
import type { Matrix } from './routedLayerOracle';

/** The importance of tokens and how many experts they get, in plain loops, written from the definition in docs/models.md. */

/** [window][head][token][channel]. */
export type HeadRows = readonly (readonly Matrix[])[];

export interface AttendedRows {
  readonly query: HeadRows;
  readonly key: HeadRows;
  readonly causal: boolean;
  readonly scale: number;
}

const sum = (xs: readonly number[]): number => xs.reduce((total, x) => total + x, 0);
const mean = (xs: readonly number[]): number => sum(xs) / xs.length;
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, i) => x * (b[i] ?? NaN)));

/** Who attends how much to whom, row by row: a row sums to 1 and is 0 for what it does not see. */
function attentionOf(query: Matrix, key: Matrix, causal: boolean, scale: number): number[][] {
  return query.map((q, i) => {
    const exps = key.map((k, j) => (causal && j > i ? 0 : Math.exp(scale * dot(q, k))));
    return exps.map((e) => e / sum(exps));
  });
}

function statisticOf(weights: Matrix, token: number, statistic: RouterConfig['importance'], causal: boolean): number {
  const row = weights[token] ?? [];
  const seen = causal ? token + 1 : row.length;
  switch (statistic) {
    case 'received':
      return mean(weights.map((from) => from[token] ?? NaN));
    case 'cls_row':
      return weights[0]?.[token] ?? NaN;
    case 'row_max':
      return seen === 1 ? 1 : 1 - Math.log(1 / Math.max(...row)) / Math.log(seen);
    case 'entropy': {
      const entropy = -sum(row.slice(0, seen).map((p) => (p === 0 ? 0 : p * Math.log(p))));
      return seen === 1 ? 1 : 1 - entropy / Math.log(seen);
    }
  }
}

/** Attention nearer to even than this is as good as even. */
const leastOf = { received: 0, cls_row: 0, row_max: 1e-3, entropy: 1e-3 };

/** Importance [window][token]: over the mean of the window, where causal of the tokens so far but the first, which is 1. */
export function importanceOracle({ query, key, causal, scale }: AttendedRows, statistic: RouterConfig['importance']): number[][] {
  return query.map((heads, window) => {
    const weights = heads.map((rows, head) => attentionOf(rows, key[window]?.[head] ?? [], causal, scale));
    const tokens = heads[0]?.length ?? 0;
    const raw = Array.from({ length: tokens }, (_, token) =>
      Math.max(leastOf[statistic], mean(weights.map((own) => statisticOf(own, token, statistic, causal)))),
    );
    if (!causal) return raw.map((r) => r / mean(raw));
    return raw.map((r, token) => (token === 0 ? 1 : r / mean(raw.slice(1, token + 1))));
  });
}

export interface Bounds {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

const halfEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** How many experts each token of a window gets without a budget. */
export function ownChoices(importance: readonly number[], { mean: k, least, most }: Bounds): number[] {
  return importance.map((r) => Math.min(most, Math.max(least, halfEven(k * r))));
}

/**
 * With a budget, by another way than bisection: the sum of clip(c r, least, most) grows with c piece by piece, straight between the values
 * of c where some token reaches a bound, so that the c of the wanted sum is found on the piece that holds it.
 */
export function budgetChoices(importance: readonly number[], { mean: k, least, most }: Bounds): number[] {
  const wanted = k * importance.length;
  const shares = (c: number): number[] => importance.map((r) => Math.min(most, Math.max(least, c * r)));
  const corners = importance.flatMap((r) => [least / r, most / r]).sort((a, b) => a - b);
  const above = corners.findIndex((c) => sum(shares(c)) >= wanted);
  const right = corners[above] ?? corners.at(-1) ?? NaN;
  const left = above > 0 ? (corners[above - 1] ?? 0) : 0;
  const [low, high] = [sum(shares(left)), sum(shares(right))];
  const exact = shares(high > low ? left + ((right - left) * (wanted - low)) / (high - low) : right);
  const given = exact.map((a) => Math.floor(a + 1e-9));
  const byRest = exact.map((a, token) => ({ token, rest: a - Math.floor(a + 1e-9) })).sort((a, b) => b.rest - a.rest || a.token - b.token);
  const missing = Math.round(wanted) - sum(given);
  for (const { token } of byRest.filter(({ token: t }) => (given[t] ?? most) < most).slice(0, missing))
    given[token] = (given[token] ?? NaN) + 1;
  return given;
}
