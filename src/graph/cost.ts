import type { Bindings } from './dimensions';
import { bindShape, elementCount } from './dimensions';
import type { Primitive } from './primitives';
import type { Program, ProgramNode, ValueId } from './program';
import { bindRoutedSizes } from './routedSizes';
import { ShapeError } from './shapes';

type BoundShape = readonly number[];

/** Multiply-adds of one node from its bound input and output shapes; null for a primitive that is counted in bytes only. */
type MacRule = null | ((inputs: readonly BoundShape[], outputs: readonly BoundShape[], transposedA: boolean) => number);

function shapeAt(shapes: readonly BoundShape[], index: number): BoundShape {
  const shape = shapes[index];
  if (shape === undefined) throw new ShapeError(`Cost rule: operand ${index} is missing.`);
  return shape;
}

function axis(shape: BoundShape, index: number): number {
  return shape[index < 0 ? shape.length + index : index] ?? 1;
}

/** The scores q k^T over the full square, causal or not, and the products with v: 2 batch heads time^2 d. */
const attentionCore = (inputs: readonly BoundShape[]): number => 2 * elementCount(shapeAt(inputs, 0)) * axis(shapeAt(inputs, 0), 2);

const relativeAttentionCore = (inputs: readonly BoundShape[]): number => 3 * attentionCore(inputs);

/**
 * 1 MAC = one multiply-add of a product of the matmul family. Element-by-element work, norms, softmax, gathers and the weighting of
 * expert outputs are no MACs: they are bound by memory and counted in bytes.
 */
const macRules: { readonly [P in Primitive]: MacRule } = {
  constant: null,
  add: null,
  subtract: null,
  multiply: null,
  divide: null,
  negate: null,
  exp: null,
  log: null,
  sqrt: null,
  sigmoid: null,
  tanh: null,
  activation: null,
  activationGradient: null,
  greaterEqual: null,
  trainingMode: null,
  sign: null,
  stopGradient: null,
  reshape: null,
  transpose: null,
  expand: null,
  slice: null,
  pad: null,
  concat: null,
  sum: null,
  matmul: (inputs, outputs, transposedA) => elementCount(shapeAt(outputs, 0)) * axis(shapeAt(inputs, 0), transposedA ? -2 : -1),
  softmax: null,
  softmaxGradient: null,
  logSumExp: null,
  rmsNorm: null,
  rmsNormGradient: null,
  rotary: null,
  attention: attentionCore,
  // Scores again, their gradient, and the gradients of q, k and v.
  attentionGradient: (inputs) => 2.5 * attentionCore(inputs),
  sinusoid: null,
  // Scores by content, scores by position and the products with v, each over the cached and the present chunk: 3 * 2 batch heads time^2 d.
  relativeAttention: relativeAttentionCore,
  relativeAttentionGradient: (inputs) => 2.5 * relativeAttentionCore(inputs),
  attentionImportance: null,
  gatherRows: null,
  scatterRows: null,
  crossEntropy: null,
  crossEntropyGradient: null,
  topK: null,
  productKeys: null,
  // One row of the table for each choice: units k d.
  rowDot: (inputs, outputs) => elementCount(shapeAt(outputs, 0)) * axis(shapeAt(inputs, 0), 1),
  rowSum: (inputs) => elementCount(shapeAt(inputs, 2)) * axis(shapeAt(inputs, 0), 1),
  rowOuter: (inputs) => elementCount(shapeAt(inputs, 1)) * axis(shapeAt(inputs, 2), 1),
  allocateChoices: null,
  countUntil: null,
  firstChoices: null,
  takeAlongLast: null,
  scatterAlongLast: null,
  countChoices: null,
  withinCapacity: null,
  expertChoice: null,
  route: null,
  permute: null,
  unpermute: null,
  expertMatmul: (inputs, outputs) => elementCount(shapeAt(outputs, 0)) * axis(shapeAt(inputs, 0), 1),
  expertMatmulGradient: (inputs) => elementCount(shapeAt(inputs, 0)) * axis(shapeAt(inputs, 1), 1),
  combine: null,
  combineGradient: null,
  quantiseWeight: null,
  quantiseActivation: null,
};

export interface NodeCost {
  readonly node: ProgramNode;
  readonly macs: number;
  /** Bytes read and written if every operand goes to memory once: 4 per element. */
  readonly bytes: number;
}

/**
 * The nominal cost of every node for the given `batch` and `time`: nothing is dropped, nothing padded, of a route's pairs goes somewhere
 * the share that its definition says, and experts that choose take k units for each unit there is, whatever rounding leaves them of a batch
 * of this size.
 */
export function nodeCosts(program: Pick<Program, 'nodes' | 'values'>, bindings: Bindings): NodeCost[] {
  const bound = bindRoutedSizes(program, bindings, {
    rowsOf: (pairs, _experts, share) => pairs * share,
    capacityOf: (k, units, experts) => (k * units) / experts,
  });
  const shapeOf = (id: ValueId): BoundShape => bindShape(program.values[id]?.shape ?? [], bound);
  return program.nodes.map((node) => {
    const inputs = node.inputs.map(shapeOf);
    const outputs = node.outputs.map(shapeOf);
    const rule = macRules[node.op];
    return {
      node,
      // Whole numbers but for the shares of units and pairs above.
      macs: rule === null ? 0 : Math.round(rule(inputs, outputs, node.op === 'matmul' && node.attributes.transposeA)),
      bytes: 4 * Math.round([...inputs, ...outputs].reduce((total, shape) => total + elementCount(shape), 0)),
    };
  });
}
