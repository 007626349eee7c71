import { basename } from 'node:path';
import { runCost } from '../../language/runCost';
import type { ModelCount } from '../../models/count';
import { activeIsUpperBound } from '../../runs/activeParameters';
import { collapseOfFrames, MetricAlarms, type Alarm } from '../../runs/alarms';
import type { RunDescription, RunStatus } from '../../runs/format';
import { layerName } from '../../runs/layerName';
import { observe, type Here } from '../../runs/liveness';
import { runMacsAtMeanK } from '../../runs/runMacsAtMeanK';
import { readDescription, readStatus } from '../../runs/readRun';
import { readExperts, readMetrics, readSketches, start, type Cursor } from '../../runs/runReader';
import type { ExpertsFrame, RetrievalFigures, RunKey, RunSummary } from '../panels/dashboard-protocol';
import { notCausalReasons } from '../runs/notCausal';
import { ExpertHistory, type ExpertSlot } from './expertHistory';
import { RunSeries } from './runSeries';
import { SketchHistory } from './sketchHistory';

/** Bytes read at once: a long run is read in pieces, so that memory stays bounded. */
const PIECE = 4 << 20;
/** Bytes of expert counts kept for looking back. */
const HISTORY_BYTES = 64 << 20;

/** Tails one run directory and holds what the dashboard shows of it. Reads only; survives a directory that comes late or goes away. */
export class RunWatch {
  series = new RunSeries();
  experts = new ExpertHistory();
  /** As run.json lists them. */
  retrievals: readonly SketchHistory[] = [];
  private metricsCursor: Cursor = start;
  private expertsCursor: Cursor = start;
  private sketchesCursor: Cursor = start;
  private description: RunDescription | undefined;
  private notCausal: readonly string[] = [];
  private status: RunStatus | undefined;
  private problem: string | null = null;
  private metricAlarms = new MetricAlarms();
  private collapse: { readonly revision: number; readonly alarm: Alarm | undefined } | undefined;
  /** Undefined until run.json has been read, or where its model cannot be counted. */
  cost: ModelCount | undefined;

  constructor(
    readonly run: RunKey,
    private readonly here: Here,
  ) {}

  /** Reads what has been written since the last time. Never throws: what went wrong is in the summary. */
  async poll(): Promise<void> {
    try {
      this.description ??= await this.describe();
      this.status = (await readStatus(this.run)) ?? this.status;
      await this.readMetrics();
      await this.readExperts();
      await this.readSketches();
      this.problem = this.description === undefined ? `There is no readable run.json in ${this.run}; was the run deleted?` : null;
    } catch (error) {
      this.problem = `Reading ${this.run} failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  get name(): string {
    return this.description?.name ?? basename(this.run);
  }

  /** `now`: milliseconds since the epoch. */
  summary(now: number): RunSummary {
    const { description, status } = this;
    const figures = this.series.figures();
    return {
      run: this.run,
      name: this.name,
      state: status === undefined ? 'starting' : observe(status, this.here, now),
      ...figures,
      step: Math.max(figures.step, status?.step ?? 0),
      totalSteps: status?.totalSteps ?? description?.totalSteps ?? 0,
      parameters: {
        ...(description?.parameters ?? { total: 0, active: 0 }),
        activeIsUpperBound: description !== undefined && activeIsUpperBound(description),
      },
      macsPerToken: description?.macsPerToken ?? 0,
      device: description?.engine.device ?? '',
      notCausal: this.notCausal,
      choices:
        description === undefined || figures.choices === null
          ? null
          : { ...figures.choices, macsAtMeanK: runMacsAtMeanK(description, figures.choices.meanK) },
      routedLayers: (description?.routedLayers ?? []).map(({ name, experts, k, heads = null }) => ({
        name: layerName(name),
        experts,
        k,
        // Each head of attention chooses k of its experts.
        varies: heads === null && description?.varyingK !== null,
        heads,
      })),
      retrievals: (description?.retrievals ?? []).map(({ name, experts, k }, layer) => ({
        name: layerName(name),
        experts,
        k,
        steps: this.retrievals[layer]?.range ?? null,
      })),
      expertSteps: this.experts.range,
      failure: status?.failure ? { message: status.failure.message, advice: status.failure.advice, step: status.failure.step } : null,
      alarms: this.alarms().map(({ message }) => message),
      problem: this.problem,
    };
  }

  /** The frame that covers `step`, or the newest, in buffers of its own, to be given away. */
  expertsFrame(step: number | 'latest'): ExpertsFrame | null {
    const slot = step === 'latest' ? this.experts.latest : this.experts.at(step);
    return slot === null ? null : frameOf(this.run, slot);
  }

  /** What the retrieval did in the frame that covers `step`. */
  retrievalFigures(layer: number, step: number): RetrievalFigures | null {
    const figures = this.retrievals[layer]?.figures(step) ?? null;
    return figures === null ? null : { run: this.run, layer, ...figures };
  }

  private alarms(): readonly Alarm[] {
    const { alarms, knowsIdleExperts } = this.metricAlarms;
    const collapse = knowsIdleExperts ? undefined : this.collapseOfFrames();
    return collapse === undefined ? alarms : [...alarms, collapse];
  }

  /** Anew only when there are new frames. */
  private collapseOfFrames(): Alarm | undefined {
    const { revision } = this.experts;
    if (this.collapse?.revision === revision) return this.collapse.alarm;
    const alarm = this.description && collapseOfFrames(this.description, this.experts.frames);
    this.collapse = { revision, alarm };
    return alarm;
  }

  private async describe(): Promise<RunDescription | undefined> {
    const description = await readDescription(this.run);
    this.notCausal = notCausalReasons(description);
    this.cost = description && runCost(description);
    const bytes = (description?.routedLayers ?? []).reduce((sum, layer) => sum + 4 * layer.experts, 0);
    if (bytes > 0) {
      this.experts = new ExpertHistory(Math.max(16, Math.min(512, Math.floor(HISTORY_BYTES / bytes))));
      this.expertsCursor = start;
    }
    this.retrievals = (description?.retrievals ?? []).map(({ experts }) => new SketchHistory(experts));
    this.sketchesCursor = start;
    return description;
  }

  private async readMetrics(): Promise<void> {
    let taken = false;
    for (let offset = -1; this.metricsCursor.offset !== offset;) {
      offset = this.metricsCursor.offset;
      const { cursor, rewindTo, records } = await readMetrics(this.run, this.metricsCursor, { limit: PIECE });
      this.metricsCursor = cursor;
      if (rewindTo !== null) {
        this.series.rewind(rewindTo);
        taken ||= this.metricAlarms.step > rewindTo;
      }
      for (const line of records) {
        this.series.add(line);
        this.metricAlarms.note(line);
      }
    }
    if (!taken) return;
    // A resume took back lines that the alarms are made of, and those before them were not kept.
    const alarms = new MetricAlarms();
    for (const line of (await readMetrics(this.run, start)).records) alarms.note(line);
    this.metricAlarms = alarms;
  }

  private async readExperts(): Promise<void> {
    for (let offset = -1; this.expertsCursor.offset !== offset;) {
      offset = this.expertsCursor.offset;
      const { cursor, rewindTo, records } = await readExperts(this.run, this.expertsCursor, { limit: PIECE });
      this.expertsCursor = cursor;
      if (rewindTo !== null) this.experts.rewind(rewindTo);
      for (const frame of records) this.experts.add(frame);
    }
  }

  private async readSketches(): Promise<void> {
    for (let offset = -1; this.retrievals.length > 0 && this.sketchesCursor.offset !== offset;) {
      offset = this.sketchesCursor.offset;
      const { cursor, rewindTo, records } = await readSketches(this.run, this.sketchesCursor, { limit: PIECE });
      this.sketchesCursor = cursor;
      if (rewindTo !== null) for (const history of this.retrievals) history.rewind(rewindTo);
      for (const frame of records) this.retrievals[frame.layer]?.add(frame);
    }
  }
}

function frameOf(run: RunKey, slot: ExpertSlot): ExpertsFrame {
  const layers = [...slot.layers].sort(([a], [b]) => a - b);
  return {
    run,
    fromStep: slot.fromStep,
    step: slot.step,
    layers: layers.map(([layer, counts]) => ({ layer, counts: new Float32Array(counts).buffer })),
  };
}
