import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bindShape, elementCount } from '../src/graph/dimensions';
import { initialiseParameter } from '../src/graph/random';
import { loadRuntime, type RuntimeTensor } from '../src/engine/onnx/runtime';
import { createRuntimeSession, runSession } from '../src/engine/onnx/runtimeSession';
import { inputData, trainingGraph } from '../src/engine/onnx/trainingGraph';
import { randomBatch, type BenchmarkModel } from './models';

/** Milliseconds per run of the training graph. */
export interface Profile {
  readonly byKind: ReadonlyMap<string, number>;
  readonly byOperator: ReadonlyMap<string, number>;
  /** The innermost part of a node's scope, forward and backward together: `attention`, `experts`, `router`, ... */
  readonly byScope: ReadonlyMap<string, number>;
  readonly total: number;
}

const kinds: Readonly<Record<string, readonly string[]>> = {
  GEMM: ['Gemm', 'MatMul', 'FusedMatMul', 'FusedGemm'],
  softmax: ['Softmax', 'LogSoftmax'],
  transpose: ['Transpose'],
  'split and concat': ['Split', 'Concat', 'Slice', 'Pad'],
  'gather and scatter': ['Gather', 'GatherElements', 'ScatterElements'],
  'routing order': ['TopK'],
  reductions: ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceSumSquare'],
  'reshape and casts': ['Reshape', 'Cast', 'Unsqueeze', 'Squeeze', 'Expand', 'Identity'],
  rotary: ['RotaryEmbedding'],
};

const kindOf = (operator: string): string => Object.keys(kinds).find((kind) => kinds[kind]?.includes(operator)) ?? 'elementwise';

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Runs the training graph with the runtime's own profiler; the first runs, which allocate, are left out. */
export async function profileTraining(model: BenchmarkModel, threads: number, runs: number): Promise<Profile> {
  const runtime = await loadRuntime();
  const folder = mkdtempSync(join(tmpdir(), 'moe-lab-profile-'));
  const { program, batch, time } = model;
  const graph = trainingGraph(program, 'cpu', { batch, time });
  const session = await createRuntimeSession(runtime, graph.model, { device: 'cpu', threads, profile: join(folder, 'profile') });
  const data = randomBatch(model, 1);
  const parameters = program.parameters.map((parameter) => initialiseParameter(parameter, 1));
  const feeds = graph.feeds.map((feed): [string, RuntimeTensor] => {
    if (feed.kind === 'input') return [feed.name, new runtime.Tensor('int32', inputData(data, feed.name).data, [batch, time])];
    const filled = (shape: readonly number[], value: number): RuntimeTensor =>
      new runtime.Tensor('float32', new Float32Array(elementCount(shape)).fill(value), shape);
    // Values do not change what the operators cost, as long as nothing overflows.
    if (feed.kind === 'noise' || feed.kind === 'mean') return [feed.name, filled(feed.shape, 1)];
    if (feed.kind === 'buffer')
      return [
        feed.name,
        filled(bindShape(program.buffers[feed.index]?.shape ?? [], { batch, time }), program.buffers[feed.index]?.initial ?? 0),
      ];
    const shape = program.parameters[feed.index]?.shape ?? [];
    const [experts = 1, ...matrix] = shape;
    const whole = parameters[feed.index] ?? new Float32Array();
    if (feed.expert === null) return [feed.name, new runtime.Tensor('float32', whole, shape)];
    const size = whole.length / experts;
    return [feed.name, new runtime.Tensor('float32', whole.subarray(feed.expert * size, (feed.expert + 1) * size), matrix)];
  });
  const warmUps = 2;
  for (let run = 0; run < runs + warmUps; run++) await runSession(session, Object.fromEntries(feeds));
  session.endProfiling();
  await session.release();
  const [file = ''] = readdirSync(folder);
  const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as TraceEvent[];
  rmSync(folder, { recursive: true });
  return summarise(events, runs + warmUps, warmUps);
}

function summarise(events: readonly TraceEvent[], runs: number, skipped: number): Profile {
  const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  const perRun = Math.floor(kernels.length / runs);
  const counted = kernels.slice(perRun * skipped);
  const [byKind, byOperator, byScope] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const addTo = (map: Map<string, number>, key: string, value: number) => map.set(key, (map.get(key) ?? 0) + value);
  let total = 0;
  for (const { name, dur, args } of counted) {
    const operator = args?.op_name ?? 'unknown';
    const milliseconds = dur / 1000 / (runs - skipped);
    total += milliseconds;
    addTo(byKind, kindOf(operator), milliseconds);
    addTo(byOperator, operator, milliseconds);
    addTo(byScope, scopeOf(name), milliseconds);
  }
  return { byKind: ranked(byKind), byOperator: ranked(byOperator), byScope: ranked(byScope), total };
}

/** `backward/layers.1.moe.experts/Gemm/t12_kernel_time` -> `experts`. Nodes that the runtime's optimiser made have no scope. */
function scopeOf(name: string): string {
  const parts = name.replace(/^backward\//, '').split('/');
  const innermost = parts.length < 2 ? 'fused' : (parts[0]?.split('.').at(-1) ?? '');
  if (innermost === '') return 'final norm and loss';
  return /^\d+$/.test(innermost) ? 'residual stream' : innermost;
}

function ranked(map: Map<string, number>): Map<string, number> {
  return new Map([...map].sort((a, b) => b[1] - a[1]));
}
