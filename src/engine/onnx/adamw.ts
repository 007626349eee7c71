import type { AdamW } from '../../graph/program';

/** One AdamW step's numbers for one parameter. */
export interface AdamWScalars {
  /** 1 for the first step. */
  readonly step: number;
  readonly learningRate: number;
  /** Times the learning rate: the parameter group's. */
  readonly rateScale: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** What the gradient is multiplied by first: 1 / microbatches, and less where the global norm is clipped. */
  readonly gradientScale: number;
}

/** The scalars of one step for the parameters of a group. */
export function adamwScalars(
  { beta1, beta2, epsilon, groups }: AdamW,
  group: string,
  step: { readonly step: number; readonly learningRate: number; readonly gradientScale: number },
): AdamWScalars {
  const { weightDecay = 0, rateScale = 1 } = groups[group] ?? {};
  return { ...step, beta1, beta2, epsilon, weightDecay, rateScale };
}

/**
 * AdamW, in place (Loshchilov and Hutter, 1711.05101, Algorithm 2; the moments are those of Adam, 1412.6980):
 *   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
 *   w = w - rate (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weightDecay w),   rate = learningRate rateScale.
 * All arrays have the parameter's length.
 */
export function adamwUpdate(
  parameter: Float32Array,
  gradient: Float32Array,
  firstMoment: Float32Array,
  secondMoment: Float32Array,
  { step, learningRate, rateScale, beta1, beta2, epsilon, weightDecay, gradientScale }: AdamWScalars,
): void {
  const keep1 = 1 - beta1;
  const keep2 = 1 - beta2;
  const rate = (learningRate * rateScale) / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  const decay = 1 - learningRate * rateScale * weightDecay;
  for (let i = 0; i < parameter.length; i++) {
    const g = (gradient[i] as number) * gradientScale;
    const m = beta1 * (firstMoment[i] as number) + keep1 * g;
    const v = beta2 * (secondMoment[i] as number) + keep2 * g * g;
    firstMoment[i] = m;
    secondMoment[i] = v;
    parameter[i] = (parameter[i] as number) * decay - (rate * m) / (Math.sqrt(v) * correction + epsilon);
  }
}

/** Sum of squares in float64; four running sums so that additions do not wait for each other. */
export function sumOfSquares(x: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = x.length - (x.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (x[i] as number) ** 2;
    b += (x[i + 1] as number) ** 2;
    c += (x[i + 2] as number) ** 2;
    d += (x[i + 3] as number) ** 2;
  }
  for (let i = whole; i < x.length; i++) a += (x[i] as number) ** 2;
  return a + b + (c + d);
}

/** sum += x, elementwise. */
export function accumulate(sum: Float32Array, x: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (x[i] as number);
}

/** What brings a gradient of global L2 norm `norm` down to `clip`; 1 where it is within it or nothing clips (1211.5063). */
export function clipScale(norm: number, clip: number | null): number {
  return clip === null || norm <= clip ? 1 : clip / norm;
}
