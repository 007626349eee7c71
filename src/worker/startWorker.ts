import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunDescription, RunStatus } from '../runs/format';
import { readStatus } from '../runs/readRun';
import { runFiles } from '../runs/runFiles';
import { writeStatus } from '../runs/runWriter';
import type { NodeOptions } from './chooseNode';
import { errorLine } from './errorLine';
import { workerEnvironment, type Rung } from './ladder';
import { failureOf, LaunchError } from './runFailure';

export interface LaunchOptions extends NodeOptions {
  /** Gives up waiting for the worker to be under way; the worker itself goes on. */
  readonly signal?: AbortSignal;
  /** Told what else may go wrong with a run that is about to start or go on: that memory or disk are tight. */
  readonly onWarning?: (message: string) => void;
}

/** A run whose worker is under way, or already done. */
export interface LaunchedRun {
  readonly run: string;
  readonly description: RunDescription;
  readonly status: RunStatus;
}

/**
 * Starts the worker of a run that is in this process's hands. Resolves once it trains. Throws LaunchError; the run's status says the same.
 */
export async function startWorker(run: string, description: RunDescription, rung: Rung, options: LaunchOptions): Promise<LaunchedRun> {
  const log = openSync(runFiles.log(run), 'a');
  let child: ChildProcess;
  try {
    child = spawn(rung.executable, workerArguments(run, options), {
      cwd: run,
      detached: true,
      windowsHide: true,
      env: workerEnvironment(process.env, rung.environment),
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
  child.unref();
  try {
    const status = await untilStarted(run, child, options.signal);
    if (status.state !== 'failed') return { run, description, status };
    throw new LaunchError(status.failure?.message ?? 'The run failed.', status.failure?.advice ?? '', run);
  } catch (error) {
    // A worker that ended without a word: nobody else will say so.
    const status = await readStatus(run);
    if (status?.state === 'starting' && options.signal?.aborted !== true)
      writeStatus(run, { ...status, state: 'failed', failure: failureOf(error, status.step) });
    throw error;
  }
}

/**
 * What entry.ts takes: where the members that follow look for their Node is not for the run directory to say, which may come from anywhere.
 */
function workerArguments(run: string, { bundleFolder, nodePath = '' }: NodeOptions): string[] {
  return [join(bundleFolder, 'worker.js'), run, ...(nodePath === '' ? [] : [nodePath])];
}

const pollMilliseconds = 50;

async function untilStarted(run: string, child: ChildProcess, signal: AbortSignal | undefined): Promise<RunStatus> {
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, by) => (ended = by === null ? `it ended with code ${code}` : `it was ended by ${by}`));
  for (;;) {
    signal?.throwIfAborted();
    // Asked before the status is read: what it wrote before it ended counts.
    const last = ended;
    const status = await readStatus(run);
    if (status !== undefined && status.state !== 'starting') return status;
    if (last !== undefined) {
      const words = [last, lastWords(runFiles.log(run))].filter((text) => text !== '').join(': ');
      throw new LaunchError(`The worker could not start: ${words}`, `See ${runFiles.log(run)}.`, run);
    }
    await delay(pollMilliseconds);
  }
}

function lastWords(log: string): string {
  try {
    return errorLine(readFileSync(log, 'utf8'));
  } catch {
    return '';
  }
}
