import type { Writable } from 'node:stream';
import type { Causality } from '../../config/causality';
import { MetricAlarms, type AlarmName } from '../../runs/alarms';
import type { EventLine, ExpertFrame, MetricsLine, RunDescription, RunStatus, SketchFrame } from '../../runs/format';
import { fromJsonNumber } from '../../runs/jsonNumber';
import { layerName } from '../../runs/layerName';
import { UsageEver } from '../../runs/usageEver';
import type { RunListener } from '../../worker/runRecorder';
import { expertPicture, legend } from './expertPicture';
import { duration, perplexityText } from './figures';
import { retrievalLine, type RetrievalState } from './retrievalLine';
import { meanPerplexity, progressLine } from './progressLine';
import { printable } from './printable';
import { styleFor, type Style } from './style';

export interface DisplayOptions {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly description: Pick<RunDescription, 'totalSteps' | 'routedLayers' | 'retrievals'>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds. */
  readonly clock?: () => number;
}

const redrawMilliseconds = 100;
/** Without a terminal: a line at every validation, and one at every tenth of the run. */
const plainLines = 10;

/**
 * Shows a run that trains in this process: in a terminal one line that is drawn over, elsewhere plain lines; at each validation its
 * perplexities and which experts worked since the last one.
 */
export class TrainingDisplay implements RunListener {
  private readonly style: Style;
  private readonly isTerminal: boolean;
  private readonly counts: number[][];
  private readonly retrievals: RetrievalState[];
  private readonly alarms = new MetricAlarms();
  private alarmed: readonly AlarmName[] = [];
  private latest: MetricsLine | undefined;
  private validationPerplexity: number | null = null;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private lineDrawn = false;
  private explained = false;
  private lastStep: { readonly step: number; readonly time: number } | undefined;
  /** Mean seconds of a step, validations and checkpoints included, over the steps of this display. */
  private origin: { readonly step: number; readonly time: number } | undefined;

  constructor(private readonly options: DisplayOptions) {
    this.isTerminal = options.stdout.isTTY === true;
    this.style = styleFor(this.isTerminal, options.environment ?? process.env);
    this.retrievals = options.description.retrievals.map(({ name, experts }) => ({
      name,
      ever: new UsageEver(experts),
      newest: undefined,
    }));
    this.counts = options.description.routedLayers.map((layer) => Array.from({ length: layer.experts }, () => 0));
  }

  onMetrics(line: MetricsLine): void {
    this.origin ??= { step: line.step, time: line.time };
    this.lastStep = { step: line.step, time: line.time };
    if (line.validation !== undefined) this.showValidation(line.step, line.validation);
    if (line.train === undefined) return;
    this.latest = line;
    this.showAlarms(line);
    if (this.isTerminal) this.redraw();
    else if (this.isTenth(line.step)) this.write(`${this.progress(Number.POSITIVE_INFINITY)}\n`);
  }

  onExperts({ layer, counts }: ExpertFrame): void {
    const sums = this.counts[layer];
    counts.forEach((count, expert) => sums !== undefined && (sums[expert] = (sums[expert] ?? 0) + count));
  }

  onSketch(frame: SketchFrame): void {
    const retrieval = this.retrievals[frame.layer];
    if (retrieval === undefined) return;
    retrieval.ever.add(frame);
    retrieval.newest = frame;
  }

  onEvent({ kind, message }: EventLine): void {
    // How it ends is said by whoever shows the run.
    if (kind === 'checkpoint' || kind === 'finished' || kind === 'stopped' || kind === 'failed') return;
    this.clearLine();
    const { dim, bad } = this.style;
    this.write(`${kind === 'warning' ? bad(printable(message)) : dim(printable(message))}\n`);
  }

  /** Leaves the terminal with the last state of the line. */
  end(): void {
    if (this.isTerminal && this.latest !== undefined) {
      this.drawnAt = Number.NEGATIVE_INFINITY;
      this.redraw();
      this.write('\n');
    }
    this.lineDrawn = false;
  }

  /** Each once, until it is over. */
  private showAlarms(line: MetricsLine): void {
    this.alarms.note(line);
    const { alarms } = this.alarms;
    for (const { name, message } of alarms) {
      if (this.alarmed.includes(name)) continue;
      this.clearLine();
      this.write(`${this.style.bad(printable(`Alarm: ${message}`))}\n`);
    }
    this.alarmed = alarms.map(({ name }) => name);
  }

  private showValidation(step: number, validation: NonNullable<MetricsLine['validation']>): void {
    const perplexities = Object.entries(validation).map(([name, values]) => [name, fromJsonNumber(values.perplexity)] as const);
    this.validationPerplexity = meanPerplexity(perplexities.map(([, perplexity]) => perplexity));
    this.clearLine();
    const { bold, dim } = this.style;
    const figures = perplexities.map(([name, perplexity]) => `${printable(name)} ${bold(perplexityText(perplexity))}`).join('  ');
    const at = `step ${String(step).padStart(String(this.options.description.totalSteps).length)}`;
    this.write(`${at}  validation perplexity  ${figures}\n`);
    const layers = this.options.description.routedLayers.map(({ name, heads = 1 }, layer) => ({
      name: layerName(name),
      counts: this.counts[layer] ?? [],
      heads,
    }));
    if (layers.some(({ counts }) => counts.some((count) => count > 0))) {
      if (!this.explained) this.write(`${dim(`  ${legend}`)}\n`);
      this.explained = true;
      for (const row of expertPicture(layers, Math.max(8, this.columns - 40))) this.write(`  ${row}\n`);
    }
    for (const sums of this.counts) sums.fill(0);
    for (const retrieval of this.retrievals) {
      if (retrieval.newest !== undefined) this.write(`  ${retrievalLine(retrieval)}\n`);
    }
  }

  private get columns(): number {
    return this.options.stdout.columns ?? 100;
  }

  private progress(columns: number): string {
    const train = this.latest?.train;
    return progressLine(
      {
        step: this.latest?.step ?? 0,
        totalSteps: this.options.description.totalSteps,
        trainPerplexity: train === undefined ? null : Math.exp(fromJsonNumber(train.crossEntropy)),
        validationPerplexity: this.validationPerplexity,
        tokensPerSecond: this.latest?.tokensPerSecond ?? null,
        meanK: train?.meanK === undefined ? null : fromJsonNumber(train.meanK),
        remaining: this.remaining(),
      },
      columns,
    );
  }

  private remaining(): number | null {
    const { origin, lastStep } = this;
    if (origin === undefined || lastStep === undefined || lastStep.step === origin.step) return null;
    const perStep = (lastStep.time - origin.time) / (lastStep.step - origin.step);
    return perStep * (this.options.description.totalSteps - lastStep.step);
  }

  private isTenth(step: number): boolean {
    return step % Math.max(1, Math.ceil(this.options.description.totalSteps / plainLines)) === 0;
  }

  private redraw(): void {
    const now = (this.options.clock ?? Date.now)();
    if (now - this.drawnAt < redrawMilliseconds) return;
    this.drawnAt = now;
    this.write(`\r\u001b[K${this.progress(this.columns - 1)}`);
    this.lineDrawn = true;
  }

  private clearLine(): void {
    if (this.lineDrawn) this.write('\r\u001b[K');
    this.lineDrawn = false;
  }

  private write(text: string): void {
    this.options.stdout.write(text);
  }
}

interface Ending extends Pick<RunStatus, 'state' | 'step' | 'totalSteps'> {
  readonly seconds: number;
  readonly causality: Causality | undefined;
}

/** How a run ended, in one line. */
export function endingText({ state, step, totalSteps, seconds, causality }: Ending): string {
  const caveat = causality?.causal === false ? '; not causal: its perplexity cannot be compared with that of a causal model' : '';
  return `${state} at step ${step} of ${totalSteps} after ${duration(seconds)}${caveat}`;
}
