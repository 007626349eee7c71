import type { PrimitiveAttributes } from '../../../graph/primitives';
import { int, type OnnxGraph, type TensorName } from '../graph';
import { operand, sizeOf, type LoweringContext, type LoweringRules } from './context';
import { add, cast, divide, expand, multiply, range, reduce, reshape, subtract } from './operators';
import { roundHalfToEven } from './quantisers';
import { largest } from './ranking';

type Allocation = PrimitiveAttributes['allocateChoices'];

/** As many as the definition has. */
const BISECTIONS = 40;

function clip(graph: OnnxGraph, x: TensorName, { least, most }: Allocation): TensorName {
  return graph.node('Clip', [x, graph.scalar(least), graph.scalar(most)]);
}

/** Rounded half to even, for a constant. */
function roundedToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}

/** The choices of each token of r [batch, time], such that those of a window add up to about mean * time; see primitives.ts. */
function withinBudget(
  context: Pick<LoweringContext, 'graph' | 'device'>,
  r: TensorName,
  batch: number,
  time: number,
  allocation: Allocation,
) {
  const { graph } = context;
  const { mean, most } = allocation;
  const sum = (x: TensorName) => reduce(graph, 'ReduceSum', x, [1], true);
  const shares = (c: TensorName) => clip(graph, multiply(graph, r, c), allocation);
  const smallest = graph.node('Max', [reduce(graph, 'ReduceMin', r, [1], true), graph.scalar(1e-6)]);
  let low = expand(graph, graph.scalar(0), [batch, 1]);
  let high = divide(graph, graph.scalar(most), smallest);
  const middle = () => multiply(graph, add(graph, low, high), graph.scalar(0.5));
  for (let n = 0; n < BISECTIONS; n++) {
    const c = middle();
    const short = graph.node('Less', [sum(shares(c)), graph.scalar(mean * time)]);
    [low, high] = [graph.node('Where', [short, c, low]), graph.node('Where', [short, high, c])];
  }
  const exact = shares(middle());
  const whole = graph.node('Floor', [exact]);
  const missing = subtract(graph, graph.scalar(roundedToEven(mean * time)), sum(whole));
  // Tokens at `most` have nothing left over, and come last of all: they get one more only where every other does, which their cap then
  // takes back.
  const capped = graph.node('GreaterOrEqual', [whole, graph.scalar(most)]);
  const rest = graph.node('Where', [capped, graph.scalar(-1), subtract(graph, exact, whole)]);
  const order = largest(context, rest, time, time).columns;
  const places = expand(graph, range(graph, 'float32', time), [batch, time]);
  const rank = graph.node('ScatterElements', [places, order, places], { attributes: { axis: int(1) } });
  const more = cast(graph, graph.node('Less', [rank, missing]), 'float32');
  return graph.node('Min', [add(graph, whole, more), graph.scalar(most)]);
}

/** The running sum of x [U, k] along its rows. */
function runningSum(graph: OnnxGraph, x: TensorName): TensorName {
  return graph.node('CumSum', [x, graph.integer(1)]);
}

export const allocationRules: LoweringRules<'allocateChoices' | 'countUntil' | 'firstChoices'> = {
  allocateChoices: (node, context) => {
    const { graph, device, shapeOf, tensor } = context;
    const [batch, time] = [sizeOf(shapeOf(operand(node, 0)), 0), sizeOf(shapeOf(operand(node, 0)), 1)];
    const r = tensor(operand(node, 0));
    const { mean, budget } = node.attributes;
    const choices = budget
      ? withinBudget(context, r, batch, time, node.attributes)
      : clip(graph, roundHalfToEven(graph, device, multiply(graph, r, graph.scalar(mean))), node.attributes);
    return [cast(graph, reshape(graph, choices, [batch * time, 1]), 'int32')];
  },
  // One more than the columns before the first at which the sum is large enough; those are the ones where none has been.
  countUntil: (node, { graph, shapeOf, tensor }) => {
    const k = sizeOf(shapeOf(operand(node, 0)), 1);
    const sums = runningSum(graph, tensor(operand(node, 0)));
    const reached = cast(graph, graph.node('GreaterOrEqual', [sums, graph.scalar(node.attributes.threshold)]), 'float32');
    const before = cast(graph, graph.node('Less', [runningSum(graph, reached), graph.scalar(0.5)]), 'float32');
    const count = add(graph, reduce(graph, 'ReduceSum', before, [1], true), graph.scalar(1));
    return [cast(graph, graph.node('Min', [count, graph.scalar(k)]), 'int32')];
  },
  firstChoices: (node, { graph, shapeOf, tensor }) => {
    const [indices, taken] = [operand(node, 0), operand(node, 1)];
    const k = sizeOf(shapeOf(indices), 1);
    const takes = graph.node('Less', [range(graph, 'int32', k), tensor(taken)]);
    const nowhere = graph.integer(node.attributes.experts);
    return [graph.node('Where', [takes, tensor(indices), nowhere]), cast(graph, takes, 'float32')];
  },
};
