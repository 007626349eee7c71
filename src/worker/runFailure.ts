import { resolve } from 'node:path';
import type { ConfigFinding } from '../config/configFile';
import type { RunStatus } from '../runs/format';

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

/** What went wrong and what to do next, of an error of any room; a defect of ours keeps its stack in worker.log. */
export function failureOf(error: unknown, step: number): NonNullable<RunStatus['failure']> {
  if (!(error instanceof Error)) return { message: String(error), advice: unexpected, step };
  const advice = 'advice' in error && typeof error.advice === 'string' ? error.advice : unexpected;
  return { message: error.message, advice, step };
}

const unexpected = 'This is not supposed to happen; worker.log in the run directory has the details.';
