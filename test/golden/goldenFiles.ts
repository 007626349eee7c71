import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Schedule } from '../../src/training/schedule';

/** What `make_golden.py` writes; numbers are float64 in full precision. */
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

export interface GoldenStep {
  readonly learningRate: number;
  readonly loss: number;
  /** Before clipping. */
  readonly gradientNorm: number;
  /** The parameters after the step. */
  readonly after: GoldenTensors;
}

/** A whole language model: its loss and gradients on the first batch, and one optimiser step on each batch. */
export interface ModelCase {
  readonly name: string;
  readonly model: unknown;
  readonly train: Schedule;
  readonly batches: readonly { readonly tokens: GoldenTensor; readonly targets: GoldenTensor }[];
  readonly weights: GoldenTensors;
  readonly outputs: GoldenTensors;
  readonly gradients: GoldenTensors;
  readonly steps: readonly GoldenStep[];
}

/** A schedule and its learning rate at steps 1 to `steps`. */
export type ScheduleCase = Schedule & { readonly rates: readonly number[] };

const read = (file: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));

export const mechanismCases = read('mechanisms.json') as readonly MechanismCase[];
export const scheduleCases = read('schedules.json') as readonly ScheduleCase[];
export const modelCases = readdirSync(import.meta.dirname)
  .filter((file) => /^model-.*\.json$/.test(file))
  .map((file) => read(file) as ModelCase);
