import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { Initialiser, ParameterRole } from '../graph/program';
import type { BitnetConfig } from '../config/schema';
import { bitInput, bitWeight } from './bitLinear';

export interface LinearOptions {
  readonly inputs: number;
  readonly outputs: number;
  readonly role: ParameterRole;
  /** How the weight is drawn; see `Initialisation`. */
  readonly initialiser: Initialiser;
  /** Adds the parameter `bias` [outputs], 0 at the start and not decayed. */
  readonly bias?: boolean;
  /** Quantises the weight and x: a BitLinear. Where several weights share x, use `projection` on what `bitInput` made of it. */
  readonly bitnet?: BitnetConfig | undefined;
}

/** x [rows, inputs] -> [rows, outputs]; the weight is the parameter `name`, stored [inputs, outputs]. */
export function linear(builder: ProgramBuilder, name: string, x: Tensor, options: LinearOptions): Tensor {
  return projection(builder, name, bitInput(builder, x, options.bitnet), options);
}

/** As `linear`, for an x that is quantised already if it is to be. */
export function projection(builder: ProgramBuilder, name: string, x: Tensor, options: LinearOptions): Tensor {
  const { inputs, outputs, role, initialiser, bias = false, bitnet } = options;
  const weight = builder.parameter(name, [inputs, outputs], { initialiser, role });
  const product = builder.matmul(x, bitWeight(builder, weight, bitnet));
  if (!bias) return product;
  const offset = builder.parameter('bias', [outputs], { initialiser: { kind: 'constant', value: 0 }, role, group: 'undecayed' });
  return builder.add(product, offset);
}
