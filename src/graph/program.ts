import type { Dimension, Shape } from './dimensions';
import type { DType, Primitive, PrimitiveAttributes } from './primitives';

/** Index into `Program.values`. */
export type ValueId = number;

export interface Value {
  readonly shape: Shape;
  readonly dtype: DType;
}

export type NodeOf<P extends Primitive> = {
  readonly op: P;
  readonly attributes: PrimitiveAttributes[P];
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  /** Where in the model the node lies, for example `layers.1.moe.experts`. Counting and profiles group by it. */
  readonly scope: string;
};

/** A node, discriminated by `op`. Nodes are stored in an order in which they can be executed. */
export type ProgramNode = { [P in Primitive]: NodeOf<P> }[Primitive];

export interface ProgramInput {
  readonly name: string;
  readonly value: ValueId;
}

export type Initialiser =
  | { readonly kind: 'normal'; readonly standardDeviation: number }
  /**
   * Normal, then the columns of an [in, out] matrix scaled to one length, such that the standard deviation of all elements stays
   * (2310.10837).
   */
  | { readonly kind: 'equalColumns'; readonly standardDeviation: number }
  | { readonly kind: 'constant'; readonly value: number };

export interface Parameter {
  /** Unique, for example `layers.1.moe.experts.w1`. */
  readonly name: string;
  readonly value: ValueId;
  /** Numeric: parameters do not depend on the batch. Stacked over experts as [E, in, out]. */
  readonly shape: readonly number[];
  readonly initialiser: Initialiser;
  /** Key into `Optimiser.groups`. */
  readonly group: string;
  /**
   * `rows`: a table of which a step reads few rows, by `rowDot` and `rowSum` alone. Its gradient is a list of rows and never the table, and its
   * optimiser state is that of lazy AdamW, which knows when each row was last updated.
   */
  readonly gradient: 'dense' | 'rows';
  /** The axis along which the parameter may be sharded over devices (experts: 0), or null. */
  readonly shardAxis: number | null;
  /** Share of the parameter's elements used for one unit: k/E for routed experts, 1 otherwise. Active parameters count with it. */
  readonly activeFraction: number;
  /** What kind of parameter it is, for counting. */
  readonly role: ParameterRole;
}

export type ParameterRole =
  | 'embedding'
  | 'attention'
  /** The projection of relative positions. */
  | 'position'
  | 'ffn'
  | 'experts'
  | 'shared'
  /** What chooses experts: routers, the selections of SwitchHead, queries and sub-keys of product keys. */
  | 'router'
  | 'head'
  | 'merge'
  | 'norm'
  | 'output';

/** State that is not a parameter, with the value that replaces it after a step. Validation never writes it. */
export interface Buffer {
  readonly name: string;
  readonly value: ValueId;
  /** Numeric, but of `lane` buffers: those begin with `batch` and may hold `time`. */
  readonly shape: Shape;
  readonly initial: number;
  readonly update: ValueId;
  /**
   * When it is replaced. `microbatch`: after each, so that the next one sees it. `step`: once, after the last microbatch; `update` may then
   * depend on buffers and on the means of step statistics only. `lane`: each window of a step has its own, which goes on to the window in
   * the same place of the next step (the cache of Transformer-XL). A step of n microbatches so holds n of them, and state has them as [n,
   * ...shape]. Evaluation has its own too, which go from one batch to the next of the same shape. No other buffer and no statistic may
   * depend on the update of a lane buffer.
   */
  readonly updated: 'microbatch' | 'step' | 'lane';
}

/**
 * A figure of the whole optimiser step that its microbatches share: `mean` holds the mean of `local` over all of them. Where the training
 * graph reads `mean`, the engine first computes every microbatch's `local` by a forward pass; so a step over microbatches equals one over a
 * single large one (global-batch balance, 2501.11873). No gradient flows through `mean`. Evaluation never reads it.
 */
export interface StepStatistic {
  readonly name: string;
  readonly local: ValueId;
  readonly mean: ValueId;
}

/**
 * Uniform random numbers in [low, high), drawn anew for every microbatch of a training step from a counter-based generator keyed by seed,
 * step, microbatch and name, so that a resume is exact and engines agree. In evaluation every element is `evaluation`.
 */
export interface Noise {
  readonly name: string;
  readonly value: ValueId;
  readonly low: number;
  readonly high: number;
  readonly evaluation: number;
}

export interface AdamW {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Global gradient norm above which all gradients are scaled down; null for none. */
  readonly clip: number | null;
  /** Weight decay per group, decoupled: w -= learningRate * decay * w (1711.05101). */
  readonly groups: Readonly<
    Record<string, { readonly weightDecay: number; /** Times the learning rate of the step. */ readonly rateScale: number }>
  >;
}

/** One routed layer, for the views of experts: where its counts come out and how wide they are. */
export interface RoutedLayer {
  readonly name: string;
  readonly experts: number;
  readonly k: number;
  /** Routed units per token: 1 for tokens, the number of heads for sub-tokens. */
  readonly unitsPerToken: number;
  /** float32 [experts]: how many (unit, choice) pairs each expert got in this batch. */
  readonly counts: ValueId;
  /** Scalar: how many of those pairs exceeded the capacity and were dropped; null where there is no capacity. Counts include them. */
  readonly dropped: ValueId | null;
  /**
   * Where units take different numbers of experts, float32 [k]: how many units took at least 1, 2, ..., k, the most they may; their sum
   * over the units is the mean K. Null where every unit takes k.
   */
  readonly taken: ValueId | null;
}

/** One layer that retrieves experts by product keys: too many to count each in every step, so what was chosen comes out. */
export interface Retrieval {
  readonly name: string;
  /** A square number. */
  readonly experts: number;
  /** Experts per token: heads times the choices of a head. An expert may be chosen by several heads. */
  readonly k: number;
  /** int32 [tokens, k]. */
  readonly indices: ValueId;
  /** float32 [tokens, k]: the scores that the experts weigh with. */
  readonly weights: ValueId;
}

/**
 * A training program: what an experiment's config becomes, and what everything else reads. A plain value: JSON in, JSON out, equal. Inputs
 * are `tokens` and `targets`, int32 [batch, time]; a target below 0 is not scored. Where there are lane buffers also `resets`, int32
 * [batch]: 1 for a window that does not continue the one before it in its lane.
 */
export interface Program {
  readonly schemaVersion: 1;
  readonly name: string;
  readonly values: readonly Value[];
  readonly inputs: readonly ProgramInput[];
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  readonly statistics: readonly StepStatistic[];
  readonly noises: readonly Noise[];
  readonly nodes: readonly ProgramNode[];
  readonly outputs: {
    /** Scalar: what is minimised, cross-entropy plus weighted auxiliary losses. */
    readonly loss: ValueId;
    /** Scalar: summed negative log likelihood of the scored targets, nats. */
    readonly negativeLogLikelihood: ValueId;
    /**
     * Scalar: mean cross-entropy of the scored targets, nats per token. Where microbatches score unequal numbers of them, it may be over
     * the mean number of a step statistic, so that its mean over the microbatches is that over all targets of the step.
     */
    readonly crossEntropy: ValueId;
    /** Scalar: sum over layers of the unweighted balance losses; null without routed layers or balancing. */
    readonly balance: ValueId | null;
    /** Scalar: sum over layers of the unweighted router z-losses; null where there is none. */
    readonly zLoss: ValueId | null;
    /** Scalar: share of (unit, choice) pairs dropped for capacity, mean over routed layers; null where there is no capacity. */
    readonly dropRate: ValueId | null;
  };
  readonly routedLayers: readonly RoutedLayer[];
  readonly retrievals: readonly Retrieval[];
  readonly optimiser: AdamW;
}

/**
 * The gradient of a parameter. `rows` is a sum over its parts: coefficients[u, j] vectors[u] added into row indices[u, j], with indices
 * int32 [U, k], coefficients [U, k] and vectors [U, d]; a row may come up often, and those that never do have gradient zero.
 */
export type Gradient =
  | { readonly kind: 'dense'; readonly value: ValueId }
  | {
      readonly kind: 'rows';
      readonly parts: readonly { readonly indices: ValueId; readonly coefficients: ValueId; readonly vectors: ValueId }[];
    };

/** A program with its backward pass appended; `gradients[i]` belongs to `program.parameters[i]` and is of the kind that says. */
export interface DifferentiatedProgram {
  readonly program: Program;
  readonly gradients: readonly Gradient[];
}

export type { Dimension, Shape };
