import type { Bindings } from '../../src/graph/dimensions';
import { differentiate } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { interpret, normals, routingDecisions, scalar } from './programs';

export interface DirectionalError {
  readonly parameter: string;
  readonly error: number;
}

/**
 * Compares the gradients of `differentiate` with central finite differences in float64, along one random direction per parameter.
 * Routing is frozen at the base point. error = |a - n| / max(|a|, |n|, 1e-3 max|g|), where a and n are the analytic and numeric
 * derivatives along a direction of unit length and max|g| is over all gradient elements.
 */
export function gradientErrors(program: Program, bindings: Bindings, feeds: ReadonlyMap<ValueId, NdArray>, seed = 1): DirectionalError[] {
  const { program: backward, gradients } = differentiate(program);
  const base = interpret(backward, { bindings, feeds, wanted: [...gradients, program.outputs.loss] });
  const frozen = routingDecisions(program, base);
  const largest = Math.max(
    ...gradients.map((id) => (base.get(id)?.data as Float64Array).reduce((max, element) => Math.max(max, Math.abs(element)), 0)),
  );
  const lossAt = (parameter: ValueId, data: Float64Array, shape: readonly number[]): number => {
    const moved = new Map([...feeds, ...frozen, [parameter, { shape, data }]]);
    return scalar(interpret(program, { bindings, feeds: moved, wanted: [program.outputs.loss] }), program.outputs.loss);
  };
  return program.parameters.map((parameter, index) => {
    const at = feeds.get(parameter.value);
    const gradient = base.get(gradients[index] ?? -1);
    if (at === undefined || gradient === undefined) throw new RangeError(`${parameter.name} has no value or no gradient.`);
    const direction = normals(parameter.shape, seed * 100 + index);
    const length = Math.hypot(...direction);
    const step = 1e-5;
    const shifted = (sign: number): number =>
      lossAt(
        parameter.value,
        Float64Array.from(at.data, (element, i) => element + (sign * step * (direction[i] ?? 0)) / length),
        parameter.shape,
      );
    const numeric = (shifted(1) - shifted(-1)) / (2 * step);
    const analytic = (gradient.data as Float64Array).reduce((sum, element, i) => sum + (element * (direction[i] ?? 0)) / length, 0);
    return {
      parameter: parameter.name,
      error: Math.abs(analytic - numeric) / Math.max(Math.abs(analytic), Math.abs(numeric), 1e-3 * largest),
    };
  });
}
