import type { RunnableExperiment, TrainConfig } from '../config/schema';
import type { Engine } from '../engine/engine';
import { buildLanguageModel } from '../models/languageModel';
import { microbatchesPerStep, sessionOptions } from './prepare';
import { trainingWindows } from './windows';

/** How fast a model was trained. */
export interface MeasuredTraining {
  /** Without those of the first step, which loads and allocates. */
  readonly steps: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

export interface MeasureRequest {
  /** Without its text: how long a step takes does not depend on it. */
  readonly experiment: Pick<RunnableExperiment, 'model' | 'train' | 'engine'>;
  readonly engine: Engine;
  /** For so long, and at least for one step beside the first. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (measured: MeasuredTraining) => void;
  /** Seconds on a clock that only goes forward. */
  readonly now?: () => number;
}

/** Steps that random text is made for: it is read over and over. */
const STEPS_OF_TEXT = 4;

/**
 * Trains a model for a while on random text, writes nothing, and says how fast that was. Throws EngineError, DataError, or the signal's
 * reason.
 */
export async function measureTraining({
  experiment,
  engine,
  seconds,
  signal,
  onStep,
  now = clock,
}: MeasureRequest): Promise<MeasuredTraining> {
  const { model, train } = experiment;
  const runnable: RunnableExperiment = { ...defaults, ...experiment };
  const order = trainingWindows(runnable, randomText(train, model.vocabulary));
  const microbatches = microbatchesPerStep(runnable);
  const session = await engine.compile(buildLanguageModel(runnable), sessionOptions(runnable));
  try {
    let measured = { steps: 0, tokens: 0, seconds: 0, tokensPerSecond: 0 };
    for (let step = 0; measured.steps < 1 || measured.seconds < seconds; step++) {
      signal?.throwIfAborted();
      const first = step * microbatches * train.micro_batch;
      const batches = Array.from({ length: microbatches }, (_, index) =>
        order.batchAt(first + index * train.micro_batch, train.micro_batch),
      );
      const began = now();
      // At the learning rate of the first step, nearly none: random text teaches nothing.
      await session.step(batches, { step: step + 1, learningRate: train.learning_rate / Math.max(1, train.warmup) });
      if (step === 0) continue;
      const tokens = measured.tokens + train.batch_tokens;
      const spent = measured.seconds + now() - began;
      measured = { steps: step, tokens, seconds: spent, tokensPerSecond: tokens / spent };
      onStep?.(measured);
    }
    return measured;
  } finally {
    await session.dispose();
  }
}

function clock(): number {
  return performance.now() / 1000;
}

/** What a step does not depend on. */
const defaults: Pick<RunnableExperiment, 'data' | 'evaluate' | 'checkpoint'> = {
  data: { tokenizer: 'bytes', train: [], validation: {} },
  evaluate: { every: 1 },
  checkpoint: { every: 1, keep: 1 },
};

function randomText({ batch_tokens: tokens, seed }: TrainConfig, vocabulary: number): Uint8Array {
  const text = new Uint8Array(STEPS_OF_TEXT * tokens + 1);
  const different = Math.min(256, vocabulary);
  let state = seed >>> 0;
  for (let at = 0; at < text.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text[at] = Math.floor((state / 2 ** 32) * different);
  }
  return text;
}
