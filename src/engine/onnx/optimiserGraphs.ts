import type { AdamW, Parameter } from '../../graph/program';
import { OnnxGraph, type TensorName } from './graph';
import { add, divide, multiply, reduce, subtract } from './lowering/operators';

/**
 * What happens to gradients on a device after the backward pass, as graphs over several parameters at once. Tensors are named by role
 * and place: `parameter0`, `gradient0`, `firstMoment0`, `secondMoment0`, `parameter1`, ...
 */
export interface DeviceGraph {
  readonly model: Uint8Array;
  /** Output names in the order of the parameters. */
  readonly outputs: readonly string[];
}

/** Per parameter: sum0 + gradient0, ... */
export function accumulateGraph(parameters: readonly Parameter[]): DeviceGraph {
  const graph = new OnnxGraph('accumulate');
  const outputs = parameters.map(({ shape }, index) => {
    const sum = add(graph, graph.input(`sum${index}`, 'float32', shape), graph.input(`gradient${index}`, 'float32', shape));
    return graph.output(sum, 'float32');
  });
  return { model: graph.build().bytes, outputs };
}

/** One output: the sum of squares over all gradients. */
export function sumOfSquaresGraph(parameters: readonly Parameter[]): DeviceGraph {
  const graph = new OnnxGraph('sumOfSquares');
  const sums = parameters.map(({ shape }, index) => {
    const gradient = graph.input(`gradient${index}`, 'float32', shape);
    const axes = shape.map((_, axis) => axis);
    // By rows first: a float32 sum of few partial sums is more exact than one of all elements.
    const rows =
      axes.length > 1 ? reduce(graph, 'ReduceSumSquare', gradient, [axes.length - 1], false) : multiply(graph, gradient, gradient);
    const rest = axes.length > 1 ? axes.slice(0, -1) : axes;
    return reduce(graph, 'ReduceSum', rows, rest, false);
  });
  const total = sums.reduce((sum, next) => add(graph, sum, next));
  const output = graph.output(total, 'float32');
  return { model: graph.build().bytes, outputs: [output] };
}

/** What changes from step to step, fed as scalars: see adamw.ts, whose formula this is. */
const adamwScalarNames = ['gradientScale', 'learningRate', 'rate', 'correction'] as const;
export type AdamWScalarFeeds = Readonly<Record<(typeof adamwScalarNames)[number], number>>;

export function adamwScalarFeeds(optimiser: AdamW, step: number, learningRate: number, gradientScale: number): AdamWScalarFeeds {
  return {
    gradientScale,
    learningRate,
    rate: learningRate / (1 - optimiser.beta1 ** step),
    correction: 1 / Math.sqrt(1 - optimiser.beta2 ** step),
  };
}

/** Outputs: for each parameter its next value, then its next first and second moment. */
export function adamwGraph(parameters: readonly Parameter[], optimiser: AdamW): DeviceGraph {
  const graph = new OnnxGraph('adamw');
  const [gradientScale, learningRate, rate, correction] = adamwScalarNames.map((name) => graph.input(name, 'float32', [])) as [
    TensorName,
    TensorName,
    TensorName,
    TensorName,
  ];
  const { beta1, beta2, epsilon, groups } = optimiser;
  const outputs = parameters.flatMap(({ shape, group }, index) => {
    const input = (role: string) => graph.input(`${role}${index}`, 'float32', shape);
    const g = multiply(graph, input('gradient'), gradientScale);
    const m = add(graph, multiply(graph, input('firstMoment'), graph.scalar(beta1)), multiply(graph, g, graph.scalar(1 - beta1)));
    const squared = multiply(graph, multiply(graph, g, g), graph.scalar(1 - beta2));
    const v = add(graph, multiply(graph, input('secondMoment'), graph.scalar(beta2)), squared);
    const denominator = add(graph, multiply(graph, graph.node('Sqrt', [v]), correction), graph.scalar(epsilon));
    const { weightDecay = 0, rateScale = 1 } = groups[group] ?? {};
    const decay = subtract(graph, graph.scalar(1), multiply(graph, learningRate, graph.scalar(rateScale * weightDecay)));
    const decayed = multiply(graph, input('parameter'), decay);
    const ownRate = rateScale === 1 ? rate : multiply(graph, rate, graph.scalar(rateScale));
    const next = subtract(graph, decayed, divide(graph, multiply(graph, m, ownRate), denominator));
    return [next, m, v].map((tensor) => graph.output(tensor, 'float32'));
  });
  return { model: graph.build().bytes, outputs };
}

/** Gives back what it is fed, of any shape: how tensors get onto a device and off it again. */
export function copyGraph(): DeviceGraph {
  const graph = new OnnxGraph('copy');
  const output = graph.output(graph.input('x', 'float32'), 'float32');
  return { model: graph.build().bytes, outputs: [output] };
}

/** Parameters split into groups of at most `elements` (a larger parameter is a group of its own), as indices. */
export function parameterGroups(sizes: readonly number[], elements: number): readonly (readonly number[])[] {
  const groups: number[][] = [];
  let room = 0;
  sizes.forEach((size, index) => {
    const last = groups.at(-1);
    if (last === undefined || size > room) {
      groups.push([index]);
      room = elements - size;
    } else {
      last.push(index);
      room -= size;
    }
  });
  return groups;
}
