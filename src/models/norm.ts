import type { ParameterOptions, ProgramBuilder, Tensor } from '../graph/builder';
import type { ModelConfig } from '../config/schema';

export const NORM_EPSILON = 1e-6;

/** The variance's, inside the root. 1607.06450 has none; this is the usual one. */
const LAYER_NORM_EPSILON = 1e-5;

const constant = (value: number): ParameterOptions => ({ initialiser: { kind: 'constant', value }, role: 'norm', group: 'undecayed' });

/** RMSNorm over the last axis with a trained gain that starts at 1 and is not decayed. */
export function rmsNorm(builder: ProgramBuilder, name: string, x: Tensor, width: number): Tensor {
  return builder.rmsNorm(x, builder.parameter(name, [width], constant(1)), NORM_EPSILON);
}

/**
 * The norm of the residual stream, as the config says it, with the parameters `name` and, for LayerNorm, `<name>_bias`: a function of
 * x [rows, d_model], so that two tensors may go through the same one.
 */
export function residualNorm(builder: ProgramBuilder, name: string, model: ModelConfig): (x: Tensor) => Tensor {
  const { d_model: d } = model;
  const gain = builder.parameter(name, [d], constant(1));
  if (model.norm === 'rms') return (x) => builder.rmsNorm(x, gain, NORM_EPSILON);
  const bias = builder.parameter(`${name}_bias`, [d], constant(0));
  return (x) => {
    // LayerNorm is the RMSNorm of what differs from the mean.
    const centred = builder.subtract(x, builder.mean(x, [1], true));
    return builder.add(builder.rmsNorm(centred, gain, LAYER_NORM_EPSILON), bias);
  };
}
