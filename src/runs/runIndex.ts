import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Causality } from '../config/causality';
import { MetricAlarms, type Alarm } from './alarms';
import type { MetricsLine, RunDescription, RunStatus } from './format';
import { fromJsonNumber } from './jsonNumber';
import { isLive, observe, thisHost, type Here, type ObservedState } from './liveness';
import { readDescription, readStatus, readStatusOrLost } from './readRun';
import { runCausality } from './runCausality';
import { runFiles } from './runFiles';
import { readMetrics, start, type Cursor } from './runReader';
import { readSweepQueue, type SweepQueue } from './sweepQueue';
import { sweepSummary, type SweepSummary } from './sweepSummary';

/** One run as a list shows it. Perplexities are exp(nats per token). */
export interface RunSummary {
  readonly directory: string;
  readonly id: string;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly state: ObservedState;
  readonly step: number;
  readonly totalSteps: number;
  readonly failure: RunStatus['failure'];
  /** Where its worker is, or was. */
  readonly host: string;
  /** The worker is on another host: it is controlled by request files. */
  readonly remote: boolean;
  readonly trainPerplexity: number | null;
  readonly validationPerplexity: Readonly<Record<string, number>>;
  readonly tokensPerSecond: number | null;
  /** Whether units take different numbers of experts. */
  readonly varyingK: boolean;
  /** Experts per unit in the newest step; null where K is the same for all. */
  readonly meanK: number | null;
  /** Share of the retrieved experts that the last validation used, mean over its sets; null without retrievals. */
  readonly expertUsage: number | null;
  /** What goes wrong in it by its metrics, without having ended it. */
  readonly alarms: readonly Alarm[];
  /** Whether its perplexities are those of a language model; undefined where this version does not understand its config. */
  readonly causality: Causality | undefined;
  /** The members of its sweep that wait for its end; null where there are none. */
  readonly sweep: SweepSummary | null;
  /** The id of the run for whose end it waited as a member of a sweep. */
  readonly follows: string | null;
}

interface Entry {
  readonly causality: Causality | undefined;
  readonly description: RunDescription;
  readonly status: RunStatus;
  readonly statusStamp: string;
  /** Read when the status has changed, and anew while there is one: it outlives the run, and never comes back. */
  readonly queue: SweepQueue | undefined;
  readonly queueStamp: string;
  cursor: Cursor;
  last: Latest;
  alarms: MetricAlarms;
}

/** The newest of each kind of figure. */
interface Latest {
  train:
    | { readonly step: number; readonly perplexity: number; readonly tokensPerSecond: number | null; readonly meanK: number | null }
    | undefined;
  validation:
    { readonly step: number; readonly perplexity: Readonly<Record<string, number>>; readonly expertUsage: number | null } | undefined;
}

/**
 * The runs of a runs folder. `refresh` is cheap when nothing has changed: it looks at the folder and at the stamp of every
 * status.json, and reads only what is new.
 */
export class RunIndex {
  private readonly entries = new Map<string, Entry>();

  constructor(
    readonly runsDirectory: string,
    private readonly here: Here = thisHost(),
    private readonly clock: () => number = Date.now,
  ) {}

  /** Every run, newest first. */
  async refresh(): Promise<readonly RunSummary[]> {
    const names = await folderNames(this.runsDirectory);
    for (const known of this.entries.keys()) if (!names.includes(known)) this.entries.delete(known);
    for (const name of names) await this.refreshEntry(name);
    const summaries = await Promise.all(
      [...this.entries].map(async ([name, entry]) => {
        const directory = join(this.runsDirectory, name);
        const { entry: latest, summary } = await summariseLatest(directory, entry, this.here, this.clock());
        this.entries.set(name, latest);
        return summary;
      }),
    );
    return summaries.sort((one, other) => compareText(other.createdAt, one.createdAt) || compareText(other.id, one.id));
  }

  private async refreshEntry(name: string): Promise<void> {
    const directory = join(this.runsDirectory, name);
    const entry = await refreshEntry(directory, this.entries.get(name));
    if (entry !== undefined) this.entries.set(name, entry);
  }
}

/** The summary of one run; undefined if `directory` holds none. */
export async function summariseRun(directory: string, here: Here = thisHost(), now: number = Date.now()): Promise<RunSummary | undefined> {
  const entry = await refreshEntry(directory, undefined);
  return entry === undefined ? undefined : (await summariseLatest(directory, entry, here, now)).summary;
}

/**
 * A worker writes how it ended and goes, perhaps after its status was read and before it is looked for: once it is gone, its last word is
 * on disk.
 */
async function summariseLatest(
  directory: string,
  entry: Entry,
  here: Here,
  now: number,
): Promise<{ readonly entry: Entry; readonly summary: RunSummary }> {
  const summary = summarise(directory, entry, here, now);
  if (summary.state !== 'lost') return { entry, summary };
  const latest = (await refreshEntry(directory, entry)) ?? entry;
  return { entry: latest, summary: latest === entry ? summary : summarise(directory, latest, here, now) };
}

function summarise(directory: string, { description, causality, status, queue, last, alarms }: Entry, here: Here, now: number): RunSummary {
  const state = observe(status, here, now);
  return {
    directory,
    // Not the one in run.json: the folder may have been renamed or copied, and this is the name it is found by.
    id: basename(directory),
    name: description.name,
    createdAt: description.createdAt,
    state,
    step: status.step,
    totalSteps: status.totalSteps,
    failure: status.failure,
    host: status.host,
    remote: status.host !== here.host,
    trainPerplexity: last.train?.perplexity ?? null,
    validationPerplexity: last.validation?.perplexity ?? {},
    tokensPerSecond: last.train?.tokensPerSecond ?? null,
    varyingK: description.varyingK !== null,
    meanK: last.train?.meanK ?? null,
    expertUsage: last.validation?.expertUsage ?? null,
    alarms: alarms.alarms,
    causality,
    sweep: queue === undefined ? null : sweepSummary(queue, status, state, here),
    follows: description.sweep?.follows ?? null,
  };
}

/** What is known of a run brought up to date; reads nothing while its status.json is as it was. */
async function refreshEntry(directory: string, known: Entry | undefined): Promise<Entry | undefined> {
  const statusStamp = await fileStamp(runFiles.status(directory));
  if (known?.statusStamp === statusStamp) return known.queueStamp === '' ? known : await withQueue(directory, known);
  const description = known?.description ?? (await readDescription(directory));
  if (description === undefined) return undefined;
  // One that is being replaced at this moment is not garbage for good.
  const status = known === undefined ? await readStatusOrLost(directory, description) : await readStatus(directory);
  if (status === undefined) return known;
  const entry = {
    description,
    causality: known === undefined ? runCausality(description) : known.causality,
    status,
    statusStamp,
    queue: known?.queue,
    queueStamp: known?.queueStamp ?? '',
    cursor: known?.cursor ?? start,
    last: known?.last ?? { train: undefined, validation: undefined },
    alarms: known?.alarms ?? new MetricAlarms(),
  };
  await readLatest(directory, entry);
  return withQueue(directory, entry);
}

async function withQueue(directory: string, entry: Entry): Promise<Entry> {
  const queueStamp = await fileStamp(runFiles.sweep(directory));
  return queueStamp === entry.queueStamp ? entry : { ...entry, queueStamp, queue: await readSweepQueue(directory) };
}

async function readLatest(directory: string, entry: Entry): Promise<void> {
  let increment = await readMetrics(directory, entry.cursor);
  if (increment.rewindTo !== null && isAfter(entry.last, increment.rewindTo)) {
    // What was newest no longer holds, and what came before it was not kept.
    entry.last = { train: undefined, validation: undefined };
    entry.alarms = new MetricAlarms();
    increment = await readMetrics(directory, start);
  }
  entry.cursor = increment.cursor;
  for (const line of increment.records) {
    note(entry.last, line);
    entry.alarms.note(line);
  }
}

function isAfter({ train, validation }: Latest, step: number): boolean {
  return (train?.step ?? -1) > step || (validation?.step ?? -1) > step;
}

function note(last: Latest, line: MetricsLine): void {
  if (line.train !== undefined) {
    const perplexity = Math.exp(fromJsonNumber(line.train.crossEntropy));
    const meanK = line.train.meanK === undefined ? null : fromJsonNumber(line.train.meanK);
    last.train = { step: line.step, perplexity, tokensPerSecond: line.tokensPerSecond ?? null, meanK };
  }
  if (line.validation !== undefined) {
    const perplexity = Object.fromEntries(Object.entries(line.validation).map(([set, values]) => [set, fromJsonNumber(values.perplexity)]));
    const used = Object.values(line.validation).flatMap(({ expertUsage }) =>
      expertUsage === undefined ? [] : [fromJsonNumber(expertUsage)],
    );
    const expertUsage = used.length === 0 ? null : used.reduce((sum, share) => sum + share, 0) / used.length;
    last.validation = { step: line.step, perplexity, expertUsage };
  }
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

async function folderNames(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
}

/** Changes whenever the file is replaced or written. */
async function fileStamp(file: string): Promise<string> {
  try {
    const { mtimeMs, ino, size } = await stat(file);
    return `${mtimeMs}:${ino}:${size}`;
  } catch {
    return '';
  }
}

/** The run is training and must be stopped first. */
export class RunIsLive extends Error {
  override readonly name = 'RunIsLive';
  readonly advice = 'Stop it first.';
}

/** Deletes a run with everything in it. Throws RunIsLive while it is training. */
export async function deleteRun(directory: string, here: Here = thisHost(), now: number = Date.now()): Promise<void> {
  const status = await readStatus(directory);
  if (status !== undefined) {
    const state = observe(status, here, now);
    if (isLive(state)) throw new RunIsLive(`${directory} is ${state} on ${status.host} and was not deleted.`);
  }
  await rm(directory, { recursive: true });
}
