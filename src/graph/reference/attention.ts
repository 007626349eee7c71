import type { Primitive, PrimitiveAttributes } from '../primitives';
import type { NdArray } from './array';
import { at, size, zeros } from './array';
import type { ReferenceRule } from './rule';
import { input } from './rule';
import { softmaxOf } from './softmax';

/** Attention probabilities of every (batch, head, query): a row over keys, zero where masked. */
function attentionProbabilities(q: NdArray, k: NdArray, causal: boolean, scale: number): Float64Array[] {
  const [time, width] = [size(q, 2), size(q, 3)];
  const heads = size(q, 0) * size(q, 1);
  const rows: Float64Array[] = [];
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < time; query++) {
      const seen = causal ? query + 1 : time;
      const row = softmaxOf(seen, (key) => {
        let score = 0;
        for (let i = 0; i < width; i++) score += at(q, (head * time + query) * width + i) * at(k, (head * time + key) * width + i);
        return score * scale;
      });
      rows.push(row);
    }
  }
  return rows;
}

/** Where every query looks at all keys alike, each is as important as any other and not 0 of 0. */
const LEAST_CONCENTRATION = 1e-6;

/** By the keys' probabilities of one query (a row of A), how important that query is: high where it looks at few keys. */
const rowStatistics: Record<'row_max' | 'entropy', (row: Float64Array) => number> = {
  row_max: (row) => row.reduce((a, b) => Math.max(a, b), 0),
  entropy: (row) => {
    if (row.length === 1) return 1;
    const entropy = row.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
    return Math.max(1 - entropy / Math.log(row.length), LEAST_CONCENTRATION);
  },
};

/** The importance of each token of one head's rows of A, before any mean. */
function headImportance(rows: readonly Float64Array[], statistic: PrimitiveAttributes['attentionImportance']['statistic']): number[] {
  switch (statistic) {
    case 'received':
      return rows.map((_, token) => rows.reduce((sum, row) => sum + (row[token] ?? 0), 0) / rows.length);
    case 'cls_row':
      return [...(rows[0] ?? [])];
    case 'row_max':
    case 'entropy':
      return rows.map(rowStatistics[statistic]);
  }
}

/** Each number over the mean of all of them, or over that of those up to it. */
function overMean(values: readonly number[], causal: boolean): number[] {
  const total = values.reduce((a, b) => a + b, 0);
  let running = 0;
  return values.map((value, token) => {
    running += value;
    return value / (causal ? running / (token + 1) : total / values.length);
  });
}

export const attentionRules: {
  readonly [P in Extract<Primitive, 'attention' | 'attentionGradient' | 'attentionImportance'>]: ReferenceRule<P>;
} = {
  attention: ({ causal, scale }, inputs) => {
    const [q, k, v] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [time, width] = [size(q, 2), size(q, 3)];
    const result = zeros(q.shape);
    attentionProbabilities(q, k, causal, scale).forEach((probabilities, row) => {
      const head = Math.floor(row / time);
      probabilities.forEach((probability, key) => {
        for (let i = 0; i < width; i++) {
          const flat = row * width + i;
          result.data[flat] = at(result, flat) + probability * at(v, (head * time + key) * width + i);
        }
      });
    });
    return [result];
  },
  attentionGradient: ({ causal, scale }, inputs) => {
    const [q, k, v, g] = [input(inputs, 0), input(inputs, 1), input(inputs, 2), input(inputs, 3)];
    const [time, width] = [size(q, 2), size(q, 3)];
    const [dq, dk, dv] = [zeros(q.shape), zeros(k.shape), zeros(v.shape)];
    attentionProbabilities(q, k, causal, scale).forEach((probabilities, row) => {
      const head = Math.floor(row / time);
      // dP = g v^T, dS = P * (dP - sum(dP * P)), the softmax's own gradient.
      const toKey = (key: number, i: number): number => (head * time + key) * width + i;
      const probabilityGradients = probabilities.map((_, key) => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += at(g, row * width + i) * at(v, toKey(key, i));
        return sum;
      });
      const dot = probabilities.reduce((sum, probability, key) => sum + probability * (probabilityGradients[key] ?? 0), 0);
      probabilities.forEach((probability, key) => {
        const scoreGradient = probability * ((probabilityGradients[key] ?? 0) - dot) * scale;
        for (let i = 0; i < width; i++) {
          const [query, other] = [row * width + i, toKey(key, i)];
          dq.data[query] = at(dq, query) + scoreGradient * at(k, other);
          dk.data[other] = at(dk, other) + scoreGradient * at(q, query);
          dv.data[other] = at(dv, other) + probability * at(g, query);
        }
      });
    });
    return [dq, dk, dv];
  },
  attentionImportance: ({ statistic, causal, scale }, inputs) => {
    const [q, k] = [input(inputs, 0), input(inputs, 1)];
    const [batch, heads, time] = [size(q, 0), size(q, 1), size(q, 2)];
    const rows = attentionProbabilities(q, k, causal, scale);
    const result = zeros([batch, time]);
    for (let window = 0; window < batch; window++) {
      const mean = new Array<number>(time).fill(0);
      for (let head = 0; head < heads; head++) {
        const start = (window * heads + head) * time;
        headImportance(rows.slice(start, start + time), statistic).forEach((value, token) => {
          mean[token] = (mean[token] ?? 0) + value / heads;
        });
      }
      result.data.set(overMean(mean, causal), window * time);
    }
    return [result];
  },
};
