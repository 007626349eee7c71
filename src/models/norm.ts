import type { ProgramBuilder, Tensor } from '../graph/builder';

export const NORM_EPSILON = 1e-6;

/** RMSNorm over the last axis with a trained gain that starts at 1 and is not decayed. */
export function rmsNorm(builder: ProgramBuilder, name: string, x: Tensor, width: number): Tensor {
  const gain = builder.parameter(name, [width], { initialiser: { kind: 'constant', value: 1 }, role: 'norm', group: 'undecayed' });
  return builder.rmsNorm(x, gain, NORM_EPSILON);
}
