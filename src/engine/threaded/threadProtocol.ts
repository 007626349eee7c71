import type { Program } from '../../graph/program';
import type { Batch, EvaluationMetrics, SessionOptions, StateTensor, StepMetrics, StepScalars } from '../engine';

/** What the host may ask the engine's thread, and what each request answers. */
export interface ThreadRequests {
  compile: { request: { program: Program; options: SessionOptions }; response: null };
  step: { request: { microbatches: readonly Batch[]; scalars: StepScalars }; response: StepMetrics };
  evaluate: { request: { batch: Batch }; response: EvaluationMetrics };
  /** Starts reading the state from its first piece. */
  exportStart: { request: null; response: null };
  /** The next piece, null after the last. */
  exportNext: { request: null; response: StateTensor | null };
  /** Starts replacing state by the pieces that follow. */
  importStart: { request: null; response: null };
  /** Answered when the session has taken it, so that one piece is on its way at a time. */
  importPiece: { request: { piece: StateTensor }; response: null };
  /** Answered when all are in their place. */
  importEnd: { request: null; response: null };
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
  const { tokens, targets, resets } = batch;
  const owned = { batch: batch.batch, time: batch.time, tokens: tokens.slice(), targets: targets.slice() };
  return resets === undefined ? owned : { ...owned, resets: resets.slice() };
}

export function batchBuffers(batch: Batch): ArrayBuffer[] {
  const { tokens, targets, resets } = batch;
  return [tokens, targets, ...(resets === undefined ? [] : [resets])].map(({ buffer }) => buffer as ArrayBuffer);
}
