import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';

/** What the host may ask the engine's thread, and what each request answers. */
export interface ThreadRequests {
  compile: { request: { program: Program; options: SessionOptions }; response: null };
  step: { request: { microbatches: readonly Batch[]; scalars: StepScalars }; response: StepMetrics };
  evaluate: { request: { batch: Batch }; response: EvaluationMetrics };
  /** Starts reading the state from its first tensor. */
  exportStart: { request: null; response: null };
  /** The next tensor, null after the last. */
  exportNext: { request: null; response: StateTensor | null };
  importTensor: { request: { tensor: StateTensor }; response: null };
  dispose: { request: null; response: null };
}

export type ThreadMethod = keyof ThreadRequests;

export type ThreadRequest = {
  [M in ThreadMethod]: { readonly id: number; readonly method: M; readonly payload: ThreadRequests[M]['request'] };
}[ThreadMethod];

/** An error as it crosses threads; advice is null where it was not an EngineError. */
export interface ThreadError {
  readonly message: string;
  readonly advice: string | null;
  readonly stack: string | null;
}

export type ThreadResponse =
  { readonly id: number; readonly result: ThreadRequests[ThreadMethod]['response'] } | { readonly id: number; readonly error: ThreadError };

/** A copy in a buffer of its own, so that it can be transferred: the original may be a view of something larger. */
export function ownBatch(batch: Batch): Batch {
  return { batch: batch.batch, time: batch.time, tokens: batch.tokens.slice(), targets: batch.targets.slice() };
}

export function batchBuffers(batch: Batch): ArrayBuffer[] {
  return [batch.tokens.buffer, batch.targets.buffer] as ArrayBuffer[];
}
