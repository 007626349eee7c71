import type { Primitive } from '../primitives';
import type { NdArray } from './array';
import { at, size, zeros } from './array';
import type { ReferenceRule } from './rule';
import { named } from './rule';
import { softmaxOf } from './softmax';

const operandNames = ['q', 'k', 'v', 'cachedKeys', 'cachedValues', 'positions', 'seen'] as const;

/** One query's view: which (batch, head) and time it is at, and how likely it looks at each key that it may see. */
interface Row {
  /** batch * heads + head. */
  readonly group: number;
  readonly head: number;
  readonly query: number;
  /** The first key it sees, counted from the start of the cache: 0, or `time` where nothing of the cache is seen. */
  readonly firstKey: number;
  /** Of keys firstKey, firstKey + 1, ..., time + query. */
  readonly probabilities: Float64Array;
}

/** The rows of an array whose first half is the cache and whose second is the present, both [batch, heads, time, d]. */
function joined(cached: NdArray, present: NdArray) {
  const [time, width] = [size(present, 2), size(present, 3)];
  return {
    of: (group: number, key: number): readonly [NdArray, number] =>
      key < time ? [cached, (group * time + key) * width] : [present, (group * time + key - time) * width],
  };
}

function relativeRows(inputs: readonly NdArray[], scale: number): Row[] {
  const { q, k, cachedKeys, positions, seen } = named(inputs, operandNames);
  const [batch, heads, time, width] = [size(q, 0), size(q, 1), size(q, 2), size(q, 3)];
  const keys = joined(cachedKeys, k);
  const rows: Row[] = [];
  for (let group = 0; group < batch * heads; group++) {
    const head = group % heads;
    const firstKey = at(seen, Math.floor(group / heads)) === 0 ? time : 0;
    for (let query = 0; query < time; query++) {
      const probabilities = softmaxOf(time + query + 1 - firstKey, (n) => {
        const key = firstKey + n;
        const distance = time + query - key;
        const [array, start] = keys.of(group, key);
        let score = 0;
        for (let i = 0; i < width; i++) {
          const position = at(positions, (head * 2 * time + distance) * width + i);
          score += at(q, (group * time + query) * width + i) * (at(array, start + i) + position);
        }
        return scale * score;
      });
      rows.push({ group, head, query, firstKey, probabilities });
    }
  }
  return rows;
}

/** The sinusoid of row n (1706.03762 section 3.5), sines in the first half of the channels as 1901.02860 has them. */
function sinusoid(rows: number, width: number): NdArray {
  const result = zeros([rows, width]);
  const half = width / 2;
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < half; i++) {
      const angle = n * 10000 ** ((-2 * i) / width);
      result.data[n * width + i] = Math.sin(angle);
      result.data[n * width + half + i] = Math.cos(angle);
    }
  }
  return result;
}

export const relativeAttentionRules: {
  readonly [P in Extract<Primitive, 'sinusoid' | 'relativeAttention' | 'relativeAttentionGradient'>]: ReferenceRule<P>;
} = {
  sinusoid: ({ rows, width }, _, context) => [sinusoid(context.bind(rows), width)],
  relativeAttention: ({ scale }, inputs) => {
    const { q, v, cachedValues } = named(inputs, operandNames);
    const [time, width] = [size(q, 2), size(q, 3)];
    const values = joined(cachedValues, v);
    const result = zeros(q.shape);
    for (const { group, query, firstKey, probabilities } of relativeRows(inputs, scale)) {
      probabilities.forEach((probability, n) => {
        const [array, start] = values.of(group, firstKey + n);
        for (let i = 0; i < width; i++) {
          const flat = (group * time + query) * width + i;
          result.data[flat] = at(result, flat) + probability * at(array, start + i);
        }
      });
    }
    return [result];
  },
  relativeAttentionGradient: ({ scale }, inputs) => {
    const { q, k, v, cachedKeys, cachedValues, positions, g } = named(inputs, [...operandNames, 'g']);
    const [time, width] = [size(q, 2), size(q, 3)];
    const gradients = { q: zeros(q.shape), k: zeros(k.shape), v: zeros(v.shape), positions: zeros(positions.shape) };
    const cachedGradients = { keys: zeros(cachedKeys.shape), values: zeros(cachedValues.shape) };
    const [keys, values] = [joined(cachedKeys, k), joined(cachedValues, v)];
    const [keyGradients, valueGradients] = [joined(cachedGradients.keys, gradients.k), joined(cachedGradients.values, gradients.v)];
    const add = (array: NdArray, flat: number, amount: number): void => {
      array.data[flat] = at(array, flat) + amount;
    };
    for (const { group, head, query, firstKey, probabilities } of relativeRows(inputs, scale)) {
      const row = (group * time + query) * width;
      // dP = g v^T, dS = P * (dP - sum(dP * P)), the softmax's own gradient.
      const probabilityGradients = probabilities.map((_, n) => {
        const [array, start] = values.of(group, firstKey + n);
        let sum = 0;
        for (let i = 0; i < width; i++) sum += at(g, row + i) * at(array, start + i);
        return sum;
      });
      const mean = probabilities.reduce((sum, probability, n) => sum + probability * (probabilityGradients[n] ?? 0), 0);
      probabilities.forEach((probability, n) => {
        const key = firstKey + n;
        const scoreGradient = scale * probability * ((probabilityGradients[n] ?? 0) - mean);
        const position = (head * 2 * time + time + query - key) * width;
        const [keyArray, keyStart] = keys.of(group, key);
        const [keyGradient] = keyGradients.of(group, key);
        const [valueGradient, valueStart] = valueGradients.of(group, key);
        for (let i = 0; i < width; i++) {
          add(gradients.q, row + i, scoreGradient * (at(keyArray, keyStart + i) + at(positions, position + i)));
          add(keyGradient, keyStart + i, scoreGradient * at(q, row + i));
          add(gradients.positions, position + i, scoreGradient * at(q, row + i));
          add(valueGradient, valueStart + i, probability * at(g, row + i));
        }
      });
    }
    return [gradients.q, gradients.k, gradients.v, cachedGradients.keys, cachedGradients.values, gradients.positions];
  },
};
