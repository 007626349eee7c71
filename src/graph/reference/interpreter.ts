import type { Bindings } from '../dimensions';
import { bindDimension } from '../dimensions';
import type { Primitive } from '../primitives';
import type { NodeOf, Program, ProgramNode, ValueId } from '../program';
import type { NdArray } from './array';
import { size } from './array';
import { allocationRules } from './allocation';
import { attentionRules } from './attention';
import { elementwiseRules } from './elementwise';
import { layerRules } from './layers';
import { productKeyRules } from './productKeys';
import { quantiserRules } from './quantisers';
import { relativeAttentionRules } from './relativeAttention';
import { routingRules } from './routing';
import { rowTableRules } from './rowTables';
import type { ReferenceContext, ReferenceRule } from './rule';

const referenceRules: { readonly [P in Primitive]: ReferenceRule<P> } = {
  ...elementwiseRules,
  ...layerRules,
  ...attentionRules,
  ...relativeAttentionRules,
  ...routingRules,
  ...allocationRules,
  ...productKeyRules,
  ...rowTableRules,
  ...quantiserRules,
};

function applyRule<P extends Primitive>(node: NodeOf<P>, inputs: readonly NdArray[], context: ReferenceContext): NdArray[] {
  // The table is keyed by op, so the rule found is the node's own; TypeScript cannot correlate the two.
  return (referenceRules[node.op] as ReferenceRule<P>)(node.attributes, inputs, context);
}

export interface ReferenceRun {
  /** Values of `batch`, `time`; routed rows and the capacities of expert choices are bound by the run itself. */
  readonly bindings: Bindings;
  /** What `trainingMode` says; training where absent. Noises and step means are fed like inputs. */
  readonly mode?: 'training' | 'evaluation';
  /**
   * Inputs, parameters and buffers by value. Giving the outputs of a node as well freezes it: it is not run.
   * Finite differences freeze every routing decision that way, so that routing stays as at the base point.
   */
  readonly feeds: ReadonlyMap<ValueId, NdArray>;
  /** Which values are wanted; nodes that do not lead to them are not run. */
  readonly wanted: readonly ValueId[];
}

/** The nodes that lead from `feeds` to `wanted`, in order. */
function neededNodes(nodes: readonly ProgramNode[], feeds: ReadonlyMap<ValueId, NdArray>, wanted: readonly ValueId[]): ProgramNode[] {
  const needed = new Set(wanted);
  const chosen: ProgramNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output) && !feeds.has(output))) continue;
    chosen.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return chosen.reverse();
}

/**
 * Runs a program in float64, slowly and obviously: the oracle for every engine and the ground for gradient checks.
 * Returns every value computed or fed. Throws a RangeError for a value that nothing computes.
 */
export function interpret(program: Pick<Program, 'nodes'>, run: ReferenceRun): Map<ValueId, NdArray> {
  const computed = new Map(run.feeds);
  const rows: Record<string, number> = {};
  for (const node of program.nodes) {
    // A frozen choice does not run, so its symbol is read off what was fed.
    const frozen = node.op === 'expertChoice' ? run.feeds.get(node.outputs[0] ?? -1) : undefined;
    if (node.op === 'expertChoice' && frozen !== undefined) rows[String(node.attributes.capacity)] = size(frozen, 1);
  }
  const context: ReferenceContext = {
    mode: run.mode ?? 'training',
    bind: (dimension) => bindDimension(dimension, { ...run.bindings, ...rows }),
    setRows: (dimension, count) => {
      rows[String(dimension)] = count;
    },
  };
  const read = (id: ValueId): NdArray => {
    const array = computed.get(id);
    if (array === undefined) throw new RangeError(`Value ${id} is neither fed nor computed.`);
    return array;
  };
  for (const node of neededNodes(program.nodes, run.feeds, run.wanted)) {
    const outputs = applyRule(node, node.inputs.map(read), context);
    node.outputs.forEach((id, index) => {
      const output = outputs[index];
      if (output === undefined) throw new RangeError(`${node.op} gave no output ${index}.`);
      // A frozen output stays as it was fed, also when its node runs for another output.
      if (!run.feeds.has(id)) computed.set(id, output);
    });
  }
  return computed;
}
