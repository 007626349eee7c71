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

type Statistic = PrimitiveAttributes['attentionImportance']['statistic'];

/** Below this, attention is as good as even: what differs from token to token may be rounding, so that all are as important. */
const LEAST_CONCENTRATION = 1e-3;

/**
 * By the probabilities of the n > 1 keys that one query sees (a row of A), how far it is from looking at all alike (0) towards looking at
 * one (1).
 */
const concentrations: Record<'row_max' | 'entropy', (row: Float64Array) => number> = {
  row_max: (row) => 1 + Math.log(row.reduce((a, b) => Math.max(a, b), 0)) / Math.log(row.length),
  entropy: (row) => 1 + row.reduce((sum, p) => (p > 0 ? sum + p * Math.log(p) : sum), 0) / Math.log(row.length),
};

/** The statistic of each token by one head's rows of A, before any mean. */
function headStatistic(rows: readonly Float64Array[], statistic: Statistic): number[] {
  switch (statistic) {
    case 'received':
      return rows.map((_, token) => rows.reduce((sum, row) => sum + (row[token] ?? 0), 0) / rows.length);
    case 'cls_row':
      return [...(rows[0] ?? [])];
    case 'row_max':
    case 'entropy':
      return rows.map((row) => (row.length === 1 ? 1 : concentrations[statistic](row)));
  }
}

/** The least that a mean over the heads counts for. */
const least: Record<Statistic, number> = { received: 0, cls_row: 0, row_max: LEAST_CONCENTRATION, entropy: LEAST_CONCENTRATION };

/**
 * Each token's importance over the mean of the window; where causal over that of those up to it, of which the first has no choice and is
 * left out.
 */
function overMean(values: readonly number[], causal: boolean): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (!causal) return values.map((value) => value / mean);
  let running = 0;
  return values.map((value, token) => {
    if (token === 0) return 1;
    running += value;
    return value / (running / token);
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
        headStatistic(rows.slice(start, start + time), statistic).forEach((value, token) => {
          mean[token] = (mean[token] ?? 0) + value / heads;
        });
      }
      const importance = mean.map((value) => Math.max(value, least[statistic]));
      result.data.set(overMean(importance, causal), window * time);
    }
    return [result];
  },
};
