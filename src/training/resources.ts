import type { RunnableExperiment } from '../config/schema';
import { type Device, STATE_PIECE_ELEMENTS } from '../engine/engine';
import { GROUP_ELEMENTS } from '../engine/onnx/deviceOptimiser';
import { stateEntries } from '../engine/stateLayout';
import { bindShape, elementCount, type Bindings } from '../graph/dimensions';
import type { Parameter } from '../graph/program';
import { bindRoutedSizes } from '../graph/routedSizes';
import { repeatsOf, type ProgramOutline } from '../models/outline';
import { checkpointBytes } from './checkpoint/checkpoint';
import { sessionOptions } from './prepare';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/**
 * Disk that the checkpoints of a run take at most, in bytes: those that are kept, of so many as it writes, and one more while it is written
 * or asked for.
 */
export function checkpointDisk(experiment: RunnableExperiment, program: ProgramOutline): number {
  const { every, keep } = experiment.checkpoint;
  const written = Math.ceil(experiment.train.steps / every);
  return (Math.min(keep, written) + 1) * checkpointBytes(program, sessionOptions(experiment));
}

/** What a process takes that trains next to nothing: measured. */
const RUNTIME_BYTES = 100 * 2 ** 20;

/** Pieces of state that are in memory while it is written: what is done with is not freed at once. Measured. */
const CHECKPOINT_PIECES = 5;

/** A part of the memory of a run, in bytes. */
export interface MemoryPart {
  readonly name:
    | 'runtime'
    | 'parameters'
    | 'moments'
    | 'rowState'
    | 'buffers'
    | 'gradients'
    | 'update'
    | 'activations'
    | 'evaluation'
    | 'checkpoint'
    | 'text';
  /** What it is, for people. */
  readonly meaning: string;
  /** Whether it is known from shapes; the others depend on what the runtime keeps at a time. */
  readonly exact: boolean;
  readonly host: number;
  /** On a device with memory of its own. */
  readonly device: number;
}

/** What a run needs at its largest moment, a training step, by where it lies. */
export interface MemoryEstimate {
  readonly parts: readonly MemoryPart[];
  readonly host: number;
  readonly device: number;
}

/**
 * The memory that a run needs. Parts are what is there at once in a step of training:
 * - parameters, moments and row states of the optimiser: the state, float32. On a device, tables whose gradient is rows have all three on the host, and a copy of
 *   the table twice on the device while its changed rows are written;
 * - buffers: twice, before a step and after it;
 * - gradients: dense ones as they come out of the graph, as they are handed over and, with several microbatches, their sum; rows as their indices,
 *   coefficients and vectors, once as they come out and once sorted;
 * - update: on a device, the next parameters and moments of a group of parameters beside those of before;
 * - activations: of one microbatch, twice the outputs of all forward nodes, one and a half times the weights of attention, and the rows that are gathered from
 *   tables. An estimate, within a fifth of what dense, SMoE, MH-MoE and PEER models took on the CPU: the runtime frees some early and needs others beside them;
 * - evaluation: its session's own memory: half of the forward nodes' outputs, the weights of one layer's attention twice, gathered rows;
 * - checkpoint: the pieces of state that are on their way to the disk;
 * - text: a byte for each token of training and validation;
 * - runtime: what a process that trains next to nothing takes.
 */
export function memoryNeeded(experiment: RunnableExperiment, program: ProgramOutline, device: Device, textBytes: number): MemoryEstimate {
  const options = sessionOptions(experiment);
  const bound = bindRoutedSizes(program, { batch: options.batch, time: options.time });
  const onGpu = device !== 'cpu';
  const bytesOf = (parameters: readonly Parameter[]) => BYTES * sum(parameters.map(({ shape }) => elementCount(shape)));
  const dense = bytesOf(program.parameters.filter(({ gradient }) => gradient === 'dense'));
  const tables = bytesOf(program.parameters.filter(({ gradient }) => gradient === 'rows'));
  const entries = stateEntries(program, options);
  const stateOf = (kind: 'rowState' | 'buffer') =>
    BYTES * sum(entries.filter((entry) => entry.kind === kind).map(({ shape }) => elementCount(shape)));
  const largest = Math.max(...entries.map(({ shape }) => elementCount(shape)));
  const total = BYTES * sum(entries.map(({ shape }) => elementCount(shape)));
  const rows = rowGradientBytes(program, bound) * options.microbatches * 2;
  const copies = options.microbatches > 1 ? 3 : 2;
  const { forward, attention, widestAttention, gathered } = forwardBytes(program, bound);
  const activations = 2 * forward + 1.5 * attention + gathered;
  const evaluation = forward / 2 + 2 * widestAttention + gathered;
  const buffers = 2 * stateOf('buffer');
  const update = 3 * Math.min(dense, Math.max(BYTES * GROUP_ELEMENTS, BYTES * largest));
  const split = (bytes: number) => (onGpu ? { host: 0, device: bytes } : { host: bytes, device: 0 });
  const withTables = (bytes: number, ofTables: number, onDevice: number) =>
    onGpu ? { host: ofTables, device: bytes + onDevice } : { host: bytes + ofTables, device: 0 };

  const parts: readonly MemoryPart[] = [
    { name: 'runtime', meaning: 'the process, its code and the ONNX runtime', exact: false, host: RUNTIME_BYTES, device: 0 },
    { name: 'parameters', meaning: 'parameters', exact: true, ...withTables(dense, tables, 2 * tables) },
    { name: 'moments', meaning: 'both moments of AdamW', exact: true, ...withTables(2 * dense, 2 * tables, 0) },
    { name: 'rowState', meaning: 'when each row of a table was last updated', exact: true, host: stateOf('rowState'), device: 0 },
    { name: 'buffers', meaning: 'buffers, before a step and after it', exact: true, ...split(buffers) },
    { name: 'gradients', meaning: 'gradients of a step', exact: false, ...withTables(copies * dense, rows, 0) },
    { name: 'update', meaning: 'what the optimiser makes of a group of parameters', exact: false, host: 0, device: onGpu ? update : 0 },
    { name: 'activations', meaning: 'what the forward pass keeps for the backward pass', exact: false, ...split(activations) },
    { name: 'evaluation', meaning: 'the forward pass of evaluation', exact: false, ...split(evaluation) },
    {
      name: 'checkpoint',
      meaning: 'pieces of state on their way to the disk',
      exact: false,
      host: Math.min(total, CHECKPOINT_PIECES * BYTES * Math.min(largest, STATE_PIECE_ELEMENTS)),
      device: 0,
    },
    { name: 'text', meaning: 'the text of training and validation', exact: true, host: textBytes, device: 0 },
  ];
  return { parts, host: sum(parts.map(({ host }) => host)), device: sum(parts.map((part) => part.device)) };
}

/** Of one microbatch. Each reading of a table adds a part to its gradient: see Gradient in graph/program.ts. */
function rowGradientBytes(program: ProgramOutline, bound: Bindings): number {
  const { nodes, parameters, values } = program;
  const repeats = repeatsOf(program);
  const tables = new Map(
    parameters.flatMap(({ gradient, value, shape }) => (gradient === 'rows' ? [[value, shape[1] ?? 0] as const] : [])),
  );
  return sum(
    nodes.map(({ op, scope, inputs: [table = -1, indices = -1] }) => {
      const width = tables.get(table);
      if (width === undefined || (op !== 'rowDot' && op !== 'rowSum')) return 0;
      const [units = 0, choices = 0] = bindShape(values[indices]?.shape ?? [], bound);
      return repeats(scope) * BYTES * units * (2 * choices + width);
    }),
  );
}

/** Bytes that a forward pass makes, as float32. */
interface ForwardBytes {
  /** Outputs of all nodes, but for single numbers and for constants, which nodes share. */
  readonly forward: number;
  /** The weights of every node that attends, of every query to every key. */
  readonly attention: number;
  /** Those of the one that has most. */
  readonly widestAttention: number;
  /** Rows of tables, gathered for each unit and choice. */
  readonly gathered: number;
}

function forwardBytes(program: ProgramOutline, bound: Bindings): ForwardBytes {
  const { nodes, values } = program;
  const repeats = repeatsOf(program);
  const shapeOf = (value = -1): number[] => bindShape(values[value]?.shape ?? [], bound);
  let [forward, attention, widestAttention, gathered] = [0, 0, 0, 0];
  for (const { op, scope, inputs, outputs } of nodes) {
    const times = repeats(scope);
    if (op !== 'constant') forward += times * BYTES * sum(outputs.map((output) => tensorElements(shapeOf(output))));
    if (op === 'attention' || op === 'relativeAttention') {
      const [batch = 0, heads = 0, time = 0] = shapeOf(inputs[0]);
      // Relative attention sees the cache too, and has scores by content and by position.
      const bytes = BYTES * batch * heads * (op === 'attention' ? 1 : 4) * time ** 2;
      attention += times * bytes;
      widestAttention = Math.max(widestAttention, bytes);
    }
    if (op === 'rowDot' || op === 'rowSum') gathered += times * BYTES * elementCount(shapeOf(inputs[1])) * (shapeOf(inputs[0])[1] ?? 0);
  }
  return { forward, attention, widestAttention, gathered };
}

function tensorElements(shape: readonly number[]): number {
  return shape.length === 0 ? 0 : elementCount(shape);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
