import type { Primitive } from '../primitives';
import { at, size, zeros } from './array';
import { addRows } from './gradientArrays';
import type { ReferenceRule } from './rule';
import { input } from './rule';

/** Tables of which each unit reads the rows that it chose. */
export const rowTableRules: { readonly [P in Extract<Primitive, 'rowDot' | 'rowSum' | 'rowOuter'>]: ReferenceRule<P> } = {
  rowDot: (_, inputs) => {
    const [table, indices, x] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [width, k] = [size(table, 1), size(indices, 1)];
    const result = zeros(indices.shape);
    indices.data.forEach((row, flat) => {
      const unit = Math.floor(flat / k);
      let sum = 0;
      for (let i = 0; i < width; i++) sum += at(x, unit * width + i) * at(table, row * width + i);
      result.data[flat] = sum;
    });
    return [result];
  },
  rowSum: (_, inputs) => {
    const [table, indices, weights] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [width, k] = [size(table, 1), size(indices, 1)];
    const result = zeros([size(indices, 0), width]);
    indices.data.forEach((row, flat) => {
      const unit = Math.floor(flat / k);
      for (let i = 0; i < width; i++) {
        const target = unit * width + i;
        result.data[target] = at(result, target) + at(weights, flat) * at(table, row * width + i);
      }
    });
    return [result];
  },
  rowOuter: ({ rows }, inputs, context) => {
    const [indices, coefficients, vectors] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const result = zeros([context.bind(rows), size(vectors, 1)]);
    addRows(result, indices, coefficients, vectors);
    return [result];
  },
};
