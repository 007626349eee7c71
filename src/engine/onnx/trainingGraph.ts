import type { Bindings } from '../../graph/dimensions';
import { differentiate } from '../../graph/gradients';
import type { Program } from '../../graph/program';
import type { Batch, Device, SessionOptions } from '../engine';
import { EngineError } from '../engine';
import { lower, type Feed } from './lowering/lower';

/** The graph of one microbatch, forward and backward: model bytes and the names of what comes out. */
export interface TrainingGraph {
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
  readonly loss: string;
  readonly crossEntropy: string;
  readonly balance: string | null;
  /** Per routed layer, float32 [experts]. */
  readonly expertCounts: readonly string[];
  /** Per buffer, its next value. */
  readonly bufferUpdates: readonly string[];
  /** Per parameter: the whole gradient, or one per expert. */
  readonly gradients: readonly (readonly string[])[];
}

/** The forward graph of one evaluation batch. */
export interface EvaluationGraph {
  readonly model: Uint8Array;
  readonly feeds: readonly Feed[];
  readonly negativeLogLikelihood: string;
  readonly expertCounts: readonly string[];
}

export function trainingGraph(program: Program, device: Device, bindings: Bindings): TrainingGraph {
  const { outputs, routedLayers, buffers } = program;
  const differentiated = differentiate(program);
  const scalars = outputs.balance === null ? [outputs.loss, outputs.crossEntropy] : [outputs.loss, outputs.crossEntropy, outputs.balance];
  const counts = routedLayers.map((layer) => layer.counts);
  const updates = buffers.map((buffer) => buffer.update);
  const lowered = lower(differentiated.program, {
    device,
    bindings,
    wanted: [...scalars, ...counts, ...updates, ...differentiated.gradients],
  });
  const names = lowered.outputs;
  const first = (index: number): string => names[index]?.[0] ?? '';
  const countsAt = scalars.length;
  const updatesAt = countsAt + counts.length;
  return {
    model: lowered.model,
    feeds: lowered.feeds,
    loss: first(0),
    crossEntropy: first(1),
    balance: outputs.balance === null ? null : first(2),
    expertCounts: counts.map((_, index) => first(countsAt + index)),
    bufferUpdates: updates.map((_, index) => first(updatesAt + index)),
    gradients: names.slice(updatesAt + updates.length),
  };
}

export function evaluationGraph(program: Program, device: Device, bindings: Bindings): EvaluationGraph {
  const wanted = [program.outputs.negativeLogLikelihood, ...program.routedLayers.map((layer) => layer.counts)];
  const { model, feeds, outputs } = lower(program, { device, bindings, wanted });
  const [negativeLogLikelihood = '', ...expertCounts] = outputs.map((names) => names[0] ?? '');
  return { model, feeds, negativeLogLikelihood, expertCounts };
}

/** The batch's data for a program input, which is either `tokens` or `targets`. */
export function inputData(batch: Batch, name: string): Int32Array {
  if (name === 'tokens') return batch.tokens;
  if (name === 'targets') return batch.targets;
  throw new EngineError(
    `The program wants an input "${name}", which a batch does not have.`,
    'Inputs of a program are tokens and targets.',
  );
}

export function checkBatch(batch: Batch): void {
  const size = batch.batch * batch.time;
  if (batch.tokens.length === size && batch.targets.length === size) return;
  throw new EngineError(
    `A batch of ${batch.batch} x ${batch.time} has ${batch.tokens.length} tokens and ${batch.targets.length} targets.`,
    'Give batch x time of each.',
  );
}

/** A session's training graph has static shapes: a microbatch must have the one it was compiled for. */
export function checkMicrobatch(batch: Batch, options: SessionOptions): void {
  checkBatch(batch);
  if (batch.batch === options.batch && batch.time === options.time) return;
  throw new EngineError(
    `A microbatch of ${batch.batch} x ${batch.time} came to a session compiled for ${options.batch} x ${options.time}.`,
    'Compile a session for this shape.',
  );
}
