import { operand, type LoweringRules } from './context';
import { concat, expand, reduce, reshape, slice, transpose } from './operators';

export const shapingRules: LoweringRules<'reshape' | 'transpose' | 'expand' | 'slice' | 'pad' | 'concat' | 'sum'> = {
  reshape: (node, context) => [
    reshape(
      context.graph,
      context.tensor(operand(node, 0)),
      node.attributes.shape.map((dimension) => context.bind(dimension)),
    ),
  ],
  transpose: (node, context) => [transpose(context.graph, context.tensor(operand(node, 0)), node.attributes.permutation)],
  expand: (node, context) => [
    expand(
      context.graph,
      context.tensor(operand(node, 0)),
      node.attributes.shape.map((dimension) => context.bind(dimension)),
    ),
  ],
  slice: (node, context) => {
    const { axis, start, end } = node.attributes;
    return [slice(context.graph, context.tensor(operand(node, 0)), axis, start, end)];
  },
  pad: (node, context) => {
    const { axis, before, after } = node.attributes;
    const rank = context.shapeOf(operand(node, 0)).length;
    const along = (amount: number) => Array.from({ length: rank }, (_, index) => (index === axis ? amount : 0));
    const pads = context.graph.dimensions([...along(before), ...along(after)]);
    return [context.graph.node('Pad', [context.tensor(operand(node, 0)), pads])];
  },
  concat: (node, context) => [
    concat(
      context.graph,
      node.inputs.map((input) => context.tensor(input)),
      node.attributes.axis,
    ),
  ],
  sum: (node, context) => {
    const { axes, keepDimensions } = node.attributes;
    const x = context.tensor(operand(node, 0));
    if (axes.length > 0) return [reduce(context.graph, 'ReduceSum', x, axes, keepDimensions)];
    return [x];
  },
};
