import type { ProgramNode, ValueId } from '../../../graph/program';

/** The nodes that lead to the wanted values, in order. */
export function neededNodes(nodes: readonly ProgramNode[], wanted: readonly ValueId[]): ProgramNode[] {
  const needed = new Set(wanted);
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return kept.reverse();
}

/** The wanted values and all they are computed from, down to inputs, parameters, buffers, noises and step means. */
export function neededValues(nodes: readonly ProgramNode[], wanted: readonly ValueId[]): ReadonlySet<ValueId> {
  return new Set([...wanted, ...neededNodes(nodes, wanted).flatMap(({ inputs }) => inputs)]);
}
