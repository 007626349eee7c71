import type { Program } from '../graph/program';
import type { Gpu } from './gpuMemory';

/** A batch of token windows, row-major [batch, time]; targets below 0 are not scored. */
export interface Batch {
  readonly batch: number;
  readonly time: number;
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
  /** [batch]: 1 for a window that does not continue the one in the same place of the batch before. Where the program has lane buffers. */
  readonly resets?: Int32Array;
}

/** What changes from step to step but is not data. */
export interface StepScalars {
  /** 1 for the first step: AdamW's bias correction uses it. */
  readonly step: number;
  readonly learningRate: number;
}

/** Which experts a retrieval chose: each chosen expert once, in ascending order. Far shorter than one number for each expert there is. */
export interface RetrievalUse {
  readonly experts: Int32Array;
  /** How often each was chosen. */
  readonly counts: Float32Array;
  /** The sum of the scores it weighed with. */
  readonly weights: Float32Array;
}

/**
 * What routing did in a step (summed over its microbatches) or in a batch of evaluation, for each routed layer or retrieval of the program.
 */
export interface RoutingUse {
  /** Per routed layer, the counts [experts]. */
  readonly expertCounts: readonly Float32Array[];
  /** Per routed layer, how many units took at least 1, 2, ... experts [k]; null where every unit takes k. */
  readonly taken: readonly (Float32Array | null)[];
  readonly retrievals: readonly RetrievalUse[];
}

export interface StepMetrics extends RoutingUse {
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
}

export interface EvaluationMetrics extends RoutingUse {
  /** Sum over scored targets, nats. */
  readonly negativeLogLikelihood: number;
  /** As in training; 0 where the capacity holds only in training, null without capacity. */
  readonly dropRate: number | null;
}

/**
 * A piece of a named tensor of the training state: few are too large for one. `parameter`, its moments and its row state share the
 * parameter's name. `rowState` [rows + 1, 3], of parameters with `gradient: rows` only: the step at which each row was last updated (0 for
 * never) and the decay up to that step as two float32 numbers to be added; in the last row those of the whole table. See
 * engine/onnx/lazyAdamw.ts.
 */
export interface StateTensor {
  readonly kind: 'parameter' | 'firstMoment' | 'secondMoment' | 'rowState' | 'buffer';
  readonly name: string;
  /** Of the whole tensor. */
  readonly shape: readonly number[];
  /** Elements of the tensor before this piece. The pieces of a tensor come one after the other, in order and without gaps. */
  readonly offset: number;
  /** At most STATE_PIECE_ELEMENTS. */
  readonly data: Float32Array;
}

/** 64 MiB: what of the state is in memory twice while it is written or read. */
export const STATE_PIECE_ELEMENTS = 2 ** 24;

export interface SessionOptions {
  /** Windows in a microbatch and their length: what `step` is compiled for. */
  readonly batch: number;
  readonly time: number;
  /** Microbatches of every step: how many lane buffers there are. */
  readonly microbatches: number;
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
  /** Forward only; state is untouched, but for the lane buffers that evaluation has for itself. */
  evaluate(batch: Batch): Promise<EvaluationMetrics>;
  /** The whole state, piece by piece (copies), parameters in program order. */
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
  /** Of WebGPU that is available: the GPUs of the machine whose memory is known. It computes on one of them, the fastest, or on another. */
  readonly gpus?: readonly Gpu[];
}
