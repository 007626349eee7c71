import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { ActivationFunction, BitnetConfig } from '../config/schema';
import type { ParameterRole } from '../graph/program';
import { bitInput } from './bitLinear';
import type { Initialisation } from './initialisation';
import { linear, projection } from './linear';

export interface FeedForwardOptions {
  readonly inputs: number;
  readonly width: number;
  readonly activation: ActivationFunction;
  readonly role: ParameterRole;
  readonly initialisation: Initialisation;
  readonly bitnet?: BitnetConfig | undefined;
}

/** The hidden layer: silu(x w3) * (x w1) for swiglu (three matrices, 2002.05202), activation(x w1) otherwise (two). */
export function hiddenUnits(builder: ProgramBuilder, activation: ActivationFunction, project: (name: 'w1' | 'w3') => Tensor): Tensor {
  if (activation !== 'swiglu') return builder.activation(activation, project('w1'));
  const gate = builder.activation('silu', project('w3'));
  return builder.multiply(gate, project('w1'));
}

/** A feed-forward network every token passes: x [rows, inputs] -> [rows, inputs], no biases. */
export function feedForward(builder: ProgramBuilder, x: Tensor, options: FeedForwardOptions): Tensor {
  const { inputs, width, activation, role, initialisation, bitnet } = options;
  const input = bitInput(builder, x, bitnet);
  const inner = { inputs, outputs: width, role, initialiser: initialisation.matrix(inputs), bitnet };
  const hidden = hiddenUnits(builder, activation, (name) => projection(builder, name, input, inner));
  return linear(builder, 'w2', hidden, { inputs: width, outputs: inputs, role, initialiser: initialisation.residual(width), bitnet });
}
