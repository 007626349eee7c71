import type { Dimension, Shape } from './dimensions';
import { sameShape } from './dimensions';
import type { Tensor } from './builder';
import { ProgramBuilder } from './builder';
import type { Primitive } from './primitives';
import type { DifferentiatedProgram, Gradient, NodeOf, Program, ProgramNode, ValueId } from './program';
import { ShapeError } from './shapes';

/** What a gradient rule sees: the node, its tensors, and the gradients of its outputs (undefined = no gradient flows). */
interface Backward<P extends Primitive> {
  readonly builder: ProgramBuilder;
  readonly attributes: NodeOf<P>['attributes'];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly gradients: readonly (Tensor | undefined)[];
  /**
   * The gradient of a table into whose rows indices[u, j] coefficients[u, j] vectors[u] are added. A row-sparse table keeps the part as it
   * is and has no gradient tensor.
   */
  readonly tableGradient: (table: Tensor, indices: Tensor, coefficients: Tensor, vectors: Tensor) => Tensor | undefined;
}

/** Returns one gradient per input (undefined where none flows), or 'none' where the primitive passes no gradient at all. */
type GradientRule<P extends Primitive> = 'none' | ((backward: Backward<P>) => readonly (Tensor | undefined)[]);

/** The size of a shape's axis, symbolic ones included. */
function dimension(shape: Shape, axis: number): Dimension {
  const size = shape[axis];
  if (size === undefined) throw new ShapeError(`Gradient rule: shape [${shape.join(', ')}] has no axis ${axis}.`);
  return size;
}

function pick(tensors: readonly (Tensor | undefined)[], index: number): Tensor {
  const tensor = tensors[index];
  if (tensor === undefined) throw new ShapeError(`Gradient rule: operand ${index} is missing.`);
  return tensor;
}

/** Sums a broadcast gradient back to the shape it was broadcast from. */
function unbroadcast(builder: ProgramBuilder, gradient: Tensor, shape: Shape): Tensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) => (axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : []));
  const summed = axes.length === 0 ? gradient : builder.sum(gradient, axes, true);
  return sameShape(summed.shape, shape) ? summed : builder.reshape(summed, shape);
}

/** Rule of a primitive with one input whose local derivative is cheap to write down. */
function unary<P extends Primitive>(derivative: (builder: ProgramBuilder, g: Tensor, x: Tensor, y: Tensor) => Tensor) {
  return ({ builder, inputs, outputs, gradients }: Backward<P>) => [
    derivative(builder, pick(gradients, 0), pick(inputs, 0), pick(outputs, 0)),
  ];
}

/** Calls a `...Gradient` primitive with the node's inputs (or `given`) followed by the output's gradient. */
function byPrimitive<P extends Primitive, G extends 'rmsNormGradient' | 'attentionGradient'>(op: G) {
  return ({ builder, attributes, inputs, gradients }: Backward<P>) =>
    builder.node(op, attributes as NodeOf<G>['attributes'], [...inputs, pick(gradients, 0)]);
}

/** The straight-through estimator: the gradient of a quantiser is taken to be the identity (1308.3432). */
function straightThrough<P extends Primitive>({ gradients }: Backward<P>) {
  return [pick(gradients, 0)];
}

/** Reverse-mode rules. Second derivatives are not needed, so the `...Gradient` primitives pass none. */
const gradientRules: { readonly [P in Primitive]: GradientRule<P> } = {
  constant: 'none',
  add: ({ builder, inputs, gradients }) => inputs.map((input) => unbroadcast(builder, pick(gradients, 0), input.shape)),
  subtract: ({ builder, inputs, gradients }) => [
    unbroadcast(builder, pick(gradients, 0), pick(inputs, 0).shape),
    builder.negate(unbroadcast(builder, pick(gradients, 0), pick(inputs, 1).shape)),
  ],
  multiply: ({ builder, inputs, gradients }) => [
    unbroadcast(builder, builder.multiply(pick(gradients, 0), pick(inputs, 1)), pick(inputs, 0).shape),
    unbroadcast(builder, builder.multiply(pick(gradients, 0), pick(inputs, 0)), pick(inputs, 1).shape),
  ],
  divide: ({ builder, inputs, outputs, gradients }) => {
    const numerator = builder.divide(pick(gradients, 0), pick(inputs, 1));
    return [
      unbroadcast(builder, numerator, pick(inputs, 0).shape),
      builder.negate(unbroadcast(builder, builder.multiply(numerator, pick(outputs, 0)), pick(inputs, 1).shape)),
    ];
  },
  negate: unary((builder, g) => builder.negate(g)),
  exp: unary((builder, g, _x, y) => builder.multiply(g, y)),
  log: unary((builder, g, x) => builder.divide(g, x)),
  sqrt: unary((builder, g, _x, y) => builder.divide(builder.multiply(g, builder.constant(0.5)), y)),
  sigmoid: unary((builder, g, _x, y) => builder.multiply(g, builder.multiply(y, builder.subtract(builder.constant(1), y)))),
  tanh: unary((builder, g, _x, y) => builder.multiply(g, builder.subtract(builder.constant(1), builder.multiply(y, y)))),
  activation: ({ builder, attributes, inputs, gradients }) => [
    builder.activationGradient(attributes.kind, pick(inputs, 0), pick(gradients, 0)),
  ],
  activationGradient: 'none',
  greaterEqual: 'none',
  trainingMode: 'none',
  sign: 'none',
  stopGradient: 'none',
  reshape: ({ builder, inputs, gradients }) => [builder.reshape(pick(gradients, 0), pick(inputs, 0).shape)],
  transpose: ({ builder, attributes, gradients }) => {
    const inverse = attributes.permutation.map((_, axis) => attributes.permutation.indexOf(axis));
    return [builder.transpose(pick(gradients, 0), inverse)];
  },
  expand: ({ builder, inputs, gradients }) => [unbroadcast(builder, pick(gradients, 0), pick(inputs, 0).shape)],
  slice: ({ builder, attributes: { axis, start, end }, inputs, gradients }) => [
    builder.pad(pick(gradients, 0), axis, start, Number(pick(inputs, 0).shape[axis]) - end),
  ],
  pad: ({ builder, attributes: { axis, before }, inputs, gradients }) => [
    builder.slice(pick(gradients, 0), axis, before, before + Number(pick(inputs, 0).shape[axis])),
  ],
  concat: ({ builder, attributes: { axis }, inputs, gradients }) => {
    let start = 0;
    return inputs.map((input) => {
      const end = start + Number(input.shape[axis]);
      const part = builder.slice(pick(gradients, 0), axis, start, end);
      start = end;
      return part;
    });
  },
  sum: ({ builder, attributes, inputs, gradients }) => {
    const { shape } = pick(inputs, 0);
    const kept = shape.map((size, axis) => (attributes.axes.includes(axis) ? 1 : size));
    return [builder.expand(builder.reshape(pick(gradients, 0), kept), shape)];
  },
  matmul: ({ builder, attributes: { transposeA, transposeB }, inputs, gradients }) => {
    const [a, b, g] = [pick(inputs, 0), pick(inputs, 1), pick(gradients, 0)];
    return [
      transposeA ? builder.matmul(b, g, { transposeA: transposeB, transposeB: true }) : builder.matmul(g, b, { transposeB: !transposeB }),
      transposeB ? builder.matmul(g, a, { transposeA: true, transposeB: transposeA }) : builder.matmul(a, g, { transposeA: !transposeA }),
    ];
  },
  softmax: ({ builder, outputs, gradients }) => builder.node('softmaxGradient', {}, [pick(outputs, 0), pick(gradients, 0)]),
  softmaxGradient: 'none',
  logSumExp: ({ builder, inputs, gradients }) => {
    const [x, g] = [pick(inputs, 0), pick(gradients, 0)];
    return [builder.multiply(builder.reshape(g, [...g.shape, 1]), builder.softmax(x))];
  },
  rmsNorm: byPrimitive('rmsNormGradient'),
  rmsNormGradient: 'none',
  rotary: ({ builder, attributes, gradients }) => [builder.rotary(pick(gradients, 0), attributes.base, !attributes.inverse)],
  attention: byPrimitive('attentionGradient'),
  attentionGradient: 'none',
  sinusoid: 'none',
  relativeAttention: ({ builder, attributes, inputs, gradients }) => [
    ...builder.node('relativeAttentionGradient', attributes, [...inputs, pick(gradients, 0)]),
    undefined,
  ],
  relativeAttentionGradient: 'none',
  attentionImportance: 'none',
  gatherRows: ({ builder, inputs, gradients }) => [
    builder.scatterRows(pick(inputs, 1), pick(gradients, 0), dimension(pick(inputs, 0).shape, 0)),
    undefined,
  ],
  scatterRows: ({ builder, inputs, gradients }) => [undefined, builder.gatherRows(pick(gradients, 0), pick(inputs, 0))],
  crossEntropy: ({ builder, inputs, gradients }) => [
    ...builder.node('crossEntropyGradient', {}, [pick(inputs, 0), pick(inputs, 1), pick(gradients, 0)]),
    undefined,
  ],
  crossEntropyGradient: 'none',
  topK: 'none',
  productKeys: 'none',
  rowDot: ({ builder, inputs, gradients, tableGradient }) => {
    const [table, indices, x, g] = [pick(inputs, 0), pick(inputs, 1), pick(inputs, 2), pick(gradients, 0)];
    return [tableGradient(table, indices, g, x), undefined, builder.rowSum(table, indices, g)];
  },
  rowSum: ({ builder, inputs, gradients, tableGradient }) => {
    const [table, indices, weights, g] = [pick(inputs, 0), pick(inputs, 1), pick(inputs, 2), pick(gradients, 0)];
    return [tableGradient(table, indices, weights, g), undefined, builder.rowDot(table, indices, g)];
  },
  rowOuter: ({ builder, inputs, gradients }) => {
    const [indices, coefficients, vectors, g] = [pick(inputs, 0), pick(inputs, 1), pick(inputs, 2), pick(gradients, 0)];
    return [undefined, builder.rowDot(g, indices, vectors), builder.rowSum(g, indices, coefficients)];
  },
  allocateChoices: 'none',
  countUntil: 'none',
  firstChoices: 'none',
  takeAlongLast: ({ builder, inputs, gradients }) => [
    builder.scatterAlongLast(pick(inputs, 1), pick(gradients, 0), dimension(pick(inputs, 0).shape, 1)),
    undefined,
  ],
  scatterAlongLast: ({ builder, inputs, gradients }) => [undefined, builder.takeAlongLast(pick(gradients, 0), pick(inputs, 0))],
  countChoices: 'none',
  withinCapacity: 'none',
  expertChoice: 'none',
  route: 'none',
  permute: ({ builder, inputs, gradients }) => [
    ...builder.node('unpermute', {}, [pick(gradients, 0), pick(inputs, 1), pick(inputs, 2)]),
    undefined,
    undefined,
  ],
  unpermute: ({ builder, inputs, gradients }) => [
    ...builder.node('permute', {}, [pick(gradients, 0), pick(inputs, 1), pick(inputs, 2)]),
    undefined,
    undefined,
  ],
  expertMatmul: ({ builder, attributes: { transposeWeight }, inputs, gradients }) => {
    const [x, weight, counts, g] = [pick(inputs, 0), pick(inputs, 1), pick(inputs, 2), pick(gradients, 0)];
    return [
      ...builder.node('expertMatmul', { transposeWeight: !transposeWeight }, [g, weight, counts]),
      ...builder.node('expertMatmulGradient', {}, transposeWeight ? [g, x, counts] : [x, g, counts]),
      undefined,
    ];
  },
  expertMatmulGradient: 'none',
  combine: ({ builder, inputs, gradients }) => [
    ...builder.node('combineGradient', {}, [...inputs, pick(gradients, 0)]),
    undefined,
    undefined,
  ],
  combineGradient: 'none',
  quantiseWeight: straightThrough,
  quantiseActivation: straightThrough,
};

function applyRule<P extends Primitive>(
  builder: ProgramBuilder,
  node: NodeOf<P>,
  gradients: readonly (Tensor | undefined)[],
  tableGradient: Backward<P>['tableGradient'],
): readonly (Tensor | undefined)[] {
  // The table is keyed by op, so the rule found is the node's own; TypeScript cannot correlate the two.
  const rule = gradientRules[node.op] as GradientRule<P>;
  if (rule === 'none') return [];
  return rule({
    builder,
    attributes: node.attributes,
    inputs: node.inputs.map((id) => builder.tensor(id)),
    outputs: node.outputs.map((id) => builder.tensor(id)),
    gradients,
    tableGradient,
  });
}

/** Values that depend on a parameter by differentiable nodes: only those need gradients. */
function valuesNeedingGradients(program: Program): Set<ValueId> {
  const needing = new Set(program.parameters.map((parameter) => parameter.value));
  for (const node of program.nodes) {
    if (gradientRules[node.op] !== 'none' && node.inputs.some((input) => needing.has(input))) {
      for (const output of node.outputs) needing.add(output);
    }
  }
  return needing;
}

type RowParts = Extract<Gradient, { kind: 'rows' }>['parts'][number][];

/** An empty list of parts for each row-sparse table. Throws a ShapeError where something else than rowDot or rowSum reads one. */
function rowSparseTables(program: Program): Map<ValueId, RowParts> {
  const tables = new Map(program.parameters.filter(({ gradient }) => gradient === 'rows').map(({ name, value }) => [value, name]));
  for (const node of program.nodes) {
    const readsRows = node.op === 'rowDot' || node.op === 'rowSum';
    node.inputs.forEach((input, index) => {
      const name = tables.get(input);
      if (name === undefined || (readsRows && index === 0)) return;
      throw new ShapeError(
        `${node.scope}: ${node.op} reads ${name}, whose gradient is a list of rows: only rowDot and rowSum may, as their table. ` +
          `Give the parameter a dense gradient, or read its rows by those two.`,
      );
    });
  }
  return new Map([...tables.keys()].map((value) => [value, []]));
}

/**
 * Appends the backward pass of `program.outputs.loss` (reverse mode). A parameter that the loss does not reach gets zeros, or no rows.
 * Backward nodes carry the scope of their forward node with `backward/` before it.
 */
export function differentiate(program: Program): DifferentiatedProgram {
  const builder = new ProgramBuilder(program);
  const needing = valuesNeedingGradients(program);
  const gradientOf = new Map<ValueId, Tensor>();
  const rowParts = rowSparseTables(program);
  builder.inScope('backward', () => gradientOf.set(program.outputs.loss, builder.constant(1)));

  const tableGradient: Backward<Primitive>['tableGradient'] = (table, indices, coefficients, vectors) => {
    const parts = rowParts.get(table.id);
    if (parts === undefined) return builder.rowOuter(indices, coefficients, vectors, dimension(table.shape, 0));
    parts.push({ indices: indices.id, coefficients: coefficients.id, vectors: vectors.id });
    return undefined;
  };
  const visit = (node: ProgramNode): void => {
    const gradients = node.outputs.map((output) => gradientOf.get(output));
    if (gradients.every((gradient) => gradient === undefined) || !node.inputs.some((input) => needing.has(input))) return;
    builder.inScope(`backward/${node.scope}`, () => {
      applyRule(builder, node, gradients, tableGradient).forEach((gradient, index) => {
        const input = node.inputs[index];
        if (gradient === undefined || input === undefined || !needing.has(input)) return;
        const sum = gradientOf.get(input);
        gradientOf.set(input, sum === undefined ? gradient : builder.add(sum, gradient));
      });
    });
  };
  [...program.nodes].reverse().forEach(visit);

  const gradients = program.parameters.map(({ value, shape }): Gradient => {
    const parts = rowParts.get(value);
    if (parts !== undefined) return { kind: 'rows', parts };
    const gradient = gradientOf.get(value) ?? builder.expand(builder.constant(0), shape);
    return { kind: 'dense', value: gradient.id };
  });
  return { program: { ...program, values: builder.values, nodes: builder.nodes }, gradients };
}

/** The values that a gradient is read from: what whoever runs the program must want. */
export function valuesOfGradient(gradient: Gradient): ValueId[] {
  if (gradient.kind === 'dense') return [gradient.value];
  return gradient.parts.flatMap(({ indices, coefficients, vectors }) => [indices, coefficients, vectors]);
}
