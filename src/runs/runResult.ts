import { collapseOfFrames, MetricAlarms, type Alarm } from './alarms';
import type { ExpertFrame, JsonNumber, MetricsLine, RunDescription } from './format';
import { fromJsonNumber } from './jsonNumber';
import { observe, thisHost, type Here, type ObservedState } from './liveness';
import { readDescription, readStatusOrLost } from './readRun';
import { runMacsAtMeanK } from './runMacsAtMeanK';
import { readExperts, readMetrics, readSketches, start } from './runReader';
import { UsageEver } from './usageEver';

/** The figures of one run that are compared with other runs'. */
export interface RunResult {
  readonly directory: string;
  readonly description: RunDescription;
  readonly state: ObservedState;
  readonly step: number;
  /** Seconds of training. */
  readonly seconds: number;
  /** Median over the steps; null before the first. */
  readonly tokensPerSecond: number | null;
  /** exp(cross-entropy) of the last step's batch. */
  readonly trainPerplexity: number | null;
  /** Of the last validation, per set. */
  readonly validation: Readonly<
    Record<
      string,
      {
        readonly perplexity: number;
        readonly bitsPerByte: number | null;
        readonly dropRate: number | null;
        readonly meanK: number | null;
        readonly expertUsage: number | null;
        readonly unevenness: number | null;
      }
    >
  >;
  /**
   * Coefficient of variation of the experts' shares of routed units over the last tenth of the steps, mean over routed layers; 0 is perfect
   * balance.
   */
  readonly loadVariation: number | null;
  /** Share of assignments dropped for capacity in training, mean over the last tenth of the steps; null without capacity. */
  readonly dropRate: number | null;
  /** Experts per unit in training, mean over the last tenth of the steps; null where K is the same for all. */
  readonly meanK: number | null;
  /** The share of the units that took 1, 2, ... experts, over the same steps. */
  readonly kShares: readonly number[] | null;
  /** MACs per token at that mean K; `description.macsPerToken` is at the K that the config states. */
  readonly macsAtMeanK: number | null;
  /** Share of the retrieved experts that were ever used in training, mean over the retrievals; null without one. */
  readonly usedEver: number | null;
  /** What goes wrong in it without having ended it, or went wrong when it ended. */
  readonly alarms: readonly Alarm[];
}

/** Reads a run whole; undefined if `directory` holds none. */
export async function readRunResult(directory: string, here: Here = thisHost(), now: number = Date.now()): Promise<RunResult | undefined> {
  const description = await readDescription(directory);
  const status = description && (await readStatusOrLost(directory, description));
  if (description === undefined || status === undefined) return undefined;
  const { records: lines } = await readMetrics(directory, start);
  const { records: frames } = await readExperts(directory, start);
  const steps = lines.filter((line) => line.train !== undefined);
  const lastStep = steps.at(-1);
  const sets = lines.findLast((line) => line.validation !== undefined)?.validation ?? {};
  const isLate = ({ step }: { readonly step: number }) => step > 0.9 * (lastStep?.step ?? 0);
  const late = steps.filter(isLate).flatMap((line) => line.train ?? []);
  const meanK = mean(late.flatMap((train) => numberOrNull(train.meanK) ?? []));
  const layers = description.routedLayers.map((_, layer) =>
    frames.filter((frame) => frame.layer === layer && isLate(frame)).map((frame) => frame.counts),
  );
  return {
    directory,
    description,
    state: observe(status, here, now),
    step: status.step,
    seconds: lines.at(-1)?.time ?? 0,
    tokensPerSecond: median(steps.flatMap((line) => line.tokensPerSecond ?? [])),
    trainPerplexity: lastStep?.train === undefined ? null : Math.exp(fromJsonNumber(lastStep.train.crossEntropy)),
    validation: Object.fromEntries(
      Object.entries(sets).map(([name, { perplexity, ...others }]) => [
        name,
        {
          perplexity: fromJsonNumber(perplexity),
          bitsPerByte: numberOrNull(others.bitsPerByte),
          dropRate: numberOrNull(others.dropRate),
          meanK: numberOrNull(others.meanK),
          expertUsage: numberOrNull(others.expertUsage),
          unevenness: numberOrNull(others.unevenness),
        },
      ]),
    ),
    loadVariation: mean(layers.flatMap((counts) => variation(total(counts)) ?? [])),
    dropRate: mean(late.flatMap((train) => numberOrNull(train.dropRate) ?? [])),
    meanK,
    kShares: meanShares(late.flatMap((train) => (train.kShares === undefined ? [] : [train.kShares]))),
    macsAtMeanK: runMacsAtMeanK(description, meanK),
    usedEver: await readUsedEver(directory, description),
    alarms: alarmsOf(description, lines, frames),
  };
}

function alarmsOf(description: RunDescription, lines: readonly MetricsLine[], frames: readonly ExpertFrame[]): readonly Alarm[] {
  const metrics = new MetricAlarms();
  for (const line of lines) metrics.note(line);
  if (metrics.knowsIdleExperts) return metrics.alarms;
  const collapse = collapseOfFrames(description, frames);
  return collapse === undefined ? metrics.alarms : [...metrics.alarms, collapse];
}

function meanShares(steps: readonly (readonly number[])[]): readonly number[] | null {
  const most = Math.max(0, ...steps.map((shares) => shares.length));
  if (most === 0) return null;
  return Array.from({ length: most }, (_, index) => mean(steps.map((shares) => shares[index] ?? 0)) ?? 0);
}

/** Bytes of sketches.bin read at once: a whole one may have a hundred megabytes. */
const pieceBytes = 4 << 20;

async function readUsedEver(directory: string, { retrievals }: RunDescription): Promise<number | null> {
  const ever = retrievals.map(({ experts }) => new UsageEver(experts));
  for (let cursor = start, before = -1; ever.length > 0 && cursor.offset !== before;) {
    before = cursor.offset;
    const increment = await readSketches(directory, cursor, { limit: pieceBytes });
    if (increment.rewindTo !== null) for (const layer of ever) layer.rewind(increment.rewindTo);
    for (const frame of increment.records) ever[frame.layer]?.add(frame);
    cursor = increment.cursor;
  }
  return mean(ever.map(({ used, experts }) => used / experts));
}

function numberOrNull(value: JsonNumber | undefined): number | null {
  return value === undefined ? null : fromJsonNumber(value);
}

function total(frames: readonly Float32Array[]): readonly number[] {
  const sums = Array.from({ length: frames[0]?.length ?? 0 }, () => 0);
  for (const counts of frames) counts.forEach((count, expert) => (sums[expert] = (sums[expert] ?? 0) + count));
  return sums;
}

/** Standard deviation / mean; null where nothing was routed. */
export function variation(counts: readonly number[]): number | null {
  const average = mean(counts);
  if (average === null || average === 0) return null;
  return Math.sqrt(counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length) / average;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
