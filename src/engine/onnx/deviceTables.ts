import { elementCount } from '../../graph/dimensions';
import type { Program } from '../../graph/program';
import { initialiseParameter } from '../../graph/random';
import type { StepScalars } from '../engine';
import type { StateEntry } from '../stateLayout';
import type { DeviceCopy } from './deviceCopy';
import { OnnxGraph } from './graph';
import { rowStateOf, type LazyTable } from './lazyAdamw';
import { RowTables, type RowStep } from './rowTables';
import type { Runtime, RuntimeSession, RuntimeTensor } from './runtime';
import { createRuntimeSession, runSession } from './runtimeSession';
import type { GradientOutputs } from './trainingGraph';

/**
 * The tables of a program whose gradients are rows, on a device. The host has their state and updates it as on the CPU, since the rows of a
 * step are few and the moments of the others need not be on the device; the device has a copy of each table to read, which gets the changed
 * rows.
 */
export class DeviceTables {
  private readonly rows: RowTables;

  private constructor(
    private readonly runtime: Runtime,
    private readonly hosts: ReadonlyMap<number, LazyTable>,
    private readonly copies: Map<number, RuntimeTensor>,
    private readonly copy: DeviceCopy,
    private readonly scatter: Scatter,
    program: Program,
    gradients: readonly GradientOutputs[],
  ) {
    this.rows = new RowTables(program, gradients, (index) => this.host(index));
  }

  static async create(
    runtime: Runtime,
    program: Program,
    gradients: readonly GradientOutputs[],
    { copy, seed }: { readonly copy: DeviceCopy; readonly seed: number },
  ): Promise<DeviceTables> {
    const hosts = new Map<number, LazyTable>();
    const copies = new Map<number, RuntimeTensor>();
    for (const [index, parameter] of program.parameters.entries()) {
      if (parameter.gradient === 'dense') continue;
      const [rows = 0, width = 0] = parameter.shape;
      const zeros = () => new Float32Array(elementCount(parameter.shape));
      const data = initialiseParameter(parameter, seed);
      hosts.set(index, { width, parameter: data, firstMoment: zeros(), secondMoment: zeros(), rowState: rowStateOf(rows) });
      copies.set(index, await copy.upload(data, parameter.shape));
    }
    return new DeviceTables(runtime, hosts, copies, copy, await Scatter.create(runtime), program, gradients);
  }

  /** The device's copy of a parameter that is a table. */
  tensor(index: number): RuntimeTensor | undefined {
    return this.copies.get(index);
  }

  /** The array on the host that holds a tensor of the state, where that is a table's. */
  arrayOf({ kind, index }: StateEntry): Float32Array | undefined {
    return kind === 'buffer' ? undefined : this.hosts.get(index)?.[kind];
  }

  /** After what `arrayOf` gave was written into: the device's copy follows. */
  async written({ kind, index }: StateEntry): Promise<void> {
    const old = this.copies.get(index);
    if (kind !== 'parameter' || old === undefined) return;
    this.copies.set(index, await this.copy.upload(this.host(index).parameter, old.dims));
    old.dispose();
  }

  begin(): RowStep {
    return this.rows.begin();
  }

  async update(step: RowStep, scalars: StepScalars, gradientScale: number): Promise<void> {
    const changes: (readonly [number, Int32Array])[] = [];
    step.update(scalars, gradientScale, (index, rows) => changes.push([index, rows]));
    for (const [index, rows] of changes) {
      const old = this.copies.get(index);
      if (old === undefined || rows.length === 0) continue;
      const padded = paddedRows(rows);
      const values = new this.runtime.Tensor('float32', rowsOf(this.host(index), padded), [padded.length, this.host(index).width]);
      this.copies.set(index, await this.scatter.replaceRows(old, padded, values));
      old.dispose();
    }
  }

  async dispose(): Promise<void> {
    for (const tensor of this.copies.values()) tensor.dispose();
    this.copies.clear();
    await this.scatter.dispose();
  }

  private host(index: number): LazyTable {
    const table = this.hosts.get(index);
    if (table === undefined) throw new RangeError(`Parameter ${index} is no table.`);
    return table;
  }
}

/**
 * Filled up to a power of two with the last row, so that the device sees few different sizes; a row written twice gets the same values
 * twice.
 */
export function paddedRows(rows: Int32Array): Int32Array {
  const padded = new Int32Array(2 ** Math.ceil(Math.log2(rows.length))).fill(rows.at(-1) ?? 0);
  padded.set(rows);
  return padded;
}

function rowsOf({ parameter, width }: LazyTable, rows: Int32Array): Float32Array {
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, place) => values.set(parameter.subarray(row * width, (row + 1) * width), place * width));
  return values;
}

/** The graph that makes a table with some rows replaced. */
export function replaceRowsGraph(): { readonly model: Uint8Array; readonly output: string } {
  const graph = new OnnxGraph('replaceRows');
  const [table, rows, values] = [graph.input('table', 'float32'), graph.input('rows', 'int64'), graph.input('values', 'float32')];
  const output = graph.output(graph.node('ScatterND', [table, rows, values]), 'float32');
  return { model: graph.build().bytes, output };
}

class Scatter {
  private constructor(
    private readonly runtime: Runtime,
    private readonly output: string,
    private readonly session: RuntimeSession,
  ) {}

  static async create(runtime: Runtime): Promise<Scatter> {
    const { model, output } = replaceRowsGraph();
    const session = await createRuntimeSession(runtime, model, { device: 'webgpu', threads: 1, keepOnDevice: [output] });
    return new Scatter(runtime, output, session);
  }

  async replaceRows(table: RuntimeTensor, rows: Int32Array, values: RuntimeTensor): Promise<RuntimeTensor> {
    // ONNX wants these indices as int64.
    const indices = new this.runtime.Tensor('int64', BigInt64Array.from(rows, BigInt), [rows.length, 1]);
    const outputs = await runSession(this.session, { table, rows: indices, values });
    return outputs[this.output] as RuntimeTensor;
  }

  async dispose(): Promise<void> {
    await this.session.release();
  }
}
