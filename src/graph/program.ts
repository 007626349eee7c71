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
  { readonly kind: 'normal'; readonly standardDeviation: number } | { readonly kind: 'constant'; readonly value: number };

export interface Parameter {
  /** Unique, for example `layers.1.moe.experts.w1`. */
  readonly name: string;
  readonly value: ValueId;
  /** Numeric: parameters do not depend on the batch. Stacked over experts as [E, in, out]. */
  readonly shape: readonly number[];
  readonly initialiser: Initialiser;
  /** Key into `Optimiser.groups`. */
  readonly group: string;
  /** The axis along which the parameter may be sharded over devices (experts: 0), or null. */
  readonly shardAxis: number | null;
  /** Share of the parameter's elements used for one unit: k/E for routed experts, 1 otherwise. Active parameters count with it. */
  readonly activeFraction: number;
  /** What kind of parameter it is, for counting. */
  readonly role: ParameterRole;
}

export type ParameterRole = 'embedding' | 'attention' | 'ffn' | 'experts' | 'shared' | 'router' | 'head' | 'merge' | 'norm' | 'output';

/** State that is not a parameter, with the value that replaces it after a step. Validation never writes it. */
export interface Buffer {
  readonly name: string;
  readonly value: ValueId;
  readonly shape: readonly number[];
  readonly initial: number;
  readonly update: ValueId;
  /**
   * When it is replaced. `microbatch`: after each, so that the next one sees it. `step`: once, after the last microbatch; `update` may then depend
   * on buffers and on the means of step statistics only.
   */
  readonly updated: 'microbatch' | 'step';
}

/**
 * A figure of the whole optimiser step that its microbatches share: `mean` holds the mean of `local` over all of them. Where the training graph
 * reads `mean`, the engine first computes every microbatch's `local` by a forward pass; so a step over microbatches equals one over
 * a single large one (global-batch balance, 2501.11873). No gradient flows through `mean`. Evaluation never reads it.
 */
export interface StepStatistic {
  readonly name: string;
  readonly local: ValueId;
  readonly mean: ValueId;
}

/**
 * Uniform random numbers in [low, high), drawn anew for every microbatch of a training step from a counter-based generator keyed by seed, step,
 * microbatch and name, so that a resume is exact and engines agree. In evaluation every element is `evaluation`.
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
  readonly groups: Readonly<Record<string, { readonly weightDecay: number }>>;
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
}

/**
 * A training program: what an experiment's config becomes, and what everything else reads. A plain value: JSON in, JSON out, equal.
 * Inputs are `tokens` and `targets`, int32 [batch, time]; a target below 0 is not scored.
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
     * Scalar: mean cross-entropy of the scored targets, nats per token. Where microbatches score unequal numbers of them, it may be over the mean
     * number of a step statistic, so that its mean over the microbatches is that over all targets of the step.
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
  readonly optimiser: AdamW;
}

/** A program with its backward pass appended; `gradients[i]` belongs to `program.parameters[i]`. */
export interface DifferentiatedProgram {
  readonly program: Program;
  readonly gradients: readonly ValueId[];
}

export type { Dimension, Shape };
