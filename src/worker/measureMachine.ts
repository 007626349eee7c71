import { spawn } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Experiment, RunnableExperiment } from '../config/schema';
import { countModel } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';
import { addMeasurement } from '../runs/machineFile';
import { trainedAs, type Measurement } from '../runs/throughput';
import type { MeasuredTraining } from '../training/measure';
import { checkDevice } from './deviceCheck';
import { heedGpus } from './deviceMemory';
import { errorLine } from './errorLine';
import { workerEnvironment, type Rung } from './ladder';
import { chooseRung } from './chooseNode';
import type { LaunchOptions } from './startWorker';
import { machineRoom } from './machineRoom';
import { measureLine, type MeasureLine, type MeasureTask } from './measureProtocol';
import { holdAgainst } from './preflight';
import { LaunchError } from './runFailure';
import { trainingNeeds } from './runNeeds';

export interface MeasureMachineOptions extends LaunchOptions {
  readonly experiment: Experiment;
  /** Where what was measured is kept. */
  readonly runsDirectory: string;
  /** For how long it trains, the start apart. */
  readonly seconds: number;
  readonly onStep?: (measured: MeasuredTraining) => void;
}

/** What was measured, and from how much. */
export interface MachineMeasurement extends MeasuredTraining {
  readonly measurement: Measurement;
}

/**
 * Trains a config for a while in a process of its own, on random text and without a run, and keeps in the runs folder how fast that was.
 * Throws LaunchError, or the signal's reason, upon which the process is ended.
 */
export async function measureMachine(options: MeasureMachineOptions): Promise<MachineMeasurement> {
  const { experiment, runsDirectory, signal } = options;
  const { train } = experiment;
  if (train === undefined) throw new LaunchError('There is no `train:` section: there is nothing to measure.', 'Add a `train:` section.');
  const runnable = { ...experiment, train, data: experiment.data ?? { tokenizer: 'bytes', train: [], validation: {} } } as const;
  const program = buildLanguageModel(experiment);
  checkMemory(runnable, program, runsDirectory, options.onWarning);
  const { device } = experiment.engine;
  const { rung, gpus } = await chooseRung(options, device);
  await checkDevice(runnable, { ...options, rung });
  heedGpus(runnable, gpus, options);
  signal?.throwIfAborted();
  const measured = await inProcess(rung, options);
  const measurement: Measurement = {
    trained: trainedAs(runnable),
    host: hostname(),
    device,
    tokensPerSecond: measured.tokensPerSecond,
    macsPerToken: countModel(program, experiment.model).macsPerToken.total,
    measuredAt: new Date().toISOString(),
  };
  addMeasurement(runsDirectory, measurement);
  return { ...measured, measurement };
}

/** It writes no checkpoints and no series. */
function checkMemory(
  experiment: RunnableExperiment,
  program: ReturnType<typeof buildLanguageModel>,
  runsDirectory: string,
  warn: LaunchOptions['onWarning'],
): void {
  const needs = trainingNeeds(experiment, program);
  if (needs === null) return;
  const disk = { checkpoints: 0, series: 0, total: 0 };
  for (const message of holdAgainst({ ...needs, disk }, machineRoom(runsDirectory), runsDirectory)) warn?.(message);
}

function inProcess(rung: Rung, { bundleFolder, experiment, seconds, signal, onStep }: MeasureMachineOptions): Promise<MeasuredTraining> {
  const child = spawn(rung.executable, [join(bundleFolder, 'measure.js')], {
    windowsHide: true,
    env: workerEnvironment(process.env, rung.environment),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [said, result]: [string, MeasureLine | undefined] = ['', undefined];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-10_000)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const parsed = lineOf(line);
    if (parsed?.kind === 'step') onStep?.(parsed.figures);
    else if (parsed !== undefined) result = parsed;
  });
  // A process that has ended already reads nothing.
  child.stdin.on('error', () => undefined).end(JSON.stringify({ experiment, seconds } satisfies MeasureTask));
  const kill = (): void => void child.kill();
  signal?.addEventListener('abort', kill, { once: true });
  return new Promise<MeasuredTraining>((resolve, reject) => {
    child.once('error', (error) => reject(new LaunchError(`The measurement could not start: ${error.message}`, 'See `moe-lab devices`.')));
    child.once('close', (code) => {
      if (signal?.aborted === true) reject(signal.reason instanceof Error ? signal.reason : new Error('Cancelled.'));
      else if (result?.kind === 'measured') resolve(result.figures);
      else if (result?.kind === 'failed') reject(new LaunchError(result.message, result.advice));
      else
        reject(
          new LaunchError(`The measurement ended with code ${code}${said === '' ? '' : `: ${errorLine(said)}`}`, 'See `moe-lab devices`.'),
        );
    });
  }).finally(() => signal?.removeEventListener('abort', kill));
}

function lineOf(line: string): MeasureLine | undefined {
  try {
    return measureLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
