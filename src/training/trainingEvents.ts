import type { RoutingUse, StateTensor } from '../engine/engine';

/** What the training loop tells whoever records it. Numbers may be NaN or infinite. */
export interface TrainStepEvent extends RoutingUse {
  readonly step: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly loss: number;
  readonly crossEntropy: number;
  readonly balance: number | null;
  readonly zLoss: number | null;
  readonly dropRate: number | null;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly tokensPerSecond: number;
}

export interface ValidationFigures {
  readonly loss: number;
  readonly perplexity: number;
  /** Null where the model is not causal. */
  readonly bitsPerByte: number | null;
  /** Null where there is no capacity. */
  readonly dropRate: number | null;
  /** Experts per unit, mean over units and routed layers; null where every unit takes k. */
  readonly meanK: number | null;
  /** Means over the retrievals; null without one. See MetricsLine. */
  readonly expertUsage: number | null;
  readonly unevenness: number | null;
}

export interface ValidationEvent {
  readonly step: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly sets: Readonly<Record<string, ValidationFigures>>;
}

/** Everything besides tensors that a resume needs to go on exactly. */
export interface TrainerState {
  readonly schemaVersion: 1;
  readonly step: number;
  readonly seconds: number;
  readonly tokens: number;
  /** Where the seeded order of the data stands: it is a function of (seed, position). */
  readonly dataPosition: number;
  /** A stop interrupted the validation that was due at this step: a resume begins with it. */
  readonly validationPending?: boolean;
}

/** Records a run. Implemented by the run directory's writer, and by the command line's progress display. Errors end the run. */
export interface TrainingObserver {
  onStep(event: TrainStepEvent): void | Promise<void>;
  onValidation(event: ValidationEvent): void | Promise<void>;
  /** Writes a checkpoint; must have it safely on disk when the promise resolves. */
  onCheckpoint(state: TrainerState, tensors: AsyncIterable<StateTensor>): Promise<void>;
}

/** Asked between steps. */
export interface TrainingControl {
  readonly stopRequested: boolean;
  readonly checkpointRequested: boolean;
  /** Called when a requested checkpoint has been written. */
  checkpointDone(): void;
}

export type TrainingOutcome =
  | { readonly kind: 'finished'; readonly step: number }
  | { readonly kind: 'stopped'; readonly step: number }
  /** Loss or gradient not finite: state is as before the step, the last checkpoint is kept. */
  | { readonly kind: 'diverged'; readonly step: number; readonly reason: string };
