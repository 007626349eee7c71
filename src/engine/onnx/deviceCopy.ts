import { copyGraph } from './optimiserGraphs';
import type { Runtime, RuntimeSession, RuntimeTensor } from './runtime';
import { createRuntimeSession, floatsOf, runSession } from './runtimeSession';

/**
 * Copies between host and device, by sessions that give back what they are fed: the binding has no upload, and its own download
 * (`getData`) ends the process.
 */
export class DeviceCopy {
  private constructor(
    private readonly runtime: Runtime,
    private readonly output: string,
    private readonly toDevice: RuntimeSession,
    private readonly toHost: RuntimeSession,
  ) {}

  static async create(runtime: Runtime): Promise<DeviceCopy> {
    const { model, outputs } = copyGraph();
    const toDevice = await createRuntimeSession(runtime, model, { device: 'webgpu', threads: 1, keepOnDevice: outputs });
    const toHost = await createRuntimeSession(runtime, model, { device: 'webgpu', threads: 1 });
    return new DeviceCopy(runtime, outputs[0] ?? '', toDevice, toHost);
  }

  async upload(data: Float32Array, shape: readonly number[]): Promise<RuntimeTensor> {
    const outputs = await runSession(this.toDevice, { x: new this.runtime.Tensor('float32', data, shape) });
    return outputs[this.output] as RuntimeTensor;
  }

  async download(tensor: RuntimeTensor): Promise<Float32Array> {
    return floatsOf(await runSession(this.toHost, { x: tensor }), this.output);
  }

  async dispose(): Promise<void> {
    await this.toDevice.release();
    await this.toHost.release();
  }
}
