import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { experimentSchema } from '../../src/config/schema';
import type { Batch } from '../../src/engine/engine';
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
  readonly inputs: GoldenTensors;
  readonly cotangents: GoldenTensors;
  readonly outputs: GoldenTensors;
  readonly gradients: GoldenTensors;
}

export interface GoldenBatch {
  readonly tokens: GoldenTensor;
  readonly targets: GoldenTensor;
}

/** Figures before the update; null where the model has no such figure. */
export interface GoldenStep {
  readonly learningRate: number;
  readonly microbatches: readonly GoldenBatch[];
  readonly loss: number;
  readonly crossEntropy: number;
  readonly balance: number | null;
  readonly zLoss: number | null;
  readonly dropRate: number | null;
  /** Per routed layer, summed over the microbatches. */
  readonly expertCounts: readonly GoldenTensor[];
  /** Before clipping. */
  readonly gradientNorm: number;
}

/** A whole language model: three optimiser steps, then one batch in evaluation mode. No steps where training is random. */
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
  readonly evaluation: {
    readonly batch: GoldenBatch;
    readonly negativeLogLikelihood: number;
    readonly dropRate: number | null;
    readonly expertCounts: readonly GoldenTensor[];
  };
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

export function batchOf({ tokens, targets }: GoldenBatch): Batch {
  return { ...bindings, tokens: Int32Array.from(tokens.data), targets: Int32Array.from(targets.data) };
}

export function modelProgram({ model, train }: ModelCase): Program {
  return buildLanguageModel(experimentSchema.parse({ model, train }));
}
