import { float, int, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringRules } from './context';
import { add, batchedMatmul, concat, gemm, multiply, range, reduce, reshape, subtract } from './operators';

/** 1 / sqrt(mean(x^2) + epsilon) [..., 1]. From primitives: the fused operator's second output is wrong on WebGPU. */
function reciprocalNorm(graph: OnnxGraph, x: TensorName, epsilon: number): TensorName {
  const meanSquare = reduce(graph, 'ReduceMean', multiply(graph, x, x), [-1], true);
  return graph.node('Reciprocal', [graph.node('Sqrt', [add(graph, meanSquare, graph.scalar(epsilon))])]);
}

/** cos and sin of position * base^(-2i/d), [time, d/2]; sin is negated for the inverse rotation. */
function rotaryTables(graph: OnnxGraph, time: number, width: number, base: number, inverse: boolean): [TensorName, TensorName] {
  const half = width / 2;
  const angles = Array.from({ length: time * half }, (_, flat) => Math.floor(flat / half) * base ** ((-2 * (flat % half)) / width));
  const sign = inverse ? -1 : 1;
  return [
    graph.constant('float32', [time, half], angles.map(Math.cos)),
    graph.constant(
      'float32',
      [time, half],
      angles.map((angle) => sign * Math.sin(angle)),
    ),
  ];
}

/**
 * The sinusoid of distances 0, 1, ..., rows - 1, out of three vectors, so that the model stays small; the runtime folds it into a constant.
 * Angles are counted in turns: n f = n coarse + n fine, where coarse is a multiple of so small a power of 2 that n coarse is exact in
 * float32, and only its fraction goes on. So a sine far out is as exact as the first.
 */
function sinusoid(graph: OnnxGraph, rows: number, width: number): TensorName {
  const unit = 2 ** (Math.ceil(Math.log2(Math.max(2, rows))) - 24);
  const turns = Array.from({ length: width / 2 }, (_, i) => 10000 ** ((-2 * i) / width) / (2 * Math.PI));
  const coarse = turns.map((turn) => Math.round(turn / unit) * unit);
  const fine = turns.map((turn, i) => turn - (coarse[i] ?? 0));
  const distances = reshape(graph, range(graph, 'float32', rows), [rows, 1]);
  const by = (factors: readonly number[]) => multiply(graph, distances, graph.constant('float32', [width / 2], factors));
  const whole = by(coarse);
  const turned = add(graph, subtract(graph, whole, graph.node('Floor', [whole])), by(fine));
  const angles = multiply(graph, turned, graph.scalar(2 * Math.PI));
  return concat(graph, [graph.node('Sin', [angles]), graph.node('Cos', [angles])], 1);
}

type Layers = 'sinusoid' | 'matmul' | 'softmax' | 'softmaxGradient' | 'logSumExp' | 'rmsNorm' | 'rmsNormGradient' | 'rotary';

export const layerRules: LoweringRules<Layers> = {
  matmul: (node, context) => {
    const [a, b] = [context.tensor(operand(node, 0)), context.tensor(operand(node, 1))];
    const { transposeA, transposeB } = node.attributes;
    const rank = context.shapeOf(operand(node, 0)).length;
    if (rank === 2) return [gemm(context.graph, a, b, transposeA, transposeB)];
    return [batchedMatmul(context.graph, a, b, rank, { transposeA, transposeB })];
  },
  softmax: (node, context) => [context.graph.node('Softmax', [context.tensor(operand(node, 0))])],
  softmaxGradient: (node, context) => {
    const { graph } = context;
    const [y, g] = [context.tensor(operand(node, 0)), context.tensor(operand(node, 1))];
    const mean = reduce(graph, 'ReduceSum', multiply(graph, g, y), [-1], true);
    return [multiply(graph, y, subtract(graph, g, mean))];
  },
  // WebGPU's ReduceLogSumExp does not take the maximum off first and overflows above 88.
  logSumExp: (node, { graph, device, shapeOf, tensor }) => {
    const x = tensor(operand(node, 0));
    if (device === 'cpu') return [reduce(graph, 'ReduceLogSumExp', x, [-1], false)];
    const largest = reduce(graph, 'ReduceMax', x, [-1], true);
    const total = reduce(graph, 'ReduceSum', graph.node('Exp', [subtract(graph, x, largest)]), [-1], true);
    return [reshape(graph, add(graph, graph.node('Log', [total]), largest), shapeOf(operand(node, 0)).slice(0, -1))];
  },
  sinusoid: ({ attributes: { rows, width } }, { graph, bind }) => [sinusoid(graph, bind(rows), width)],
  rmsNorm: (node, context) => {
    const { graph } = context;
    const [x, gain] = [context.tensor(operand(node, 0)), context.tensor(operand(node, 1))];
    const normalised = multiply(graph, x, reciprocalNorm(graph, x, node.attributes.epsilon));
    return [multiply(graph, normalised, gain)];
  },
  // With n = x r, r = reciprocal norm: dgain = sum over rows of g n; dx = r (g gain - n mean(g gain n)).
  rmsNormGradient: (node, context) => {
    const { graph } = context;
    const [x, gain, g] = [context.tensor(operand(node, 0)), context.tensor(operand(node, 1)), context.tensor(operand(node, 2))];
    const rank = context.shapeOf(operand(node, 0)).length;
    const rows = Array.from({ length: rank - 1 }, (_, axis) => axis);
    const reciprocal = reciprocalNorm(graph, x, node.attributes.epsilon);
    const normalised = multiply(graph, x, reciprocal);
    const product = multiply(graph, g, normalised);
    const gainGradient = rows.length === 0 ? product : reduce(graph, 'ReduceSum', product, rows, false);
    const mean = reduce(graph, 'ReduceMean', multiply(graph, product, gain), [-1], true);
    const inner = subtract(graph, multiply(graph, g, gain), multiply(graph, normalised, mean));
    return [multiply(graph, inner, reciprocal), gainGradient];
  },
  // The runtime's own operator, which both providers have: input [batch, heads, time, d], one position offset, tables [time, d/2].
  rotary: (node, context) => {
    const { graph } = context;
    const shape = context.shapeOf(operand(node, 0));
    const [time, width] = [sizeOf(shape, -2), sizeOf(shape, -1)];
    const { base, inverse } = node.attributes;
    const [cosines, sines] = rotaryTables(graph, time, width, base, inverse);
    const leading = shape.slice(0, -2).reduce((product, size) => product * size, 1);
    const x = context.tensor(operand(node, 0));
    const flat = shape.length === 4 ? x : graph.node('Reshape', [x, graph.dimensions([1, leading, time, width])]);
    const turned = graph.node('RotaryEmbedding', [flat, graph.dimensions([0]), cosines, sines], {
      domain: 'com.microsoft',
      attributes: { interleaved: int(0), scale: float(1) },
    });
    return [shape.length === 4 ? turned : graph.node('Reshape', [turned, graph.dimensions(shape)])];
  },
};
