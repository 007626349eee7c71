import type { Bindings } from '../../src/graph/dimensions';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import type { Program, ProgramNode, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { gradientArrays, interpret, normals, routingDecisions, scalar, stepMeans } from './programs';

export interface DirectionalError {
  readonly parameter: string;
  readonly error: number;
}

/**
 * The program whose true gradient a straight-through quantiser q claims: x + (q(x0) - x0), the offset fixed at the base point x0, in place
 * of q(x). Its value at the base point is that of the quantised program.
 */
function straightThrough(program: Program, base: ReadonlyMap<ValueId, NdArray>): { program: Program; offsets: Map<ValueId, NdArray> } {
  const values = [...program.values];
  const offsets = new Map<ValueId, NdArray>();
  const nodes = program.nodes.map((node): ProgramNode => {
    if (node.op !== 'quantiseWeight' && node.op !== 'quantiseActivation') return node;
    const [x, y] = [base.get(node.inputs[0] ?? -1), base.get(node.outputs[0] ?? -1)];
    const shape = program.values[node.outputs[0] ?? -1];
    if (x === undefined || y === undefined || shape === undefined) return node;
    const offset = values.push(shape) - 1;
    offsets.set(offset, { shape: x.shape, data: Float64Array.from(y.data, (element, i) => element - (x.data[i] ?? NaN)) });
    return { ...node, op: 'add', attributes: {}, inputs: [...node.inputs, offset] };
  });
  return { program: { ...program, values, nodes }, offsets };
}

/** What lies behind stopGradient: constant, as far as derivatives go. */
function stopped(program: Program, base: ReadonlyMap<ValueId, NdArray>): [ValueId, NdArray][] {
  return program.nodes
    .filter(({ op }) => op === 'stopGradient')
    .flatMap(({ outputs: [output = -1] }): [ValueId, NdArray][] => {
      const value = base.get(output);
      return value === undefined ? [] : [[output, value]];
    });
}

/**
 * Compares the gradients of `differentiate` with central finite differences in float64, along one random direction per parameter.
 * Routing, the means of the step, what stopGradient holds and the offsets of quantisers are frozen at the base point.
 * error = |a - n| / max(|a|, |n|, 1e-3 max|g|), where a and n are the analytic and numeric derivatives along a direction of unit length and
 * max|g| is over all gradient elements.
 */
export function gradientErrors(program: Program, bindings: Bindings, feeds: ReadonlyMap<ValueId, NdArray>, seed = 1): DirectionalError[] {
  const differentiated = differentiate(program);
  const means = stepMeans(program, bindings, [feeds]);
  const wanted = [...differentiated.gradients.flatMap(valuesOfGradient), program.outputs.loss];
  const base = interpret(differentiated.program, { bindings, feeds: new Map([...means, ...feeds]), wanted });
  const gradients = gradientArrays(differentiated, base);
  const surrogate = straightThrough(program, base);
  const frozen = new Map([...means, ...routingDecisions(program, base), ...stopped(program, base), ...surrogate.offsets]);
  const largest = Math.max(
    ...gradients.map(({ data }) => (data as Float64Array).reduce((max, element) => Math.max(max, Math.abs(element)), 0)),
  );
  const lossAt = (parameter: ValueId, data: Float64Array, shape: readonly number[]): number => {
    const moved = new Map([...feeds, ...frozen, [parameter, { shape, data }]]);
    return scalar(interpret(surrogate.program, { bindings, feeds: moved, wanted: [program.outputs.loss] }), program.outputs.loss);
  };
  return program.parameters.map((parameter, index) => {
    const at = feeds.get(parameter.value);
    const gradient = gradients[index];
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
