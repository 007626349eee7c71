import { elementCount } from '../../graph/dimensions';
import type { Program } from '../../graph/program';
import { EngineError } from '../engine';
import { OnnxGraph } from './graph';
import { expand, gather } from './lowering/operators';
import type { Runtime } from './runtime';
import { createRuntimeSession, floatsOf, runSession } from './runtimeSession';

/** Every WebGPU device has buffers of this size, and binds them whole (the default of maxStorageBufferBindingSize). */
const EVERY_DEVICE_BYTES = 2 ** 27;

/** More than most devices allow, asked for where a smaller tensor was refused without a word of the limit. */
const TOO_MANY_BYTES = 2 ** 33;

const MIB = 2 ** 20;
const FLOAT_BYTES = 4;

export interface LargestParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** The parameter that wants the largest buffer on a device; undefined for a program without parameters. */
export function largestParameter({ parameters }: Program): LargestParameter | undefined {
  const sized = parameters.map(({ name, shape }) => ({ name, shape, bytes: elementCount(shape) * FLOAT_BYTES }));
  return sized.reduce<LargestParameter | undefined>((largest, next) => (next.bytes > (largest?.bytes ?? -1) ? next : largest), undefined);
}

/** Throws EngineError where a parameter does not fit into a buffer of the WebGPU device, before anything of the model is there. */
export async function checkParameterSizes(runtime: Runtime, program: Program): Promise<void> {
  const largest = largestParameter(program);
  if (largest === undefined) return;
  const refusal = await refusalOfTensor(runtime, largest.bytes);
  if (refusal === null) return;
  throw new EngineError(
    `The parameter "${largest.name}" [${largest.shape.join(', ')}] does not fit on this device: ${refusal}`,
    'Use fewer experts or a smaller d_model, or set engine.device to cpu.',
  );
}

/**
 * Why the WebGPU device refuses a tensor of so many bytes, with the limit where it says that; null where it takes it. The runtime tells no limits, so
 * the tensor is made there, filled and read; nothing of it is on the host. A refusal is an error of the runtime's, after which it goes on.
 */
export async function refusalOfTensor(runtime: Runtime, bytes: number): Promise<string | null> {
  if (bytes <= EVERY_DEVICE_BYTES) return null;
  const reason = await failureOfTensor(runtime, bytes);
  if (reason === null) return null;
  const limit = limitIn(reason) ?? limitIn((await failureOfTensor(runtime, TOO_MANY_BYTES)) ?? '');
  const size = `a tensor of ${mebibytes(bytes)} MiB`;
  if (limit === undefined) return `it refuses ${size}: ${firstLine(reason)}`;
  const most = `the largest buffer it allows (maxBufferSize) has ${mebibytes(limit)} MiB`;
  return bytes > limit ? `${size} is too large, ${most}.` : `it could not make ${size}; ${most}, and its memory may be short.`;
}

/** Fills a tensor [rows, 256] on the device and reads both its ends. */
async function failureOfTensor(runtime: Runtime, bytes: number): Promise<string | null> {
  const width = 256;
  const rows = Math.ceil(bytes / FLOAT_BYTES / width);
  const graph = new OnnxGraph('largeTensor');
  const value = graph.input('value', 'float32', [1, 1]);
  const ends = gather(graph, expand(graph, value, [rows, width]), graph.constant('int32', [2], [0, rows - 1]));
  const output = graph.output(ends, 'float32');
  const session = await createRuntimeSession(runtime, graph.build().bytes, { device: 'webgpu', threads: 1 });
  try {
    const outputs = await runSession(session, { value: new runtime.Tensor('float32', [3], [1, 1]) });
    return floatsOf(outputs, output).every((read) => read === 3) ? null : 'what is read from it is not what was written.';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await session.release();
  }
}

/** Dawn: "Buffer size (1074790400) exceeds the max buffer size limit (1073741824)." */
export function limitIn(reason: string): number | undefined {
  const digits = /max buffer size limit \((\d+)\)/.exec(reason)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toLocaleString('en-US', { maximumFractionDigits: 1 });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
