import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bindings } from '../../../src/graph/dimensions';
import { bindShape } from '../../../src/graph/dimensions';
import type { Program, ValueId } from '../../../src/graph/program';
import type { Batch, Device, EvaluationMetrics, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../../../src/engine/engine';
import { replaceRowsGraph } from '../../../src/engine/onnx/deviceTables';
import { createEngine } from '../../../src/engine/onnx/createEngine';
import { lower, type Feed } from '../../../src/engine/onnx/lowering/lower';
import { accumulateGraph, adamwGraph, sumOfSquaresGraph } from '../../../src/engine/onnx/optimiserGraphs';
import { loadRuntime, type Runtime, type RuntimeSession, type RuntimeTensor } from '../../../src/engine/onnx/runtime';
import { createRuntimeSession, runSession } from '../../../src/engine/onnx/runtimeSession';
import { denseOutputs } from '../../../src/engine/onnx/stepSessions';
import { stepGraphs } from '../../../src/engine/onnx/trainingGraph';

/** Work for a device that can cross a process boundary: everything in it is plain data. */
export type DeviceTask = ValuesTask | TrainingTask | CopiesTask | LiveTensorsTask;

/** Computes `wanted` values of a program. */
export interface ValuesTask {
  readonly kind: 'values';
  readonly program: Program;
  readonly bindings: Bindings;
  readonly mode: 'training' | 'evaluation';
  readonly feeds: readonly (readonly [ValueId, Float32Array | Int32Array])[];
  readonly wanted: readonly ValueId[];
  /** See LoweringOptions. */
  readonly mostElements?: number;
}

export interface ValuesResult {
  readonly values: readonly { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }[];
  /** Copies between device and host inside the optimised graph. */
  readonly copies: number;
}

export interface TrainingTask {
  readonly kind: 'training';
  readonly program: Program;
  readonly options: SessionOptions;
  /** Replaces tensors of the initial state. */
  readonly state: readonly StateTensor[];
  readonly steps: readonly { readonly microbatches: readonly Batch[]; readonly scalars: StepScalars }[];
  readonly evaluate: readonly Batch[];
}

/** Compiles every graph of a training session: forward and backward, accumulation, norm and AdamW, changed rows of tables. */
export interface CopiesTask {
  readonly kind: 'copies';
  readonly program: Program;
  readonly bindings: Bindings;
}

/** How many tensors a session holds on the device after each step of a training. */
export interface LiveTensorsTask {
  readonly kind: 'liveTensors';
  readonly training: TrainingTask;
}

export interface TrainingResult {
  readonly initial: readonly StateTensor[];
  readonly final: readonly StateTensor[];
  readonly metrics: readonly StepMetrics[];
  readonly evaluations: readonly EvaluationMetrics[];
}

export interface DeviceRunner {
  readonly device: Device;
  values(task: ValuesTask): Promise<ValuesResult>;
  train(task: TrainingTask): Promise<TrainingResult>;
}

export async function runValues(device: Device, task: ValuesTask): Promise<ValuesResult> {
  const { program, bindings, feeds, wanted } = task;
  const runtime = await loadRuntime();
  const lowered = lower(program, { ...task, device });
  const { session, copies } = await sessionWithCopies(runtime, device, lowered.model);
  const given = new Map(feeds);
  const tensors = lowered.feeds.map((feed): [string, RuntimeTensor] => {
    const id = fedValue(program, feed);
    const data = given.get(id);
    if (data === undefined) throw new RangeError(`${feed.name} is not fed.`);
    const shape = bindShape(program.values[id]?.shape ?? [], bindings);
    if (data instanceof Int32Array) return [feed.name, new runtime.Tensor('int32', data, shape)];
    if (feed.kind !== 'parameter' || feed.expert === null) return [feed.name, new runtime.Tensor('float32', data, shape)];
    const [experts = 1, ...matrix] = shape;
    const size = data.length / experts;
    return [feed.name, new runtime.Tensor('float32', data.subarray(feed.expert * size, (feed.expert + 1) * size), matrix)];
  });
  const outputs = await runSession(session, Object.fromEntries(tensors));
  await session.release();
  const values = lowered.outputs.map((names, index) => {
    const parts = names.map((name) => outputs[name] as RuntimeTensor);
    const [first] = parts;
    const data = parts.map((part) => part.data as Float32Array | Int32Array);
    if (parts.length === 1 && first !== undefined && data[0] !== undefined && !(device === 'cpu' && stackedOfOne(program, wanted[index]))) {
      return { shape: [...first.dims], data: data[0] };
    }
    return { shape: [parts.length, ...(first?.dims ?? [])], data: Float32Array.from(data.flatMap((part) => Array.from(part))) };
  });
  return { values, copies };
}

function fedValue({ inputs, parameters, buffers, noises, statistics }: Program, { kind, index }: Feed): ValueId {
  if (kind === 'mean') return statistics[index]?.mean ?? -1;
  return { input: inputs, parameter: parameters, buffer: buffers, noise: noises }[kind][index]?.value ?? -1;
}

/** A session, and how many copies between device and host the runtime put into its graph. */
async function sessionWithCopies(runtime: Runtime, device: Device, model: Uint8Array, keepOnDevice: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'moe-lab-graph-'));
  try {
    const optimisedModel = join(folder, 'optimised.onnx');
    const session = await createRuntimeSession(runtime, model, { device, threads: 1, optimisedModel, keepOnDevice });
    return { session, copies: readFileSync(optimisedModel, 'latin1').match(/Memcpy(From|To)Host/g)?.length ?? 0 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Copies inside each graph of a WebGPU training step; compiling it also proves that no node is left to the CPU, which the session forbids.
 */
export async function countCopies({ program, bindings }: CopiesTask): Promise<Readonly<Record<string, number>>> {
  const runtime = await loadRuntime();
  const { statistics, training, bufferUpdate } = stepGraphs(program, 'webgpu', bindings);
  const updates = (graph: typeof training | typeof statistics | typeof bufferUpdate) =>
    graph?.bufferUpdates.map(({ output }) => output) ?? [];
  const dense = program.parameters.filter(({ gradient }) => gradient === 'dense');
  const accumulate = accumulateGraph(dense);
  const squares = sumOfSquaresGraph(dense);
  const adamw = adamwGraph(dense, program.optimiser);
  const scatter = replaceRowsGraph();
  const counts: Record<string, number> = {};
  for (const [name, model, kept] of [
    ...(statistics === null ? [] : [['statistics', statistics.model, updates(statistics)] as const]),
    ...(bufferUpdate === null ? [] : [['bufferUpdate', bufferUpdate.model, updates(bufferUpdate)] as const]),
    ['training', training.model, [...denseOutputs(training), ...updates(training)]],
    ['accumulate', accumulate.model, accumulate.outputs],
    ['sumOfSquares', squares.model, []],
    ['adamw', adamw.model, adamw.outputs],
    ...(dense.length === program.parameters.length ? [] : [['replaceRows', scatter.model, [scatter.output]] as const]),
  ] as const) {
    const { session, copies } = await sessionWithCopies(runtime, 'webgpu', model, kept);
    counts[name] = copies;
    await session.release();
  }
  return counts;
}

/** On the CPU the matrix of an only expert comes out as [in, out]. */
function stackedOfOne(program: Program, value: ValueId | undefined): boolean {
  const node = program.nodes.find(({ outputs }) => value !== undefined && outputs.includes(value));
  return node?.op === 'expertMatmulGradient' && program.values[value ?? -1]?.shape[0] === 1;
}

export async function runTraining(device: Device, task: TrainingTask): Promise<TrainingResult> {
  const session = await createEngine(device).compile(task.program, task.options);
  await session.importState(task.state);
  const initial = await collect(session.exportState());
  const metrics: StepMetrics[] = [];
  for (const { microbatches, scalars } of task.steps) metrics.push(await session.step(microbatches, scalars));
  const evaluations: EvaluationMetrics[] = [];
  for (const batch of task.evaluate) evaluations.push(await session.evaluate(batch));
  const final = await collect(session.exportState());
  await session.dispose();
  return { initial, final, metrics, evaluations };
}

export async function countLiveTensors({ training }: LiveTensorsTask): Promise<readonly number[]> {
  const runtime = await loadRuntime();
  // The class is there, behind an interface that only tells of its factory.
  const sessions = (runtime.InferenceSession as unknown as { readonly prototype: RuntimeSession }).prototype;
  const tensors = runtime.Tensor.prototype as RuntimeTensor;
  const live = new Set<unknown>();
  type Feeds = Readonly<Record<string, RuntimeTensor>>;
  const run = sessions.run as (feeds: Feeds) => Promise<Record<string, unknown>>;
  const { dispose } = tensors;
  try {
    const counted = async function (this: RuntimeSession, feeds: Feeds) {
      const outputs = await run.call(this, feeds);
      for (const output of Object.values(outputs)) if ((output as RuntimeTensor).location === 'gpu-buffer') live.add(output);
      return outputs;
    };
    Object.assign(sessions, { run: counted });
    tensors.dispose = function (this: RuntimeTensor) {
      live.delete(this);
      dispose.call(this);
    };
    const session = await createEngine('webgpu').compile(training.program, training.options);
    const counts: number[] = [];
    for (const { microbatches, scalars } of training.steps) {
      await session.step(microbatches, scalars);
      counts.push(live.size);
    }
    await session.dispose();
    return [...counts, live.size];
  } finally {
    Object.assign(sessions, { run });
    Object.assign(tensors, { dispose });
  }
}

export async function collect(tensors: AsyncIterable<StateTensor>): Promise<StateTensor[]> {
  const all: StateTensor[] = [];
  for await (const tensor of tensors) all.push(tensor);
  return all;
}
