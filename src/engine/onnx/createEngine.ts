import type { Device, Engine } from '../engine';
import { CpuSession } from './cpuSession';
import { loadRuntime } from './runtime';

/** The engine that runs programs with onnxruntime-node on `device`. The runtime is loaded by the first `compile`. */
export function createEngine(device: Device): Engine {
  return {
    device,
    async compile(program, options) {
      const runtime = await loadRuntime();
      return CpuSession.create(runtime, program, options);
    },
  };
}
