import type { Device } from '../../engine';
import { type OnnxGraph, type TensorName } from '../graph';
import { operand, type LoweringRules } from './context';
import { add, cast, divide, multiply, reduce, subtract } from './operators';

/** Below this a scale is no measure of anything: the clamp of BitNet's published kernels. */
const SMALLEST_SCALE = 1e-5;

/** To the nearest integer, halves to the even one. WebGPU has no Round. */
export function roundHalfToEven(graph: OnnxGraph, device: Device, x: TensorName): TensorName {
  if (device === 'cpu') return graph.node('Round', [x]);
  const holds = (operator: string, a: TensorName, b: number) => cast(graph, graph.node(operator, [a, graph.scalar(b)]), 'float32');
  // below + 1 where x - below > 1/2, and where it is 1/2 if below is odd. x - below is exact.
  const below = graph.node('Floor', [x]);
  const rest = subtract(graph, x, below);
  const even = multiply(graph, graph.node('Floor', [multiply(graph, below, graph.scalar(0.5))]), graph.scalar(2));
  const odd = subtract(graph, below, even);
  const [above, half] = [holds('Greater', rest, 0.5), holds('Equal', rest, 0.5)];
  return add(graph, below, add(graph, above, multiply(graph, half, odd)));
}

/** BitLinear's weights, every [in, out] matrix of w on its own: g clip(round(w / g), -1, 1), or g sign(w - mean(w)). */
function quantisedWeight(graph: OnnxGraph, device: Device, w: TensorName, elements: number, levels: 'ternary' | 'binary'): TensorName {
  const magnitude = reduce(graph, 'ReduceL1', w, [-2, -1], true);
  const scale = graph.node('Max', [multiply(graph, magnitude, graph.scalar(1 / elements)), graph.scalar(SMALLEST_SCALE)]);
  if (levels === 'binary') {
    const mean = reduce(graph, 'ReduceMean', w, [-2, -1], true);
    return graph.node('Where', [graph.node('Greater', [w, mean]), scale, graph.node('Neg', [scale])]);
  }
  if (device === 'cpu') {
    const level = graph.node('Clip', [graph.node('Round', [divide(graph, w, scale)]), graph.scalar(-1), graph.scalar(1)]);
    return multiply(graph, level, scale);
  }
  // Halves go to the even 0, so the level is 1 exactly above g / 2, and -1 below -g / 2: fewer passes than a rounding of its own.
  const half = multiply(graph, scale, graph.scalar(0.5));
  const lower = graph.node('Where', [graph.node('Less', [w, graph.node('Neg', [half])]), graph.node('Neg', [scale]), graph.scalar(0)]);
  return graph.node('Where', [graph.node('Greater', [w, half]), scale, lower]);
}

export const quantiserRules: LoweringRules<'quantiseWeight' | 'quantiseActivation'> = {
  quantiseWeight: (node, { graph, device, shapeOf, tensor, expertMatrices }) => {
    const w = operand(node, 0);
    const shape = shapeOf(w);
    const elements = shape.slice(-2).reduce((product, size) => product * size, 1);
    const quantised = (matrix: TensorName) => quantisedWeight(graph, device, matrix, elements, node.attributes.levels);
    if (device === 'webgpu' || shape.length !== 3) return [quantised(tensor(w))];
    // Both ways: expertMatmul takes the matrices, matmul the stack, and what nobody takes is left out of the graph.
    return [{ experts: expertMatrices(w).map(quantised), stacked: quantised(tensor(w)) }];
  },
  // The clip of the definition never acts: |x| <= m, so that |127 x / m| rounds to at most 127.
  quantiseActivation: (node, { graph, device, tensor }) => {
    const x = tensor(operand(node, 0));
    const largest = reduce(graph, 'ReduceMax', graph.node('Abs', [x]), [-1], true);
    const bounded = graph.node('Max', [largest, graph.scalar(SMALLEST_SCALE)]);
    const level = roundHalfToEven(graph, device, divide(graph, multiply(graph, x, graph.scalar(127)), bounded));
    return [multiply(graph, level, multiply(graph, bounded, graph.scalar(1 / 127)))];
  },
};
