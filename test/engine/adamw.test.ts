import { describe, expect, it } from 'vitest';
import { accumulate, adamwUpdate, clipScale, sumOfSquares } from '../../src/engine/onnx/adamw';
import { normals } from '../support/programs';

const scalars = { learningRate: 0.02, rateScale: 1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1 };

/** 1711.05101 Algorithm 2 as it is printed, in float64, with the schedule multiplier 1 and learning rate times decay. */
function oracle(start: Float64Array, gradients: readonly Float64Array[]): number[] {
  const [w, m, v] = [[...start], start.map(() => 0), start.map(() => 0)];
  gradients.forEach((gradient, index) => {
    const t = index + 1;
    gradient.forEach((g, i) => {
      m[i] = scalars.beta1 * (m[i] ?? 0) + (1 - scalars.beta1) * g;
      v[i] = scalars.beta2 * (v[i] ?? 0) + (1 - scalars.beta2) * g * g;
      const mHat = m[i] / (1 - scalars.beta1 ** t);
      const vHat = v[i] / (1 - scalars.beta2 ** t);
      w[i] = (w[i] ?? 0) - scalars.learningRate * (mHat / (Math.sqrt(vHat) + scalars.epsilon) + scalars.weightDecay * (w[i] ?? 0));
    });
  });
  return w;
}

describe('AdamW', () => {
  it('follows the published algorithm over several steps', () => {
    const start = normals([37], 1);
    const gradients = [2, 3, 4, 5, 6].map((seed) => normals([37], seed, 0.1));
    const [w, m, v] = [Float32Array.from(start), new Float32Array(37), new Float32Array(37)];
    gradients.forEach((gradient, index) => {
      adamwUpdate(w, Float32Array.from(gradient), m, v, { ...scalars, step: index + 1, gradientScale: 1 });
    });
    oracle(start, gradients).forEach((expected, i) => expect(Math.abs((w[i] ?? 0) - expected)).toBeLessThan(1e-6));
  });

  it('scales the gradient before anything else', () => {
    const gradient = normals([8], 7);
    const update = (g: Float64Array, gradientScale: number): Float32Array => {
      const w = new Float32Array(8).fill(1);
      adamwUpdate(w, Float32Array.from(g), new Float32Array(8), new Float32Array(8), { ...scalars, epsilon: 0.1, step: 1, gradientScale });
      return w;
    };
    const [whole, scaled] = [
      update(gradient, 1),
      update(
        gradient.map((g) => g * 4),
        0.25,
      ),
    ];
    whole.forEach((w, i) => expect(Math.abs(w - (scaled[i] ?? 0))).toBeLessThan(1e-6));
  });

  it('takes steps and decay at the rate of its group', () => {
    const update = (learningRate: number, rateScale: number): Float32Array => {
      const w = Float32Array.from([2, -1]);
      const gradient = Float32Array.from([0.3, -0.2]);
      adamwUpdate(w, gradient, new Float32Array(2), new Float32Array(2), {
        ...scalars,
        learningRate,
        rateScale,
        step: 3,
        gradientScale: 1,
      });
      return w;
    };
    expect([...update(0.02, 4)]).toEqual([...update(0.08, 1)]);
    expect([...update(0.02, 4)]).not.toEqual([...update(0.02, 1)]);
  });

  it('decays weights without a gradient', () => {
    const w = Float32Array.from([2]);
    adamwUpdate(w, new Float32Array(1), new Float32Array(1), new Float32Array(1), { ...scalars, step: 1, gradientScale: 1 });
    expect(w[0]).toBeCloseTo(2 * (1 - 0.02 * 0.1), 6);
  });
});

describe('gradients', () => {
  it('have a norm in float64', () => {
    for (const length of [0, 1, 3, 4, 9]) {
      const x = normals([length], 3);
      expect(sumOfSquares(Float32Array.from(x))).toBeCloseTo(
        x.reduce((sum, value) => sum + value * value, 0),
        5,
      );
    }
    expect(sumOfSquares(Float32Array.from([1, Number.NaN]))).toBeNaN();
  });
  it('accumulate in place', () => {
    const sum = Float32Array.from([1, 2]);
    accumulate(sum, Float32Array.from([10, 20]));
    expect([...sum]).toEqual([11, 22]);
  });
  it('are clipped to the norm, and only then', () => {
    expect(clipScale(4, 2)).toBe(0.5);
    expect(clipScale(1, 2)).toBe(1);
    expect(clipScale(100, null)).toBe(1);
  });
});
