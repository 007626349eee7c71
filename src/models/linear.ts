import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { ParameterRole } from '../graph/program';

/** Standard deviation of new weights before any scaling, as in GPT-2 and LLaMA. */
export const INITIAL_STANDARD_DEVIATION = 0.02;

/** Layers that write into the residual stream start smaller by 1 / sqrt(2 layers), so that its variance does not grow with depth (GPT-2). */
export function residualScale(layers: number): number {
  return 1 / Math.sqrt(2 * layers);
}

export interface LinearOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly role: ParameterRole;
  readonly initialScale?: number;
}

/** x [rows, inputs] -> [rows, outputs], weight stored [inputs, outputs], no bias. */
export function linear(builder: ProgramBuilder, name: string, x: Tensor, options: LinearOptions): Tensor {
  const weight = builder.parameter(name, [options.inputs, options.outputs], {
    initialiser: { kind: 'normal', standardDeviation: INITIAL_STANDARD_DEVIATION * (options.initialScale ?? 1) },
    role: options.role,
  });
  return builder.matmul(x, weight);
}

/** RMSNorm with a trained gain that starts at 1 and is not decayed. */
export function rmsNorm(builder: ProgramBuilder, name: string, x: Tensor, width: number): Tensor {
  const gain = builder.parameter(name, [width], { initialiser: { kind: 'constant', value: 1 }, role: 'norm', group: 'undecayed' });
  return builder.rmsNorm(x, gain, 1e-6);
}
