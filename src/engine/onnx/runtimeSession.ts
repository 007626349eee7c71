import type { Device } from '../engine';
import { EngineError } from '../engine';
import type { Runtime, RuntimeSession, RuntimeSessionOptions, RuntimeTensor } from './runtime';

export interface RuntimeSessionRequest {
  readonly device: Device;
  /** 0 = one per physical core. */
  readonly threads: number;
  /** Outputs that stay on the device; the others come to the host. WebGPU only. */
  readonly keepOnDevice?: readonly string[];
  /** Prefix of a profile that the runtime writes when the session ends. */
  readonly profile?: string;
  /** Where the runtime writes the model as it optimised it. */
  readonly optimisedModel?: string;
}

/** WebGPU is there, but nothing that it could compute on. */
export class NoAdapter extends EngineError {}

/** Makes a session of the runtime from ONNX bytes. */
export async function createRuntimeSession(runtime: Runtime, model: Uint8Array, request: RuntimeSessionRequest): Promise<RuntimeSession> {
  try {
    return await runtime.InferenceSession.create(model, sessionOptions(request));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Before it stands where in the runtime's source that was noticed.
    const missing = /Failed to get a WebGPU adapter:? *(.*)/.exec(message);
    if (request.device === 'webgpu' && missing !== null) {
      const why = missing[1]?.trim() ?? '';
      throw new NoAdapter(`WebGPU finds no GPU on this machine${why === '' ? '' : ` (${why})`}.`, driverAdvice(), { cause: error });
    }
    throw new EngineError(`The ${request.device} session could not be made: ${message}`, adviceFor(request.device, message), {
      cause: error,
    });
  }
}

export type Outputs = Readonly<Record<string, RuntimeTensor>>;

/** Runs a session. On the host its calls block the thread until the results are there. */
export async function runSession(session: RuntimeSession, feeds: Readonly<Record<string, RuntimeTensor>>): Promise<Outputs> {
  try {
    return (await session.run(feeds)) as Outputs;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const memory = /alloc|memory/i.test(message);
    throw new EngineError(
      `The runtime failed: ${message}`,
      memory ? 'Use a smaller micro_batch or a smaller model.' : 'This is a fault of MoE Lab: please report it with the config.',
      { cause: error },
    );
  }
}

/** The elements of an output that is on the host. */
export function floatsOf(outputs: Outputs, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new EngineError(`The graph gave no float output "${name}".`, 'This is a fault of MoE Lab: please report it with the config.');
}

/** The same of an int32 output. */
export function integersOf(outputs: Outputs, name: string): Int32Array {
  const data = outputs[name]?.data;
  if (data instanceof Int32Array) return data;
  throw new EngineError(`The graph gave no integer output "${name}".`, 'This is a fault of MoE Lab: please report it with the config.');
}

export function scalarOf(outputs: Outputs, name: string): number {
  return floatsOf(outputs, name)[0] ?? Number.NaN;
}

function sessionOptions({ device, threads, keepOnDevice, profile, optimisedModel }: RuntimeSessionRequest): RuntimeSessionOptions {
  // Threads spin for work within a run, which is far faster than sleeping, but only shortly: on a busy machine a spinning thread keeps the
  // one it waits for off its core. Between runs they rest, since AdamW and other sessions need the cores then.
  const spin = { intra_op: { allow_spinning: '1', spin_duration_us: '50' }, force_spinning_stop: '1' };
  return {
    executionProviders: [device],
    graphOptimizationLevel: 'extended',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    ...(keepOnDevice === undefined
      ? {}
      : { preferredOutputLocation: Object.fromEntries(keepOnDevice.map((name) => [name, 'gpu-buffer' as const])) }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    ...(optimisedModel === undefined ? {} : { optimizedModelFilePath: optimisedModel }),
    // On WebGPU a node that would fall back to the CPU must be an error, not a slow surprise.
    extra: { session: device === 'webgpu' ? { ...spin, disable_cpu_ep_fallback: '1' } : spin },
  };
}

function adviceFor(device: Device, message: string): string {
  if (device === 'cpu') return 'This is a fault of MoE Lab: please report it with the config.';
  if (message.includes('adapter') || message.includes('Vulkan')) return driverAdvice();
  return 'Set engine.device to cpu, and please report it with the config.';
}

function driverAdvice(): string {
  return process.platform === 'linux'
    ? "Install a Vulkan loader and a driver for the GPU (for example libvulkan1 and mesa-vulkan-drivers, or the vendor's driver), or set engine.device to cpu."
    : 'Update the graphics driver, or set engine.device to cpu.';
}
