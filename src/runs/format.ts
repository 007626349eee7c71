/**
 * The files of a run directory, `<runs>/<YYYYMMDD-HHMMSS>-<slug>-<4 letters>/`. Other tools may read them: every file states its
 * schemaVersion (metrics.jsonl and events.jsonl in their first line, experts.bin in its header), and files only grow while the run is
 * running.
 *
 * A run that goes on from the checkpoint of step N repeats the steps after N. metrics.jsonl then has a line `{"rewind":N}` and experts.bin
 * a frame of layer 0xFFFFFFFF: what stands before it about later steps no longer holds.
 */

export const SCHEMA_VERSION = 1;

/** A number as JSON can say it: not finite ones become strings. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** `run.json`: written once when the run is created, and again only when a resume changes where it runs. */
export interface RunDescription {
  readonly schemaVersion: 1;
  readonly id: string;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Absolute path of the config file the run was started from. */
  readonly configFile: string;
  /** The config's text, verbatim. */
  readonly configSource: string;
  /** The resolved experiment: defaults filled in, `extends` applied. */
  readonly experiment: unknown;
  readonly totalSteps: number;
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  readonly seed: number;
  /** One per corpus: its name (`train`, `validation.prose`), files, bytes and a hash of the content. */
  readonly data: readonly { readonly name: string; readonly files: readonly string[]; readonly bytes: number; readonly sha256: string }[];
  readonly engine: {
    readonly device: string;
    readonly threads: number;
    readonly candidates: readonly { readonly device: string; readonly reason: string }[];
  };
  /** The Node that runs the worker, and what each rung of the launch ladder said. */
  readonly launch: readonly { readonly rung: string; readonly executable: string; readonly chosen: boolean; readonly reason: string }[];
  readonly parameters: {
    readonly total: number;
    readonly active: number;
    /**
     * Whether a token may use fewer than `active`, as the units that it becomes may meet in one expert. Runs of before 0.2.0 do not say.
     */
    readonly activeIsUpperBound?: boolean;
  };
  readonly macsPerToken: number;
  /**
   * What the model costs line by line, as the version that made the run counts it: `ModelCount` of models/count.ts. Runs of before 0.2.0
   * have none; their `experiment` can be counted again.
   */
  readonly cost?: unknown;
  /**
   * Of a member of a sweep: its name, what it changes by dotted keys, and the id of the run after which it was started, where it had to
   * wait for one.
   */
  readonly sweep?: { readonly member: string; readonly changes: Readonly<Record<string, unknown>>; readonly follows?: string };
  /**
   * Where units take different numbers of experts: the K that `macsPerToken` is counted at, and how many more a token costs if every unit
   * takes one expert more. Null where K is the same for all.
   */
  readonly varyingK: { readonly counted: number; readonly macsPerChoice: number } | null;
  readonly routedLayers: readonly {
    readonly name: string;
    readonly experts: number;
    readonly k: number;
    readonly unitsPerToken: number;
    /** Attention heads, where each has experts of its own: those of head 0 come first. */
    readonly heads?: number;
  }[];
  /** Layers that retrieve by product keys: their use is sketched in `sketches.bin`. */
  readonly retrievals: readonly { readonly name: string; readonly experts: number; readonly k: number }[];
  readonly versions: { readonly moeLab: string; readonly node: string; readonly onnxruntime: string };
}

export type RunState = 'starting' | 'running' | 'stopping' | 'finished' | 'stopped' | 'failed';

/**
 * Why a run failed, for programs: the loss or gradient was not finite; memory or disk ran out or refused; its text cannot be trained on;
 * the device or its runtime failed; a checkpoint cannot be read or written; its process ended without a word; a defect of MoE Lab.
 */
export const failureCauses = ['diverged', 'out-of-memory', 'disk', 'data', 'device', 'checkpoint', 'worker', 'defect'] as const;
export type FailureCause = (typeof failureCauses)[number];

export interface RunFailure {
  /** In one sentence. */
  readonly message: string;
  readonly advice: string;
  readonly step: number;
  /** Runs of before 0.2.0 do not say. */
  readonly cause?: FailureCause;
}

/** `status.json`: replaced atomically; the heartbeat is refreshed every few seconds while the worker lives. */
export interface RunStatus {
  readonly schemaVersion: 1;
  readonly state: RunState;
  readonly step: number;
  readonly totalSteps: number;
  /** Of a failed run. */
  readonly failure: RunFailure | null;
  readonly host: string;
  /** Distinguishes this boot of the host, so that a recycled pid is not taken for the worker. */
  readonly bootId: string;
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly heartbeat: string;
  /** Socket or pipe of the worker and the token it asks for; null when it has none. */
  readonly address: { readonly path: string; readonly token: string } | null;
}

/** One line of `metrics.jsonl` after its header line. A step may have two, one of training and one of validation. */
export interface MetricsLine {
  readonly step: number;
  /** Seconds of training so far, without pauses between a stop and a resume. */
  readonly time: number;
  readonly tokens: number;
  /** Auxiliary losses where the model has them; dropRate where it has a capacity. */
  readonly train?: {
    readonly loss: JsonNumber;
    readonly crossEntropy: JsonNumber;
    readonly balance?: JsonNumber;
    readonly zLoss?: JsonNumber;
    readonly dropRate?: JsonNumber;
    /** Where units take different numbers of experts: their mean, over the routed layers. */
    readonly meanK?: JsonNumber;
    /** The share of the units that take 1, 2, ... experts, over the routed layers. */
    readonly kShares?: readonly number[];
    /** Where experts are retrieved by product keys: the share of them that this step used, mean over those layers. */
    readonly expertUsage?: JsonNumber;
    /**
     * Where there are routed layers: in the last line of each stretch of steps that they are counted over. Runs of before 0.2.0 do not say.
     */
    readonly idleExperts?: IdleExperts;
  };
  /** Per validation set. bitsPerByte where the tokenizer lets bytes be counted and the model is causal. */
  readonly validation?: Readonly<
    Record<
      string,
      {
        readonly loss: JsonNumber;
        readonly perplexity: JsonNumber;
        readonly bitsPerByte?: JsonNumber;
        readonly dropRate?: JsonNumber;
        readonly meanK?: JsonNumber;
        /**
         * Of the experts retrieved by product keys: the share ever used on this set, and log N + sum z log z of their weights z (2407.04153
         * section 3.3).
         */
        readonly expertUsage?: JsonNumber;
        readonly unevenness?: JsonNumber;
      }
    >
  >;
  readonly learningRate?: number;
  readonly gradientNorm?: JsonNumber;
  readonly tokensPerSecond?: number;
}

/** Of the routed layer where they are the largest share: how many experts got less than a tenth of an even share of the choices. */
export interface IdleExperts {
  /** As `run.json` names it. */
  readonly layer: string;
  readonly experts: number;
  readonly idle: number;
  /** Steps that were counted, the last of them that of the line. */
  readonly steps: number;
}

/** One line of `events.jsonl`. */
export interface EventLine {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly step: number;
  readonly kind: 'started' | 'resumed' | 'checkpoint' | 'stopped' | 'finished' | 'failed' | 'warning';
  readonly message: string;
}

/** A frame of `experts.bin`: what one routed layer's experts got during the steps since the last frame. */
export interface ExpertFrame {
  readonly step: number;
  /** Index into RunDescription.routedLayers. */
  readonly layer: number;
  /** float32 [experts]: routed (unit, choice) pairs. */
  readonly counts: Float32Array;
}

/**
 * A frame of `sketches.bin`: what one retrieval did during the steps since the last frame, without a number for each of its experts.
 */
export interface SketchFrame {
  readonly step: number;
  /** Index into RunDescription.retrievals. */
  readonly layer: number;
  /** Choices in all. */
  readonly total: number;
  /** log N + sum z log z, z the shares of the choices: 0 where all experts are used alike. */
  readonly unevenness: number;
  /** Experts by how often they were chosen: never, once, 2 to 3, 4 to 7, ... SKETCH_BINS of them, the last one open. */
  readonly histogram: Uint32Array;
  /** The most used experts, most first, with how often: SKETCH_HEAVIEST at most. */
  readonly heaviest: readonly { readonly expert: number; readonly count: number }[];
  /** Choices of SKETCH_GROUPS groups of neighbouring experts (fewer where there are fewer experts). */
  readonly groups: Float32Array;
  /** A bit for each expert, least significant first: whether it was chosen. */
  readonly used: Uint8Array;
}

export const SKETCH_BINS = 32;
export const SKETCH_HEAVIEST = 64;
export const SKETCH_GROUPS = 1024;
