import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readTextFromDisk } from '../src/config/readTextFromDisk';
import type { ExperimentInput } from '../src/config/schema';
import type { Engine } from '../src/engine/engine';
import { isLive } from '../src/runs/liveness';
import { readDescription } from '../src/runs/readRun';
import { runFiles } from '../src/runs/runFiles';
import { RunIndex } from '../src/runs/runIndex';
import { readRunResult } from '../src/runs/runResult';
import { createRun } from '../src/worker/createRun';
import { loadExperiment } from '../src/worker/loadExperiment';
import { inspectData } from '../src/worker/inspectData';
import { takeUp } from '../src/worker/takeUp';
import { trainRun } from '../src/worker/trainRun';
import { Interrupted, Problem } from './problem';
import { writeWhereNew } from './writeWhereNew';

/** One training. Its config `<slug>.moe.yaml` lies in the reproduction's folder, its run among the runs there. */
export interface Job {
  readonly slug: string;
  readonly experiment: ExperimentInput;
}

export interface JobResult {
  /** The run's folder. */
  readonly run: string;
  /** Last validation, nats per scored token by set; null where the training diverged. */
  readonly losses: Readonly<Record<string, number>> | null;
  readonly seconds: number;
}

export interface JobOptions {
  /** Configs, text and runs; a reproduction that finds its finished runs here does not train them again. */
  readonly folder: string;
  /** A new engine for each run. */
  readonly engine: () => Engine;
  /** Runs trained at the same time. */
  readonly parallel: number;
  readonly signal?: AbortSignal;
  onProgress?(slug: string, step: number): void;
}

const launch = [{ rung: 'reproduce', executable: process.execPath, chosen: true, reason: 'trained by npm run reproduce itself' }];

/**
 * Trains jobs, some at the same time, in their order; resolves with the results in that order. Throws Interrupted after a signal, with
 * checkpoints written.
 */
export async function runJobs(jobs: readonly Job[], options: JobOptions): Promise<JobResult[]> {
  const results: JobResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < jobs.length; index = next++) {
      const job = jobs[index];
      if (job !== undefined) results[index] = await runJob(job, options);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: options.parallel }, work));
  const failed = lanes.find((lane) => lane.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}

async function runJob(job: Job, { folder, engine, signal, onProgress }: JobOptions): Promise<JobResult> {
  if (signal?.aborted === true) throw new Interrupted('Interrupted.');
  const configFile = join(folder, `${job.slug}.moe.yaml`);
  await mkdir(folder, { recursive: true });
  await writeWhereNew(configFile, stringify(job.experiment));
  const loaded = loadExperiment({ configFile, readText: readTextFromDisk });
  const data = await inspectData(loaded);
  const runs = join(folder, 'runs');
  const known = await findRun(runs, configFile, loaded.source, data);
  if (known !== undefined && known.over) return resultOf(known.directory);
  let run = known?.directory;
  if (run === undefined) run = (await createRun(loaded, data, runs, launch)).run;
  else await takeUp(run, launch);
  const status = await trainRun({
    run,
    engine: engine(),
    log: () => undefined,
    listener: { onMetrics: ({ step }) => onProgress?.(job.slug, step) },
    // A signal of its own: each run listens to it for good.
    ...(signal === undefined ? {} : { signal: AbortSignal.any([signal]) }),
  });
  if (status.state === 'stopped') throw new Interrupted('Interrupted.');
  if (status.state === 'failed' && !isDivergence(status.failure?.message)) {
    throw new Problem(`${job.slug} failed: ${status.failure?.message ?? ''} ${status.failure?.advice ?? ''}`);
  }
  // The state of a finished run is of no further use here, and thirty of them are large.
  await rm(runFiles.checkpoints(run), { recursive: true, force: true });
  return resultOf(run);
}

interface KnownRun {
  readonly directory: string;
  /** Nothing is left to train. */
  readonly over: boolean;
}

/** A run of the very same config on the very same text. */
async function findRun(
  runs: string,
  configFile: string,
  source: string,
  data: readonly { readonly name: string; readonly sha256: string }[],
): Promise<KnownRun | undefined> {
  const fingerprint = (corpora: typeof data) => JSON.stringify(corpora.map(({ name, sha256 }) => [name, sha256]));
  for (const { directory, state, failure } of await new RunIndex(runs).refresh()) {
    const description = await readDescription(directory);
    if (description === undefined || description.configFile !== configFile || description.configSource !== source) continue;
    if (fingerprint(description.data) !== fingerprint(data)) continue;
    if (isLive(state)) throw new Problem(`${directory} is being trained by another process: wait for it or stop it.`);
    return { directory, over: state === 'finished' || (state === 'failed' && isDivergence(failure?.message)) };
  }
  return undefined;
}

function isDivergence(message: string | undefined): boolean {
  return message?.startsWith('Diverged') === true;
}

async function resultOf(run: string): Promise<JobResult> {
  const result = await readRunResult(run);
  if (result === undefined) throw new Problem(`${run} cannot be read: delete it, and start again.`);
  const { state, seconds, validation } = result;
  const losses = Object.fromEntries(Object.entries(validation).map(([set, { perplexity }]) => [set, Math.log(perplexity)]));
  return { run, seconds, losses: state === 'finished' ? losses : null };
}
