import type { Primitive } from '../primitives';
import { at, size, zeros } from './array';
import type { ReferenceRule } from './rule';
import { input } from './rule';

/** Below this a scale is no measure of anything: the clamp of BitNet's published kernels. */
const SMALLEST_SCALE = 1e-5;

/** To the nearest integer, halves to the even one (IEEE 754, as torch.round; Math.round takes halves up). */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const distance = x - below;
  if (distance !== 0.5) return distance < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

export const quantiserRules: { readonly [P in Extract<Primitive, 'quantiseWeight' | 'quantiseActivation'>]: ReferenceRule<P> } = {
  quantiseWeight: ({ levels }, inputs) => {
    const w = input(inputs, 0);
    const elements = size(w, -2) * size(w, -1);
    const result = zeros(w.shape);
    for (let start = 0; start < w.data.length; start += elements) {
      let [sum, magnitude] = [0, 0];
      for (let i = start; i < start + elements; i++) {
        sum += at(w, i);
        magnitude += Math.abs(at(w, i));
      }
      const scale = Math.max(magnitude / elements, SMALLEST_SCALE);
      const mean = sum / elements;
      for (let i = start; i < start + elements; i++) {
        const level = levels === 'binary' ? (at(w, i) > mean ? 1 : -1) : Math.min(1, Math.max(-1, roundHalfToEven(at(w, i) / scale)));
        result.data[i] = scale * level;
      }
    }
    return [result];
  },
  quantiseActivation: (_, inputs) => {
    const x = input(inputs, 0);
    const width = size(x, 1);
    const result = zeros(x.shape);
    for (let start = 0; start < x.data.length; start += width) {
      let largest = SMALLEST_SCALE;
      for (let i = start; i < start + width; i++) largest = Math.max(largest, Math.abs(at(x, i)));
      for (let i = start; i < start + width; i++) {
        const level = Math.min(127, Math.max(-128, roundHalfToEven((127 * at(x, i)) / largest)));
        result.data[i] = (largest / 127) * level;
      }
    }
    return [result];
  },
};
