import { expertChoiceCapacity } from './capacity';
import type { Bindings } from './dimensions';
import { bindShape, elementCount } from './dimensions';
import type { Program } from './program';
import { ShapeError } from './shapes';

/**
 * `bindings` and the symbols that routing brings: the rows of every `route`, of which there are `rowsOf(pairs, experts)` for its units x k pairs
 * (as many as pairs where nothing is padded), and the capacity of every expert choice.
 */
export function bindRoutedSizes(
  program: Pick<Program, 'nodes' | 'values'>,
  bindings: Bindings,
  rowsOf: (pairs: number, experts: number) => number = (pairs) => pairs,
): Bindings {
  const bound: Record<string, number> = { ...bindings };
  for (const node of program.nodes) {
    if (node.op !== 'route' && node.op !== 'expertChoice') continue;
    const operand = program.values[node.inputs[0] ?? -1];
    if (operand === undefined) throw new ShapeError(`${node.op} without an operand.`);
    const shape = bindShape(operand.shape, bound);
    if (node.op === 'route') bound[String(node.attributes.rows)] = rowsOf(elementCount(shape), node.attributes.experts);
    else {
      const [units = 0, experts = 1] = shape;
      bound[String(node.attributes.capacity)] = expertChoiceCapacity(node.attributes.k, units, experts);
    }
  }
  return bound;
}
