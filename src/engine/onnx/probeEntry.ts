import type { Device, DeviceReport } from '../engine';
import { EngineError } from '../engine';
import { findGpus } from '../gpuMemory';
import { refusalOfTensor } from './deviceLimits';
import { OnnxGraph } from './graph';
import { gemm } from './lowering/operators';
import { loadRuntime } from './runtime';
import { createRuntimeSession, floatsOf, NoAdapter, runSession } from './runtimeSession';

interface ProbeReport extends DeviceReport {
  /** Why, where a device is all that is missing; `detail` says the same. */
  readonly noAdapter?: { readonly message: string; readonly advice: string };
}

/**
 * A program of its own, run by devices.ts: tries the device named by its first argument with one small product, on WebGPU also with a
 * tensor of as many bytes as the second says, and prints a ProbeReport, on WebGPU with the GPUs that there are, as a line of JSON. A
 * process of its own because a faulty GPU driver may end it.
 */
async function probe(device: Device, largestTensor: number): Promise<ProbeReport> {
  try {
    const runtime = await loadRuntime();
    const graph = new OnnxGraph('probe');
    const [a, b] = [graph.input('a', 'float32', [2, 2]), graph.input('b', 'float32', [2, 2])];
    const product = graph.output(gemm(graph, a, b, false, false), 'float32');
    const session = await createRuntimeSession(runtime, graph.build().bytes, { device, threads: 1 });
    const outputs = await runSession(session, {
      a: new runtime.Tensor('float32', [1, 2, 3, 4], [2, 2]),
      b: new runtime.Tensor('float32', [5, 6, 7, 8], [2, 2]),
    });
    const result = floatsOf(outputs, product).join();
    if (result !== '19,22,43,50') return { device, available: false, detail: `A 2 x 2 product came out wrong: ${result}.` };
    const refusal = device === 'webgpu' ? await refusalOfTensor(runtime, largestTensor) : null;
    if (refusal !== null) return { device, available: false, detail: `The model does not fit on the device: ${refusal}` };
    return {
      device,
      available: true,
      detail: `onnxruntime-node ${runtime.env.versions.node ?? ''} on ${process.platform}/${process.arch}`,
      ...(device === 'webgpu' ? { gpus: await findGpus() } : {}),
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const detail = error instanceof EngineError ? `${message} ${error.advice}` : message;
    return { device, available: false, detail, ...(error instanceof NoAdapter ? { noAdapter: { message, advice: error.advice } } : {}) };
  }
}

const [, , device, bytes = '0'] = process.argv;
void probe(device === 'webgpu' ? 'webgpu' : 'cpu', Number(bytes)).then((report) => process.stdout.write(`${JSON.stringify(report)}\n`));
