import { elementCount } from '../../graph/dimensions';
import type { Program } from '../../graph/program';
import { EngineError } from '../engine';
import { OnnxGraph } from './graph';
import { add, expand, gather } from './lowering/operators';
import type { Runtime, RuntimeSession } from './runtime';
import { createRuntimeSession, floatsOf, runSession } from './runtimeSession';

/** Every WebGPU device has buffers of this size, and binds them whole (the default of maxStorageBufferBindingSize). */
export const EVERY_DEVICE_BYTES = 2 ** 27;

/** More than most devices allow, asked for where a smaller tensor was refused without a word of the limit. */
const TOO_MANY_BYTES = 2 ** 33;

const MIB = 2 ** 20;
const FLOAT_BYTES = 4;
const WIDTH = 256;

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
 * Why the WebGPU device refuses a tensor of so many bytes, with the limit where it says that; null where it takes it. The runtime tells no
 * limits, so the tensor is made there, filled and read; nothing of it is on the host. A refusal is an error of the runtime's, after which
 * it goes on.
 */
export async function refusalOfTensor(runtime: Runtime, bytes: number): Promise<string | null> {
  if (bytes <= EVERY_DEVICE_BYTES) return null;
  const attempt = await LargeTensor.create(runtime, bytes);
  try {
    const reason = await attempt.failure();
    return reason === null ? null : describeRefusal(bytes, reason, limitIn(reason) ?? (await knownLimit(runtime)));
  } finally {
    await attempt.dispose();
  }
}

/**
 * The limit as the refusal of far too large a tensor names it. Only a second refusal does, while the session of the first is open: the
 * first one is an attempt to allocate that failed.
 */
async function knownLimit(runtime: Runtime): Promise<number | undefined> {
  const attempt = await LargeTensor.create(runtime, TOO_MANY_BYTES);
  try {
    return limitIn((await attempt.failure()) ?? '');
  } finally {
    await attempt.dispose();
  }
}

function describeRefusal(bytes: number, reason: string, limit: number | undefined): string {
  const size = `a tensor of ${mebibytes(bytes)} MiB`;
  if (limit === undefined) return `it refuses ${size}: ${firstLine(reason)}`;
  const most = `the largest buffer it allows (maxBufferSize) has ${mebibytes(limit)} MiB`;
  return bytes > limit ? `${size} is too large, ${most}.` : `it could not make ${size}; ${most}, and its memory may be short.`;
}

/** A tensor [rows, 256] that is filled on the device, gets a new last row as tables do, and is read at both ends. */
class LargeTensor {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: RuntimeSession,
    private readonly output: string,
  ) {}

  static async create(runtime: Runtime, bytes: number): Promise<LargeTensor> {
    const rows = Math.ceil(bytes / FLOAT_BYTES / WIDTH);
    const graph = new OnnxGraph('largeTensor');
    const value = graph.input('value', 'float32', [1, 1]);
    const lastRow = [graph.constant('int64', [1, 1], [rows - 1]), expand(graph, add(graph, value, value), [1, WIDTH])];
    const tensor = graph.node('ScatterND', [expand(graph, value, [rows, WIDTH]), ...lastRow]);
    const output = graph.output(gather(graph, tensor, graph.constant('int32', [2], [0, rows - 1])), 'float32');
    return new LargeTensor(runtime, await createRuntimeSession(runtime, graph.build().bytes, { device: 'webgpu', threads: 1 }), output);
  }

  async failure(): Promise<string | null> {
    try {
      const outputs = await runSession(this.session, { value: new this.runtime.Tensor('float32', [3], [1, 1]) });
      const asWritten = floatsOf(outputs, this.output).every((read, place) => read === (place < WIDTH ? 3 : 6));
      return asWritten ? null : 'what is read from it is not what was written.';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async dispose(): Promise<void> {
    await this.session.release();
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
