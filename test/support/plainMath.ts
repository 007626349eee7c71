import type { BitnetConfig, ModelConfig } from '../../src/config/schema';

/** Arithmetic of plain numbers for the plain model, and the weights that it reads. It shares no code with src/models. */

export type Vector = readonly number[];
export type Matrix = readonly Vector[];

export interface Context {
  readonly model: ModelConfig;
  vector(name: string): Vector;
  matrix(name: string): Matrix;
  /** The matrix of one expert. */
  expert(name: string, index: number): Matrix;
}

export const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
export const of = (x: Vector, i: number): number => x[i] ?? NaN;
export const dot = (a: Vector, b: Vector): number => a.reduce((sum, element, i) => sum + element * of(b, i), 0);
export const plus = (a: Vector, b: Vector): Vector => a.map((element, i) => element + of(b, i));
export const scaled = (a: Vector, factor: number): Vector => a.map((element) => element * factor);
export const columns = (w: Matrix): Matrix => indices(w[0]?.length ?? 0).map((column) => w.map((row) => of(row, column)));
export const times = (x: Vector, w: Matrix): Vector => columns(w).map((column) => dot(x, column));

export function softmax(x: Vector): Vector {
  const exponentials = x.map((element) => Math.exp(element - Math.max(...x)));
  return scaled(exponentials, 1 / exponentials.reduce((a, b) => a + b));
}

export function rmsNorm(x: Vector, gain?: Vector): Vector {
  const root = Math.sqrt(dot(x, x) / x.length + 1e-6);
  return x.map((element, i) => (element / root) * (gain === undefined ? 1 : of(gain, i)));
}

export function roundHalfToEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

export function quantisedMatrix(w: Matrix, levels: 'ternary' | 'binary'): Matrix {
  const all = w.flat();
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const scale = Math.max(all.reduce((a, b) => a + Math.abs(b), 0) / all.length, 1e-5);
  const level = (element: number): number =>
    levels === 'binary' ? (element - mean > 0 ? 1 : -1) : Math.max(-1, Math.min(1, roundHalfToEven(element / scale)));
  return w.map((row) => row.map((element) => scale * level(element)));
}

export function eightBits(x: Vector): Vector {
  const largest = Math.max(1e-5, ...x.map(Math.abs));
  return x.map((element) => (largest / 127) * Math.max(-128, Math.min(127, roundHalfToEven((127 * element) / largest))));
}

/** x W, as a BitLinear where the config says so. */
export function linear(x: Vector, w: Matrix, bitnet: BitnetConfig | undefined): Vector {
  if (bitnet === undefined) return times(x, w);
  const normed = bitnet.norm === 'rms' ? rmsNorm(x) : x;
  return times(bitnet.activation_bits === 8 ? eightBits(normed) : normed, quantisedMatrix(w, bitnet.weights));
}

/** The norm of the residual stream. */
export function streamNorm({ model, vector }: Context, name: string, x: Vector): Vector {
  if (model.norm === 'rms') return rmsNorm(x, vector(name));
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
  const bias = vector(`${name}_bias`);
  return x.map((element, i) => ((element - mean) / Math.sqrt(variance + 1e-5)) * of(vector(name), i) + of(bias, i));
}

/** The k best by score, best first, ties to the lower. */
export function best(scores: Vector, k: number): number[] {
  return indices(scores.length)
    .sort((a, b) => of(scores, b) - of(scores, a) || a - b)
    .slice(0, k);
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
