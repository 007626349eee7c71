import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Device, DeviceReport } from '../engine/engine';
import type { RunDescription, RunStatus } from '../runs/format';
import { readStatus } from '../runs/readRun';
import { runFiles } from '../runs/runFiles';
import { writeStatus } from '../runs/runWriter';
import { createRun, loadExperiment, type ExperimentSource } from './createRun';
import { checkDevice, launchAdvice } from './deviceCheck';
import { inspectDataInThread } from './dataThread/dataThreadHost';
import { errorLine } from './errorLine';
import { launchLadder, workerEnvironment, type Rung } from './ladder';
import { climb, type ProbedLadder } from './probe';
import { checkRoom, checkRoomToResume } from './preflight';
import { failureOf, LaunchError } from './runFailure';
import { resumable, takeUp } from './takeUp';

export interface LaunchOptions {
  /** The folder with worker.js, engineThread.js, dataThread.js and probe.js: `dist/`. */
  readonly bundleFolder: string;
  /** The setting moeLab.nodePath; empty for none. */
  readonly nodePath?: string;
  /** Gives up waiting for the worker to be under way; the worker itself goes on. */
  readonly signal?: AbortSignal;
  /** Told what else may go wrong with a run that is about to start or go on: that memory or disk are tight. */
  readonly onWarning?: (message: string) => void;
}

export interface StartOptions extends LaunchOptions, ExperimentSource {
  readonly runsDirectory: string;
}

/** A run whose worker is under way, or already done. */
export interface LaunchedRun {
  readonly run: string;
  readonly description: RunDescription;
  readonly status: RunStatus;
}

/**
 * Starts an experiment in a worker of its own, which goes on when this process ends. Resolves once it trains. Throws ConfigRejected, DataError,
 * RunStorageError or LaunchError; from the moment there is a run directory its status says the same.
 */
export async function startRun(options: StartOptions): Promise<LaunchedRun> {
  const loaded = loadExperiment(options);
  const data = await inspectDataInThread(join(options.bundleFolder, 'dataThread.js'), loaded, options.signal);
  checkRoom(loaded, data, options.runsDirectory, options.onWarning ?? (() => undefined));
  const { rung, report } = await chooseRung(options, loaded.experiment.engine.device);
  await checkDevice(loaded.experiment, { ...options, rung });
  const { run, description } = await createRun(loaded, data, options.runsDirectory, report);
  return launch(run, description, rung, options);
}

/** Takes up a run that was stopped, failed or lost, from its newest checkpoint. Throws LaunchError. */
export async function resumeRun(run: string, options: LaunchOptions): Promise<LaunchedRun> {
  const { description } = await resumable(run);
  await checkRoomToResume(run, description, options.onWarning ?? (() => undefined));
  const { rung, report } = await chooseRung(options, description.engine.device);
  return launch(run, await takeUp(run, report), rung, options);
}

/** Whether a worker could train on `device`: one tiny step of it, in a process of its own. */
export async function probeDevice(device: Device, options: Pick<LaunchOptions, 'bundleFolder' | 'nodePath'>): Promise<DeviceReport> {
  const { chosen, report } = await tryRungs(options, device);
  const detail = report.map(({ executable, reason }) => (chosen === undefined ? `${executable}: ${reason}` : reason));
  return { device, available: chosen !== undefined, detail: (chosen === undefined ? detail.join('; ') : detail.at(-1)) ?? '' };
}

function tryRungs(
  { bundleFolder, nodePath = '' }: Pick<LaunchOptions, 'bundleFolder' | 'nodePath'>,
  device: string,
): Promise<ProbedLadder> {
  const rungs = launchLadder({
    platform: process.platform,
    nodePath,
    environment: process.env,
    execPath: process.execPath,
    isElectron: process.versions['electron'] !== undefined,
    exists: isExecutable,
  });
  return climb(rungs, join(bundleFolder, 'probe.js'), device);
}

/** The first Node that can train on a device. Throws LaunchError where none can. */
export async function chooseRung(
  options: LaunchOptions,
  device: string,
): Promise<{ readonly rung: Rung; readonly report: RunDescription['launch'] }> {
  const { chosen, noAdapter, report } = await tryRungs(options, device);
  if (noAdapter !== null) throw new LaunchError(noAdapter.message, noAdapter.advice);
  if (chosen === undefined) {
    const reasons = report.map(({ executable, reason }) => `${executable}: ${reason}`).join('\n');
    throw new LaunchError(`No Node on this machine can train on ${device}.\n${reasons}`, launchAdvice(device));
  }
  return { rung: chosen, report };
}

async function launch(run: string, description: RunDescription, rung: Rung, options: LaunchOptions): Promise<LaunchedRun> {
  const log = openSync(runFiles.log(run), 'a');
  let child: ChildProcess;
  try {
    child = spawn(rung.executable, [join(options.bundleFolder, 'worker.js'), run], {
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

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
