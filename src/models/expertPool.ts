import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { Initialiser } from '../graph/program';
import type { ActivationFunction, BitnetConfig } from '../config/schema';
import { bitInput, bitWeight } from './bitLinear';
import type { Dispatch } from './dispatch';
import { hiddenUnits } from './feedForward';

export interface ExpertPool {
  readonly experts: number;
  /** Width of a routed unit: d_model, or d_model / heads for sub-tokens. */
  readonly inputs: number;
  /** Hidden width of one expert. */
  readonly width: number;
  readonly activation: ActivationFunction;
  readonly bitnet: BitnetConfig | undefined;
  /** Experts used per token over experts held; an upper bound when sub-tokens may share one. */
  readonly activeFraction: number;
  /** Of the matrices that lead into the expert, and of the one that leads out. */
  readonly initialisers: { readonly inner: Initialiser; readonly output: Initialiser };
}

/**
 * Units through their experts and back: x [units, inputs] -> [units, inputs], weights stacked [experts, in, out]. BitLinear quantises
 * inputs by row, so that a unit is quantised once, before it is copied to its experts, and weights by expert.
 */
export function expertPool(builder: ProgramBuilder, x: Tensor, dispatch: Dispatch, pool: ExpertPool): Tensor {
  const { experts, inputs, width, bitnet, initialisers } = pool;
  const times = (name: string, rows: Tensor, [from, to]: readonly [number, number], initialiser: Initialiser): Tensor => {
    const weight = builder.parameter(name, [experts, from, to], {
      initialiser,
      role: 'experts',
      shardAxis: 0,
      activeFraction: pool.activeFraction,
    });
    return dispatch.multiply(rows, bitWeight(builder, weight, bitnet));
  };
  const rows = dispatch.toRows(bitInput(builder, x, bitnet));
  const hidden = hiddenUnits(builder, pool.activation, (name) => times(name, rows, [inputs, width], initialisers.inner));
  return dispatch.combine(times('w2', bitInput(builder, hidden, bitnet), [width, inputs], initialisers.output));
}
