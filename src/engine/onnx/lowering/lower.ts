import { bindDimension, bindShape, type Bindings, type Dimension } from '../../../graph/dimensions';
import type { Primitive } from '../../../graph/primitives';
import type { NodeOf, Program, ValueId } from '../../../graph/program';
import { bindRoutedSizes } from '../../../graph/routedSizes';
import type { Device } from '../../engine';
import { int, OnnxGraph, type TensorName } from '../graph';
import { blockCount, blockedExpertRules, blockSize } from './blockedExperts';
import { capacityRules } from './capacity';
import {
  sizeOf,
  type Blocks,
  type Sections,
  type Lowered,
  type LoweringContext,
  type LoweringRule,
  type LoweringRules,
  type Mode,
} from './context';
import { allocationRules } from './allocation';
import { attentionRules } from './attention';
import { attentionImportanceRules } from './attentionImportance';
import { elementwiseRules } from './elementwise';
import { layerRules } from './layers';
import { neededNodes } from './needed';
import { concat, expand, reshape, unsqueeze } from './operators';
import { quantiserRules } from './quantisers';
import { rankingRules } from './ranking';
import { relativeAttentionRules } from './relativeAttention';
import { routingRules } from './routing';
import { rowTableRules } from './rowTables';
import { shapingRules } from './shaping';
import { tokenRules } from './tokens';
import { unrolledExpertRules } from './unrolledExperts';

const sharedRules = {
  ...elementwiseRules,
  ...shapingRules,
  ...layerRules,
  ...attentionRules,
  ...relativeAttentionRules,
  ...attentionImportanceRules,
  ...tokenRules,
  ...rankingRules,
  ...routingRules,
  ...allocationRules,
  ...rowTableRules,
  ...capacityRules,
  ...quantiserRules,
};

/** Every primitive's lowering, per device: they differ in how the experts' rows are laid out. */
const loweringRules: Readonly<Record<Device, LoweringRules<Primitive>>> = {
  cpu: { ...sharedRules, ...unrolledExpertRules },
  webgpu: { ...sharedRules, ...blockedExpertRules },
};

/** What a graph input is fed with. */
export type Feed =
  | { readonly kind: 'input'; readonly name: string; readonly index: number }
  | { readonly kind: 'buffer'; readonly name: string; readonly index: number; readonly shape: readonly number[] }
  /** Training only: what a noise draws for this microbatch. */
  | { readonly kind: 'noise'; readonly name: string; readonly index: number; readonly shape: readonly number[] }
  /** Training only: the mean of a statistic over the step's microbatches; `index` is the statistic's. */
  | { readonly kind: 'mean'; readonly name: string; readonly index: number; readonly shape: readonly number[] }
  /** `expert` is null for the whole parameter, else the one whose [in, out] matrix is fed. */
  | { readonly kind: 'parameter'; readonly name: string; readonly index: number; readonly expert: number | null };

export interface LoweredProgram {
  /** The ONNX model. */
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
  /** For each wanted value, the name of its graph output, or of one output per expert. */
  readonly outputs: readonly (readonly string[])[];
}

export interface LoweringOptions {
  readonly device: Device;
  readonly mode: Mode;
  /** Values of `batch` and `time`; routed rows and the capacities of expert choice are bound here. */
  readonly bindings: Bindings;
  readonly wanted: readonly ValueId[];
  /** See LoweringContext; MOST_ELEMENTS where absent. */
  readonly mostElements?: number;
}

/** 128 MiB of float32. */
const MOST_ELEMENTS = 2 ** 25;

/** The program's graph, as far as the wanted values need it, as an ONNX model with static shapes for one device. */
export function lower(program: Program, options: LoweringOptions): LoweredProgram {
  const { device, mode, bindings, wanted, mostElements = MOST_ELEMENTS } = options;
  const graph = new OnnxGraph(program.name);
  const bound = bindRoutedSizes(program, bindings, device === 'cpu' ? {} : { rowsOf: paddedRows });
  const lowered = new Map<ValueId, Lowered>();
  const feeds = new Map<string, Feed>();
  const producers = new Map(program.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const parameters = new Map(program.parameters.map((parameter, index) => [parameter.value, { parameter, index }]));

  const shapeOf = (value: ValueId): readonly number[] => bindShape(valueOf(program, value).shape, bound);
  const known = (value: ValueId): Lowered => {
    const found = lowered.get(value);
    if (found === undefined) throw new RangeError(`Value ${value} is used before it is computed.`);
    return found;
  };
  const declare = (value: ValueId, feed: Feed): void => {
    feeds.set(feed.name, feed);
    lowered.set(value, graph.input(feed.name, valueOf(program, value).dtype, shapeOf(value)));
  };

  const context: LoweringContext = {
    graph,
    device,
    mode,
    mostElements,
    blocks: new Map<ValueId, Blocks>(),
    sections: new Map<ValueId, Sections>(),
    producerOf: (value) => producers.get(value),
    bind: (dimension: Dimension) => bindDimension(dimension, bound),
    shapeOf,
    tensor: (value) => {
      const found = known(value);
      if (typeof found === 'string') return found;
      if (found.stacked !== undefined) return found.stacked;
      return concat(
        graph,
        found.experts.map((matrix) => unsqueeze(graph, matrix, 0)),
        0,
      );
    },
    expertMatrices: (value) => {
      const found = known(value);
      if (typeof found !== 'string') return found.experts;
      const shape = shapeOf(value);
      const experts = sizeOf(shape, 0);
      const stacked = parameters.get(value);
      if (stacked === undefined) return splitExperts(graph, found, shape);
      return Array.from({ length: experts }, (_, expert) => {
        const name = `${stacked.parameter.name}[${expert}]`;
        feeds.set(name, { kind: 'parameter', name, index: stacked.index, expert });
        return graph.input(name, 'float32', shape.slice(1));
      });
    },
  };

  program.inputs.forEach(({ name, value }, index) => declare(value, { kind: 'input', name, index }));
  program.parameters.forEach(({ name, value }, index) => declare(value, { kind: 'parameter', name, index, expert: null }));
  program.buffers.forEach(({ name, value }, index) => declare(value, { kind: 'buffer', name, index, shape: shapeOf(value) }));
  if (mode === 'training') {
    program.noises.forEach(({ name, value }, index) =>
      declare(value, { kind: 'noise', name: `noise/${name}`, index, shape: shapeOf(value) }),
    );
    program.statistics.forEach(({ name, mean }, index) =>
      declare(mean, { kind: 'mean', name: `mean/${name}`, index, shape: shapeOf(mean) }),
    );
  } else {
    program.noises.forEach(({ value, evaluation }) => lowered.set(value, expand(graph, graph.scalar(evaluation), shapeOf(value))));
  }
  for (const node of neededNodes(program.nodes, wanted)) {
    graph.scope = node.scope;
    const outputs = applyRule(node, context);
    node.outputs.forEach((value, index) => {
      const output = outputs[index];
      if (output === undefined) throw new RangeError(`${node.op} was lowered without its output ${index}.`);
      lowered.set(value, output);
    });
  }

  graph.scope = 'outputs';
  const outputs = wanted.map((value) => {
    const found = known(value);
    const { dtype } = valueOf(program, value);
    return (typeof found === 'string' ? [found] : found.experts).map((tensor) => graph.output(tensor, dtype));
  });
  const { bytes, inputs } = graph.build();
  return { model: bytes, feeds: inputs.flatMap((name) => feeds.get(name) ?? []), outputs };
}

function applyRule<P extends Primitive>(node: NodeOf<P>, context: LoweringContext): readonly Lowered[] {
  // The table is total and keyed by op, so the rule found is the node's own; TypeScript cannot correlate the two.
  return (loweringRules[context.device][node.op] as LoweringRule<P>)(node, context);
}

function valueOf(program: Program, id: ValueId): Program['values'][number] {
  const value = program.values[id];
  if (value === undefined) throw new RangeError(`The program has no value ${id}.`);
  return value;
}

/** Routed rows are padded to blocks on WebGPU. */
function paddedRows(pairs: number, experts: number): number {
  return blockCount(pairs, experts) * blockSize(pairs);
}

/** The matrices of a stacked [E, in, out] tensor that is not a parameter. */
function splitExperts(graph: OnnxGraph, stacked: TensorName, shape: readonly number[]): readonly TensorName[] {
  const experts = sizeOf(shape, 0);
  const parts =
    experts === 1
      ? [stacked]
      : graph.nodeWithOutputs('Split', [stacked], experts, { attributes: { axis: int(0), num_outputs: int(experts) } });
  return parts.map((part) => reshape(graph, part, shape.slice(1)));
}
