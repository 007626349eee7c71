import type * as OnnxRuntime from 'onnxruntime-node';
import { EngineError } from '../engine';

/** The one module that loads onnxruntime-node, and only when an engine is first used: it is a large native library. */
export type Runtime = typeof OnnxRuntime;
export type RuntimeSession = OnnxRuntime.InferenceSession;
export type RuntimeTensor = OnnxRuntime.Tensor;
export type RuntimeSessionOptions = OnnxRuntime.InferenceSession.SessionOptions;

let loading: Promise<Runtime> | undefined;

export function loadRuntime(): Promise<Runtime> {
  // The runtime reads this once, when the library is loaded: without it the Linux build sends telemetry.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  loading ??= import('onnxruntime-node').then(
    (runtime) => runtime,
    (error: unknown) => {
      loading = undefined;
      throw new EngineError(
        `The ONNX runtime could not be loaded on ${process.platform}/${process.arch}: ${error instanceof Error ? error.message : String(error)}`,
        'Install the package of MoE Lab that was made for this platform, or run `npm ci` where it runs from source.',
        { cause: error },
      );
    },
  );
  return loading;
}
