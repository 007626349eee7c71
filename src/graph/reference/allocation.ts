import type { Primitive, PrimitiveAttributes } from '../primitives';
import { at, integers, size, zeros } from './array';
import { roundHalfToEven } from './quantisers';
import type { ReferenceRule } from './rule';
import { input } from './rule';

type Allocation = PrimitiveAttributes['allocateChoices'];

const clip = (x: number, least: number, most: number): number => Math.min(Math.max(x, least), most);

/** Halvings of the interval that c of a budget lies in: enough for float32, and as many on every engine. */
const BISECTIONS = 40;

/** K of every token of a window by its own importance alone. */
function withoutBudget(r: readonly number[], { mean, least, most }: Allocation): number[] {
  return r.map((importance) => clip(roundHalfToEven(mean * importance), least, most));
}

/** K of every token of a window such that they add up to about mean * time. */
function withBudget(r: readonly number[], { mean, least, most }: Allocation): number[] {
  const total = mean * r.length;
  const shares = (c: number): number[] => r.map((importance) => clip(c * importance, least, most));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  let [low, high] = [0, most / Math.max(Math.min(...r), 1e-6)];
  for (let n = 0; n < BISECTIONS; n++) {
    const middle = (low + high) / 2;
    if (sum(shares(middle)) < total) low = middle;
    else high = middle;
  }
  const exact = shares((low + high) / 2);
  const choices = exact.map(Math.floor);
  const rest = exact.map((a) => a - Math.floor(a));
  // Largest remainder first, ties to the earlier token; a token at `most` has none to give.
  const order = r.map((_, token) => token).sort((i, j) => (rest[j] ?? 0) - (rest[i] ?? 0) || i - j);
  let missing = roundHalfToEven(total) - sum(choices);
  for (const token of order) {
    if (missing <= 0) break;
    if ((choices[token] ?? most) >= most) continue;
    choices[token] = (choices[token] ?? 0) + 1;
    missing--;
  }
  return choices;
}

/** How many experts each token gets, and what follows from it. */
export const allocationRules: {
  readonly [P in Extract<Primitive, 'allocateChoices' | 'countUntil' | 'firstChoices'>]: ReferenceRule<P>;
} = {
  allocateChoices: (attributes, inputs) => {
    const r = input(inputs, 0);
    const [batch, time] = [size(r, 0), size(r, 1)];
    const result = integers([batch * time, 1]);
    for (let window = 0; window < batch; window++) {
      const own = Array.from({ length: time }, (_, token) => at(r, window * time + token));
      result.data.set((attributes.budget ? withBudget : withoutBudget)(own, attributes), window * time);
    }
    return [result];
  },
  countUntil: ({ threshold }, inputs) => {
    const x = input(inputs, 0);
    const [units, k] = [size(x, 0), size(x, 1)];
    const result = integers([units, 1]);
    for (let unit = 0; unit < units; unit++) {
      let sum = 0;
      let taken = 0;
      while (taken < k) {
        sum += at(x, unit * k + taken++);
        if (sum >= threshold) break;
      }
      result.data[unit] = taken;
    }
    return [result];
  },
  firstChoices: ({ experts }, inputs) => {
    const [indices, taken] = [input(inputs, 0), input(inputs, 1)];
    const k = size(indices, 1);
    const [limited, kept] = [integers(indices.shape), zeros(indices.shape)];
    indices.data.forEach((expert, flat) => {
      const takes = flat % k < at(taken, Math.floor(flat / k));
      limited.data[flat] = takes ? expert : experts;
      kept.data[flat] = takes ? 1 : 0;
    });
    return [limited, kept];
  },
};
