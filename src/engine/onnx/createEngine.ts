import type { Device, Engine } from '../engine';
import { CpuSession } from './cpuSession';
import { loadRuntime } from './runtime';
import { WebgpuSession } from './webgpuSession';

/**
 * The engine that runs programs with onnxruntime-node on `device`. The runtime is loaded by the first `compile`, which blocks the
 * thread like every later call: use a threaded engine where the process must go on answering.
 */
export function createEngine(device: Device): Engine {
  return {
    device,
    async compile(program, options) {
      const runtime = await loadRuntime();
      return device === 'cpu' ? CpuSession.create(runtime, program, options) : WebgpuSession.create(runtime, program, options);
    },
  };
}
