import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { BitnetConfig } from '../config/schema';
import { NORM_EPSILON } from './norm';

/**
 * The input of a BitLinear, x [rows, width]: RMSNorm without gain (`norm: rms`), then 8 bits per row (2402.17764 section 2). Weights that
 * share an input share what this returns. x itself without `bitnet`.
 */
export function bitInput(builder: ProgramBuilder, x: Tensor, bitnet: BitnetConfig | undefined): Tensor {
  if (bitnet === undefined) return x;
  const normed = bitnet.norm === 'rms' ? builder.rmsNorm(x, builder.constant(1, x.shape.slice(-1)), NORM_EPSILON) : x;
  return bitnet.activation_bits === 8 ? builder.quantiseActivation(normed) : normed;
}

/** The weights [..., in, out] as a BitLinear multiplies with them: per matrix, so per expert. The parameter stays the latent one. */
export function bitWeight(builder: ProgramBuilder, weight: Tensor, bitnet: BitnetConfig | undefined): Tensor {
  return bitnet === undefined ? weight : builder.quantiseWeight(weight, bitnet.weights);
}
