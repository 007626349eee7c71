import type { RunnableExperiment } from '../config/schema';
import { type Hidden, TrainingOrder, validationBatches } from '../data/batches';
import { laneBatches, LaneOrder } from '../data/lanes';
import type { Batch } from '../engine/engine';
import { microbatchesPerStep } from './prepare';

/** How an experiment reads text: which windows training sees when, and in which validation cuts a text. */

/** The training windows: `batchAt` is a pure function of its arguments. */
export interface WindowOrder {
  /** The `windows` windows from number `position` on, counted over the whole training. */
  batchAt(position: number, windows: number): Batch;
}

/** Whether the windows of a step go on where those of the step before ended, because the model remembers them. */
function readsLanes({ model }: Pick<RunnableExperiment, 'model'>): boolean {
  return model.attention.position === 'xl';
}

/** What training and validation hide: nothing unless the objective is masked. */
function hiddenBy({ model, train }: Pick<RunnableExperiment, 'model' | 'train'>): Hidden {
  return model.objective === 'masked' ? train.masking : null;
}

/** Throws DataError where the text is too short for lanes. */
export function trainingWindows(experiment: RunnableExperiment, tokens: Uint8Array): WindowOrder {
  const { model, train } = experiment;
  if (!readsLanes(experiment)) return new TrainingOrder(tokens, model.context, train.seed, hiddenBy(experiment));
  return new LaneOrder(tokens, model.context, train.seed, train.micro_batch * microbatchesPerStep(experiment));
}

/** How validation cuts a text into windows of `context` tokens, `windows` at a time. */
export interface Cutting {
  readonly context: number;
  readonly windows: number;
  readonly hidden: Hidden;
  /** One window after the other in one lane, so that each sees the one before it; `windows` does not matter then. */
  readonly lane: boolean;
}

/** Evaluation takes as many windows at once as a microbatch has. */
export function cuttingOf(experiment: RunnableExperiment): Cutting {
  const { model, train } = experiment;
  return { context: model.context, windows: train.micro_batch, hidden: hiddenBy(experiment), lane: readsLanes(experiment) };
}

export function validationWindows(text: Uint8Array, { context, windows, hidden, lane }: Cutting): Iterable<Batch> {
  return lane ? laneBatches(text, context) : validationBatches(text, context, windows, hidden);
}
