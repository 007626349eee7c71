import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { probeDevice } from '../../../src/engine/onnx/devices';
import { bundle } from './bundle';
import type { CopiesTask, LiveTensorsTask, DeviceRunner, DeviceTask, TrainingResult, ValuesResult } from './deviceTasks';

type Environment = Readonly<Record<string, string | undefined>>;

/** Chromium's software GPU, which the WebGPU provider accepts where there is no other. */
const softwareDrivers = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/lib/chromium-browser/vk_swiftshader_icd.json'];

function environments(): Environment[] {
  const software = softwareDrivers
    .filter((file) => existsSync(file))
    .map((file): Environment => {
      // Chromium also carries a Vulkan loader, for machines that have none.
      const libraries = [process.env.LD_LIBRARY_PATH, dirname(file)].filter((path) => path !== undefined && path !== '').join(':');
      return { ...process.env, VK_ICD_FILENAMES: file, LD_LIBRARY_PATH: libraries };
    });
  return [process.env, ...software];
}

/** The environment in which the WebGPU provider finds an adapter, or why there is none. */
export async function findGpu(): Promise<{ readonly environment: Environment } | { readonly reason: string }> {
  const probe = await bundle('src/engine/onnx/probeEntry.ts', 'probe');
  const reasons: string[] = [];
  for (const environment of environments()) {
    const report = await probeDevice(probe, 'webgpu', environment);
    if (report.available) return { environment };
    reasons.push(`${environment.VK_ICD_FILENAMES ?? 'the default driver'}: ${report.detail}`);
  }
  return { reason: reasons.join('; ') };
}

export interface GpuRunner extends DeviceRunner {
  /** Per graph of a training step, the copies between device and host in it. */
  copies(task: CopiesTask): Promise<Readonly<Record<string, number>>>;
  /** Tensors on the device after each step, and after the session is disposed of. */
  liveTensors(task: LiveTensorsTask): Promise<readonly number[]>;
  end(): void;
}

/** Runs tasks one after another in a child process; a task during which it dies fails, and the next one gets a new child. */
export async function gpuRunner(environment: Environment): Promise<GpuRunner> {
  const entry = await bundle('test/engine/support/deviceProcess.ts', 'device-process');
  let child: ChildProcess | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const run = (task: DeviceTask): Promise<unknown> => {
    // One at a time, also after a test that gave up waiting.
    last = last.then(
      () => send(task),
      () => send(task),
    );
    return last;
  };
  const send = (task: DeviceTask): Promise<unknown> =>
    new Promise((resolve, reject) => {
      child ??= fork(entry, { env: { ...environment, ORT_DISABLE_TELEMETRY: '1' }, serialization: 'advanced', execArgv: [] });
      const running = child;
      const done = (): void => {
        running.removeAllListeners();
      };
      running.once('message', (message: { readonly value: unknown } | { readonly error: string }) => {
        done();
        if ('error' in message) reject(new Error(message.error));
        else resolve(message.value);
      });
      running.once('exit', (code, signal) => {
        done();
        child = undefined;
        reject(new Error(`The WebGPU process ended (${signal ?? `code ${code}`}).`));
      });
      running.send(task);
    });
  return {
    device: 'webgpu',
    values: (task) => run(task) as Promise<ValuesResult>,
    train: (task) => run(task) as Promise<TrainingResult>,
    copies: (task) => run(task) as Promise<Readonly<Record<string, number>>>,
    liveTensors: (task) => run(task) as Promise<readonly number[]>,
    end: () => child?.disconnect(),
  };
}
