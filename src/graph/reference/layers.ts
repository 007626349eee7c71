import type { Primitive } from '../primitives';
import type { NdArray } from './array';
import { at, size, zeros } from './array';
import type { ReferenceRule } from './rule';
import { input } from './rule';
import { softmaxOf } from './softmax';

type Family =
  | 'matmul'
  | 'softmax'
  | 'softmaxGradient'
  | 'logSumExp'
  | 'rmsNorm'
  | 'rmsNormGradient'
  | 'rotary'
  | 'gatherRows'
  | 'scatterRows'
  | 'crossEntropy'
  | 'crossEntropyGradient';

function rowsOf(x: NdArray): readonly [number, number] {
  const width = size(x, -1);
  return [width === 0 ? 0 : x.data.length / width, width];
}

export const layerRules: { readonly [P in Extract<Primitive, Family>]: ReferenceRule<P> } = {
  matmul: ({ transposeA, transposeB }, inputs) => {
    const [a, b] = [input(inputs, 0), input(inputs, 1)];
    const [rows, inner] = transposeA ? [size(a, -1), size(a, -2)] : [size(a, -2), size(a, -1)];
    const columns = size(b, transposeB ? -2 : -1);
    const result = zeros([...a.shape.slice(0, -2), rows, columns]);
    const batches = a.shape.slice(0, -2).reduce((product, value) => product * value, 1);
    for (let batch = 0; batch < batches; batch++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let i = 0; i < inner; i++) {
            const left = batch * rows * inner + (transposeA ? i * rows + row : row * inner + i);
            const right = batch * inner * columns + (transposeB ? column * inner + i : i * columns + column);
            sum += at(a, left) * at(b, right);
          }
          result.data[(batch * rows + row) * columns + column] = sum;
        }
      }
    }
    return [result];
  },
  softmax: (_, inputs) => {
    const x = input(inputs, 0);
    const [rows, width] = rowsOf(x);
    const result = zeros(x.shape);
    for (let row = 0; row < rows; row++) {
      result.data.set(
        softmaxOf(width, (i) => at(x, row * width + i)),
        row * width,
      );
    }
    return [result];
  },
  softmaxGradient: (_, inputs) => {
    const [y, g] = [input(inputs, 0), input(inputs, 1)];
    const [rows, width] = rowsOf(y);
    const result = zeros(y.shape);
    for (let row = 0; row < rows; row++) {
      let dot = 0;
      for (let i = row * width; i < (row + 1) * width; i++) dot += at(y, i) * at(g, i);
      for (let i = row * width; i < (row + 1) * width; i++) result.data[i] = at(y, i) * (at(g, i) - dot);
    }
    return [result];
  },
  logSumExp: (_, inputs) => {
    const x = input(inputs, 0);
    const [rows, width] = rowsOf(x);
    const result = zeros(x.shape.slice(0, -1));
    for (let row = 0; row < rows; row++) {
      let maximum = -Infinity;
      for (let i = 0; i < width; i++) maximum = Math.max(maximum, at(x, row * width + i));
      let total = 0;
      for (let i = 0; i < width; i++) total += Math.exp(at(x, row * width + i) - maximum);
      result.data[row] = Math.log(total) + maximum;
    }
    return [result];
  },
  rmsNorm: ({ epsilon }, inputs) => {
    const [x, gain] = [input(inputs, 0), input(inputs, 1)];
    const [rows, width] = rowsOf(x);
    const result = zeros(x.shape);
    for (let row = 0; row < rows; row++) {
      let squares = 0;
      for (let i = 0; i < width; i++) squares += at(x, row * width + i) ** 2;
      const inverse = 1 / Math.sqrt(squares / width + epsilon);
      for (let i = 0; i < width; i++) result.data[row * width + i] = at(x, row * width + i) * inverse * at(gain, i);
    }
    return [result];
  },
  // With r = 1/rms(x): dx_i = r gain_i g_i - x_i r^3 / d * sum_j gain_j g_j x_j.
  rmsNormGradient: ({ epsilon }, inputs) => {
    const [x, gain, g] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [rows, width] = rowsOf(x);
    const [dx, dgain] = [zeros(x.shape), zeros(gain.shape)];
    for (let row = 0; row < rows; row++) {
      let squares = 0;
      let dot = 0;
      for (let i = 0; i < width; i++) {
        const flat = row * width + i;
        squares += at(x, flat) ** 2;
        dot += at(gain, i) * at(g, flat) * at(x, flat);
      }
      const inverse = 1 / Math.sqrt(squares / width + epsilon);
      for (let i = 0; i < width; i++) {
        const flat = row * width + i;
        dx.data[flat] = inverse * at(gain, i) * at(g, flat) - (at(x, flat) * inverse ** 3 * dot) / width;
        dgain.data[i] = at(dgain, i) + at(g, flat) * at(x, flat) * inverse;
      }
    }
    return [dx, dgain];
  },
  rotary: ({ base, inverse }, inputs) => {
    const x = input(inputs, 0);
    const [rows, width] = rowsOf(x);
    const [time, half] = [size(x, -2), width / 2];
    const result = zeros(x.shape);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < half; i++) {
        const angle = (row % time) * base ** (-i / half) * (inverse ? -1 : 1);
        const [first, second] = [at(x, row * width + i), at(x, row * width + i + half)];
        result.data[row * width + i] = first * Math.cos(angle) - second * Math.sin(angle);
        result.data[row * width + i + half] = first * Math.sin(angle) + second * Math.cos(angle);
      }
    }
    return [result];
  },
  gatherRows: (_, inputs) => {
    const [table, indices] = [input(inputs, 0), input(inputs, 1)];
    const width = size(table, 1);
    const result = zeros([...indices.shape, width]);
    indices.data.forEach((row, n) => {
      for (let i = 0; i < width; i++) result.data[n * width + i] = at(table, row * width + i);
    });
    return [result];
  },
  scatterRows: ({ rows }, inputs, context) => {
    const [indices, values] = [input(inputs, 0), input(inputs, 1)];
    const width = size(values, -1);
    const result = zeros([context.bind(rows), width]);
    indices.data.forEach((row, n) => {
      for (let i = 0; i < width; i++) result.data[row * width + i] = at(result, row * width + i) + at(values, n * width + i);
    });
    return [result];
  },
  crossEntropy: (_, inputs) => {
    const [logits, targets] = [input(inputs, 0), input(inputs, 1)];
    const width = size(logits, 1);
    const result = zeros(targets.shape);
    targets.data.forEach((target, n) => {
      if (target < 0) return;
      let maximum = -Infinity;
      for (let i = 0; i < width; i++) maximum = Math.max(maximum, at(logits, n * width + i));
      let total = 0;
      for (let i = 0; i < width; i++) total += Math.exp(at(logits, n * width + i) - maximum);
      result.data[n] = Math.log(total) + maximum - at(logits, n * width + target);
    });
    return [result];
  },
  crossEntropyGradient: (_, inputs) => {
    const [logits, targets, g] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const width = size(logits, 1);
    const result = zeros(logits.shape);
    targets.data.forEach((target, n) => {
      if (target < 0) return;
      softmaxOf(width, (i) => at(logits, n * width + i)).forEach((probability, i) => {
        result.data[n * width + i] = at(g, n) * (probability - (i === target ? 1 : 0));
      });
    });
    return [result];
  },
};
