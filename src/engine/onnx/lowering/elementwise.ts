import type { ActivationKind } from '../../../graph/primitives';
import type { NodeOf } from '../../../graph/program';
import type { OnnxGraph, TensorName } from '../graph';
import { operand, type LoweringContext, type LoweringRules } from './context';
import { add, cast, expand, multiply, subtract } from './operators';

type Elementwise =
  | 'constant'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'negate'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sigmoid'
  | 'tanh'
  | 'activation'
  | 'activationGradient'
  | 'greaterEqual'
  | 'trainingMode'
  | 'sign'
  | 'stopGradient';

type Unary = 'negate' | 'exp' | 'log' | 'sqrt' | 'tanh';
type Binary = 'add' | 'subtract' | 'multiply' | 'divide';

function unary(operator: string) {
  return (node: NodeOf<Unary>, context: LoweringContext) => [context.graph.node(operator, [context.tensor(operand(node, 0))])];
}

function binary(operator: string) {
  return (node: NodeOf<Binary>, context: LoweringContext) => [
    context.graph.node(operator, [context.tensor(operand(node, 0)), context.tensor(operand(node, 1))]),
  ];
}

/** Phi(x), the distribution function of the standard normal: gelu(x) = x Phi(x) (1606.08415). */
function normalDistribution(graph: OnnxGraph, x: TensorName): TensorName {
  const erf = graph.node('Erf', [multiply(graph, x, graph.scalar(Math.SQRT1_2))]);
  return multiply(graph, add(graph, erf, graph.scalar(1)), graph.scalar(0.5));
}

const activations: Record<ActivationKind, (graph: OnnxGraph, x: TensorName) => TensorName> = {
  silu: (graph, x) => multiply(graph, x, graph.node('Sigmoid', [x])),
  relu: (graph, x) => graph.node('Relu', [x]),
  gelu: (graph, x) => multiply(graph, x, normalDistribution(graph, x)),
};

/** f'(x) times `gradient`, written with the tensors that f(x) already made. */
const activationGradients: Record<ActivationKind, (graph: OnnxGraph, x: TensorName, gradient: TensorName) => TensorName> = {
  // silu'(x) = s + y (1 - s) with s = sigmoid(x), y = x s: grouped as s + (y - y s).
  silu: (graph, x, gradient) => {
    const s = graph.node('Sigmoid', [x]);
    const y = multiply(graph, x, s);
    return multiply(graph, gradient, add(graph, s, subtract(graph, y, multiply(graph, y, s))));
  },
  relu: (graph, x, gradient) => multiply(graph, gradient, cast(graph, graph.node('Greater', [x, graph.scalar(0)]), 'float32')),
  // gelu'(x) = Phi(x) + x phi(x), phi the density exp(-x^2 / 2) / sqrt(2 pi).
  gelu: (graph, x, gradient) => {
    const exponent = multiply(graph, multiply(graph, x, x), graph.scalar(-0.5));
    const density = multiply(graph, graph.node('Exp', [exponent]), graph.scalar(1 / Math.sqrt(2 * Math.PI)));
    return multiply(graph, gradient, add(graph, normalDistribution(graph, x), multiply(graph, x, density)));
  },
};

export const elementwiseRules: LoweringRules<Elementwise> = {
  constant: ({ attributes, outputs }, context) => {
    const divisor = attributes.divideBy.reduce<number>((product, dimension) => product * context.bind(dimension), 1);
    const scalar = context.graph.scalar(attributes.value / divisor);
    const [output] = outputs;
    const shape = output === undefined ? [] : context.shapeOf(output);
    return [shape.length === 0 ? scalar : expand(context.graph, scalar, shape)];
  },
  add: binary('Add'),
  subtract: binary('Sub'),
  multiply: binary('Mul'),
  divide: binary('Div'),
  negate: unary('Neg'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  // Written out: the CPU's own operator has an absolute error that swallows scores below 1e-6, and is not monotone there.
  sigmoid: (node, { graph, tensor }) => {
    const decay = graph.node('Exp', [graph.node('Neg', [tensor(operand(node, 0))])]);
    return [graph.node('Reciprocal', [add(graph, decay, graph.scalar(1))])];
  },
  tanh: unary('Tanh'),
  activation: (node, context) => [activations[node.attributes.kind](context.graph, context.tensor(operand(node, 0)))],
  activationGradient: (node, context) => [
    activationGradients[node.attributes.kind](context.graph, context.tensor(operand(node, 0)), context.tensor(operand(node, 1))),
  ],
  greaterEqual: (node, { graph, tensor }) => [
    cast(graph, graph.node('GreaterOrEqual', [tensor(operand(node, 0)), graph.integer(node.attributes.value)]), 'float32'),
  ],
  trainingMode: (_, { graph, mode }) => [graph.scalar(mode === 'training' ? 1 : 0)],
  sign: (node, { graph, device, tensor }) => {
    const x = tensor(operand(node, 0));
    if (device === 'cpu') return [graph.node('Sign', [x])];
    const holds = (operator: 'Greater' | 'Less') => cast(graph, graph.node(operator, [x, graph.scalar(0)]), 'float32');
    return [subtract(graph, holds('Greater'), holds('Less'))];
  },
  stopGradient: (node, context) => [context.tensor(operand(node, 0))],
};
