import type { Program } from '../graph/program';

/** A batch of token windows, row-major [batch, time]; targets below 0 are not scored. */
export interface Batch {
  readonly batch: number;
  readonly time: number;
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

/** What changes from step to step but is not data. */
export interface StepScalars {
  /** 1 for the first step: AdamW's bias correction uses it. */
  readonly step: number;
  readonly learningRate: number;
}

export interface StepMetrics {
  /** Means over the microbatches; nats per token. May be NaN or infinite: then the state was NOT updated. */
  readonly loss: number;
  readonly crossEntropy: number;
  readonly balance: number | null;
  /** Sum over layers of the unweighted router z-losses; null without one. */
  readonly zLoss: number | null;
  /** Share of (unit, choice) pairs dropped for capacity, mean over routed layers; null without capacity. */
  readonly dropRate: number | null;
  /** Global L2 norm of the averaged gradient before clipping. */
  readonly gradientNorm: number;
  /** Per routed layer, the counts [experts] summed over the microbatches. */
  readonly expertCounts: readonly Float32Array[];
}

export interface EvaluationMetrics {
  /** Sum over scored targets, nats. */
  readonly negativeLogLikelihood: number;
  /** As in training; 0 where the capacity holds only in training, null without capacity. */
  readonly dropRate: number | null;
  readonly expertCounts: readonly Float32Array[];
}

/** A named tensor of the training state. `parameter`, first and second `moment` share the parameter's name. */
export interface StateTensor {
  readonly kind: 'parameter' | 'firstMoment' | 'secondMoment' | 'buffer';
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface SessionOptions {
  /** Windows in a microbatch and their length: what `step` is compiled for. */
  readonly batch: number;
  readonly time: number;
  readonly seed: number;
  /** Threads of the CPU provider; 0 = one per physical core. */
  readonly threads: number;
}

export type Device = 'cpu' | 'webgpu';

/** One way to execute programs on one device. */
export interface Engine {
  readonly device: Device;
  /** Initialises parameters from `options.seed`. Throws EngineError when the device or the runtime cannot do it. */
  compile(program: Program, options: SessionOptions): Promise<Session>;
}

/** A compiled program with its state (parameters, optimiser moments, buffers). Calls must not overlap. */
export interface Session {
  /** Forward, backward, accumulation over the microbatches (gradients are averaged), clipping and AdamW. The only way a step happens. */
  step(microbatches: readonly Batch[], scalars: StepScalars): Promise<StepMetrics>;
  /** Forward only; state is untouched. */
  evaluate(batch: Batch): Promise<EvaluationMetrics>;
  /** The whole state, one tensor at a time (copies), parameters in program order. */
  exportState(): AsyncIterable<StateTensor>;
  /** Replaces state by name and kind; throws EngineError for an unknown name or a wrong shape. */
  importState(tensors: AsyncIterable<StateTensor> | Iterable<StateTensor>): Promise<void>;
  dispose(): Promise<void>;
}

/** A device or runtime failure with what the user can do next. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    message: string,
    readonly advice: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** Why not, or what it is. */
  readonly detail: string;
}
