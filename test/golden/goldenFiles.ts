import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { experimentSchema } from '../../src/config/schema';
import type { Batch, SessionOptions } from '../../src/engine/engine';
import type { Program } from '../../src/graph/program';
import { buildLanguageModel } from '../../src/models/languageModel';
import type { Schedule } from '../../src/training/schedule';

/** What `make_golden.py` writes; numbers are float64 to 13 digits. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export type GoldenTensors = Readonly<Record<string, GoldenTensor>>;

/** One mechanism: the loss is the sum of every output times its cotangent, and gradients are those of that loss. */
export interface MechanismCase {
  readonly name: string;
  /** The `model` of an experiment config. */
  readonly model: unknown;
  /** With a cached chunk, the input `memory`: 1 for a window that does not see its own. */
  readonly resets?: GoldenTensor;
  readonly inputs: GoldenTensors;
  readonly cotangents: GoldenTensors;
  readonly outputs: GoldenTensors;
  readonly gradients: GoldenTensors;
}

export interface GoldenBatch {
  readonly tokens: GoldenTensor;
  readonly targets: GoldenTensor;
  /** Where attention remembers: 1 for a window that does not go on where the one before it in its lane ended. */
  readonly resets?: GoldenTensor;
}

/** Each expert that a layer retrieved, how often, and the sum of its weights. */
export interface GoldenRetrieval {
  readonly experts: GoldenTensor;
  readonly counts: GoldenTensor;
  readonly weights: GoldenTensor;
}

/** Who was chosen, summed over the microbatches of a step. */
export interface GoldenUse {
  /** Per selection of experts, in the order of the layers. */
  readonly expertCounts: readonly GoldenTensor[];
  /** Likewise how many units took at least 1, 2, ... experts, null where every unit takes k; absent where all do. */
  readonly taken?: readonly (GoldenTensor | null)[];
  /** Per layer that retrieves by product keys; absent where none does. */
  readonly retrievals?: readonly GoldenRetrieval[];
}

/** Figures before the update; null where the model has no such figure. */
export interface GoldenStep extends GoldenUse {
  readonly learningRate: number;
  readonly microbatches: readonly GoldenBatch[];
  readonly loss: number;
  readonly crossEntropy: number;
  readonly balance: number | null;
  readonly zLoss: number | null;
  readonly dropRate: number | null;
  /** Before clipping. */
  readonly gradientNorm: number;
}

/** One batch in evaluation mode. */
export interface GoldenEvaluation extends GoldenUse {
  readonly batch: GoldenBatch;
  readonly negativeLogLikelihood: number;
  readonly dropRate: number | null;
}

/**
 * A whole language model: some optimiser steps, then evaluation. No steps where training is random. Buffers of lanes are [microbatches,
 * ...].
 */
export interface ModelCase {
  readonly name: string;
  readonly model: unknown;
  readonly train: Schedule;
  readonly weights: GoldenTensors;
  readonly buffers: GoldenTensors;
  /** Of the first microbatch of the first step. */
  readonly logits: GoldenTensor | null;
  /** Of the first step, averaged over its microbatches. */
  readonly gradients: GoldenTensors;
  readonly steps: readonly GoldenStep[];
  /** After the last step. */
  readonly after: GoldenTensors;
  readonly buffersAfter: GoldenTensors;
  readonly evaluation: GoldenEvaluation;
  /** Batches that go on where those before them ended, where attention remembers. */
  readonly laterEvaluations?: readonly GoldenEvaluation[];
}

/** A schedule and its learning rate at steps 1 to `steps`. */
export type ScheduleCase = Schedule & { readonly rates: readonly number[] };

const read = (file: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));

export const mechanismCases = read('mechanisms.json') as readonly MechanismCase[];
export const scheduleCases = read('schedules.json') as readonly ScheduleCase[];
export const modelCases = readdirSync(import.meta.dirname)
  .filter((file) => /^model-.*\.json$/.test(file))
  .map((file) => read(file) as ModelCase);

/** Windows and tokens of every golden batch. */
export const bindings = { batch: 2, time: 5 };

export function batchOf({ tokens, targets, resets }: GoldenBatch): Batch {
  const windows = { ...bindings, tokens: Int32Array.from(tokens.data), targets: Int32Array.from(targets.data) };
  return resets === undefined ? windows : { ...windows, resets: Int32Array.from(resets.data) };
}

/** One where the case has no steps. */
export function microbatchesOf({ steps }: ModelCase): number {
  return steps[0]?.microbatches.length ?? 1;
}

export function evaluationsOf({ evaluation, laterEvaluations = [] }: ModelCase): readonly GoldenEvaluation[] {
  return [evaluation, ...laterEvaluations];
}

export function sessionOptions(golden: ModelCase): SessionOptions {
  return { ...bindings, microbatches: microbatchesOf(golden), seed: 1, threads: 1 };
}

export function modelProgram({ model, train }: ModelCase): Program {
  return buildLanguageModel(experimentSchema.parse({ model, train }));
}
