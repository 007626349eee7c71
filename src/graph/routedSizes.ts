import { expertChoiceCapacity } from './capacity';
import type { Bindings } from './dimensions';
import { bindShape, elementCount } from './dimensions';
import type { Program } from './program';
import { ShapeError } from './shapes';

/** Sizes that routing brings, where they are not those that its definition gives. */
export interface RoutedSizes {
  /** Rows of a `route` for its units x k pairs, of which `share` go somewhere; as many as pairs where nothing is padded or left out. */
  readonly rowsOf?: (pairs: number, experts: number, share: number) => number;
  /** Units that each expert of an expert choice takes. */
  readonly capacityOf?: (k: number, units: number, experts: number) => number;
}

/** `bindings` and the symbols that routing brings: the rows of every `route`, and the capacity of every expert choice. */
export function bindRoutedSizes(
  program: Pick<Program, 'nodes' | 'values'>,
  bindings: Bindings,
  { rowsOf = (pairs) => pairs, capacityOf = expertChoiceCapacity }: RoutedSizes = {},
): Bindings {
  const bound: Record<string, number> = { ...bindings };
  for (const node of program.nodes) {
    if (node.op !== 'route' && node.op !== 'expertChoice') continue;
    const operand = program.values[node.inputs[0] ?? -1];
    if (operand === undefined) throw new ShapeError(`${node.op} without an operand.`);
    const shape = bindShape(operand.shape, bound);
    if (node.op === 'route')
      bound[String(node.attributes.rows)] = rowsOf(elementCount(shape), node.attributes.experts, node.attributes.share);
    else {
      const [units = 0, experts = 1] = shape;
      bound[String(node.attributes.capacity)] = capacityOf(node.attributes.k, units, experts);
    }
  }
  return bound;
}
