import { dirname, join } from 'node:path';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { createThreadedEngine } from '../engine/threaded/threadHost';
import type { RunDescription, RunStatus } from '../runs/format';
import { runCausality } from '../runs/runCausality';
import { readRunResult } from '../runs/runResult';
import { createRun } from '../worker/createRun';
import { loadExperiment, type ExperimentSource } from '../worker/loadExperiment';
import { inspectData } from '../worker/inspectData';
import { checkDevice } from '../worker/deviceCheck';
import { heedGpus } from '../worker/deviceMemory';
import { checkRoom, checkRoomToResume } from '../worker/preflight';
import { runnableExperiment } from '../worker/runnableExperiment';
import { handOn } from '../worker/sweepTurns';
import { resumable, takeUp } from '../worker/takeUp';
import { trainRun } from '../worker/trainRun';
import { causalityJson } from './causalityText';
import { exitCode, type CommandContext } from './command';
import { printable, printableLines } from './terminal/printable';
import { endingText, TrainingDisplay } from './terminal/trainingDisplay';

export type ForegroundRequest =
  | ({ readonly kind: 'start'; readonly runsDirectory: string } & Omit<ExperimentSource, 'readText'>)
  | ({ readonly kind: 'resume'; readonly run: string } & Pick<ExperimentSource, 'onWarning'>);

type Surroundings = Pick<CommandContext, 'values' | 'stdout' | 'stderr' | 'signal'>;

/**
 * Trains in this process, as a worker would, with its progress on stdout; what waits behind a run of a sweep then trains by itself.
 * `bundleFolder` holds engineThread.js and worker.js. Resolves with the exit code; errors before the training are thrown.
 */
export async function foregroundRun(request: ForegroundRequest, surroundings: Surroundings, bundleFolder: string): Promise<number> {
  const { run, description } = await openRun(request, bundleFolder);
  const status = await trainInForeground(run, description, surroundings, bundleFolder);
  const { signal, stderr } = surroundings;
  const log = (message: string): void => void stderr.write(printableLines(`moe-lab: ${message}\n`));
  if (signal?.aborted !== true) await handOn(run, status, { bundleFolder, log, ...(signal === undefined ? {} : { signal }) });
  return status.state === 'failed' ? exitCode.findings : exitCode.done;
}

/** A new run directory, or one taken up again, in the hands of this process. */
export async function openRun(
  request: ForegroundRequest,
  bundleFolder: string,
): Promise<{ readonly run: string; readonly description: RunDescription }> {
  const launch = [{ rung: 'foreground', executable: process.execPath, chosen: true, reason: 'trained by the command line itself' }];
  const warn = request.onWarning ?? (() => undefined);
  if (request.kind === 'resume') {
    const { description } = await resumable(request.run);
    await checkRoomToResume(request.run, description, warn);
    const experiment = runnableExperiment(description);
    const gpus = await checkDevice(experiment, { bundleFolder });
    heedGpus(experiment, gpus, { runsDirectory: dirname(request.run), onWarning: warn });
    return { run: request.run, description: await takeUp(request.run, launch) };
  }
  const loaded = loadExperiment({ ...request, readText: readTextFromDisk });
  const data = await inspectData(loaded);
  checkRoom(loaded, data, request.runsDirectory, warn);
  const gpus = await checkDevice(loaded.experiment, { bundleFolder });
  heedGpus(loaded.experiment, gpus, { runsDirectory: request.runsDirectory, onWarning: warn });
  return createRun(loaded, data, request.runsDirectory, launch);
}

export async function trainInForeground(
  run: string,
  description: RunDescription,
  { values, stdout, stderr, signal }: Surroundings,
  bundleFolder: string,
): Promise<RunStatus> {
  const json = values['json'] === true;
  const display = new TrainingDisplay({ stdout, description });
  const printLine = (line: object): void => void stdout.write(`${JSON.stringify(line)}\n`);
  const causality = runCausality(description);
  if (!json) stdout.write(`${printable(description.name)}: ${run}\n`);
  if (!json && causality?.causal === false) stdout.write(`${causality.reasons.map(({ reason }) => reason).join(' ')}\n`);
  const device = description.engine.device === 'webgpu' ? 'webgpu' : 'cpu';
  const status = await trainRun({
    run,
    engine: createThreadedEngine(join(bundleFolder, 'engineThread.js'), device),
    listener: json ? { onMetrics: printLine } : display,
    log: () => undefined,
    ...(signal === undefined ? {} : { signal }),
  });
  const { state, step, totalSteps, failure } = status;
  const result = await readRunResult(run);
  if (json) {
    const figures = {
      seconds: result?.seconds ?? 0,
      trainPerplexity: result?.trainPerplexity ?? null,
      validation: result?.validation ?? {},
      alarms: result?.alarms ?? [],
    };
    printLine({ type: 'finished', schemaVersion: 1, run, state, step, totalSteps, failure, ...figures, ...causalityJson(causality) });
  } else {
    display.end();
    stdout.write(`${endingText({ state, step, totalSteps, seconds: result?.seconds ?? 0, causality })}\n`);
  }
  if (failure !== null) stderr.write(printableLines(`moe-lab: ${failure.message}\n  ${failure.advice}\n`));
  else if (state === 'stopped' && !json) stdout.write(`Go on with: moe-lab run --resume ${run}\n`);
  return status;
}
