import { resolve } from 'node:path';
import type { ConfigFinding } from '../config/configFile';
import { DataError } from '../data/dataError';
import { EngineError } from '../engine/engine';
import type { FailureCause, RunFailure } from '../runs/format';
import { RunStorageError } from '../runs/storageError';
import { CheckpointError } from '../training/checkpoint/checkpointError';

/** A config with errors is not run. */
export class ConfigRejected extends Error {
  override readonly name = 'ConfigRejected';
  readonly advice = 'Correct the config and start it again.';
  constructor(
    readonly file: string,
    readonly findings: readonly ConfigFinding[],
  ) {
    const first = findings.find((finding) => finding.severity === 'error');
    super(first === undefined ? `${file} cannot be run.` : `${resolve(first.file)}:${first.range.start.line + 1}: ${first.message}`);
  }
}

/** A run cannot be started, or be taken up again, with what the user can do next. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  constructor(
    message: string,
    readonly advice: string,
    /** The run directory, where one was made: it says the same in its status. */
    readonly run?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Loss or gradient were not finite. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
  readonly advice = 'The last checkpoint is kept. Lower train.learning_rate, lengthen train.warmup or clip more, and start again.';
}

/** What went wrong and what to do next, of an error of any room; a defect of ours keeps its stack in worker.log. */
export function failureOf(error: unknown, step: number): RunFailure {
  if (!(error instanceof Error)) return { message: String(error), advice: unexpected, step, cause: 'defect' };
  const advice = 'advice' in error && typeof error.advice === 'string' ? error.advice : unexpected;
  return { message: error.message, advice, step, cause: causeOf(error, advice) };
}

function causeOf(error: Error, advice: string): FailureCause {
  if (error instanceof Diverged) return 'diverged';
  if (error instanceof RunStorageError) return 'disk';
  if (error instanceof DataError) return 'data';
  if (error instanceof CheckpointError) return 'checkpoint';
  // Of Node, of the runtime, and of a thread that was ended for it; what stands in a text or a path is asked above.
  if (/out of memory|memory limit|allocation failed|failed to allocate|bad_alloc|does not fit on this device/i.test(error.message))
    return 'out-of-memory';
  if (error instanceof LaunchError) return 'worker';
  return error instanceof EngineError && !advice.includes('fault of MoE Lab') ? 'device' : 'defect';
}

const unexpected = 'This is not supposed to happen; worker.log in the run directory has the details.';
