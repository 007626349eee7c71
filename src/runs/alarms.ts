import type { ExpertFrame, MetricsLine, RunDescription } from './format';
import { fromJsonNumber } from './jsonNumber';

/** What goes wrong in a run without ending it. */
export type AlarmName = 'drop-rate' | 'gradient-norm' | 'collapsed-experts';

export interface Alarm {
  readonly name: AlarmName;
  /** With its figures, in one sentence. */
  readonly message: string;
  /** The share of dropped choices, the gradient norm, or the share of experts that hardly get anything. */
  readonly figure: number;
}

/** Logged steps that a figure is averaged over, and that there must be before anything is said. */
const recentLines = 20;
/** A fifth of the choices dropped: tokens pass such a layer with little of it. Switch (2101.03961) stays below a hundredth. */
const highDropRate = 0.2;
/** So many times the least that the norm has been, and the norm that it is clipped to: steps follow noise. */
const muchHigher = 10;
/** Experts with less than a tenth of an even share, in half of a layer. */
const hardlyUsed = 0.1;
const collapsedShare = 0.5;
/** Routers that have only begun to learn send most to a few experts. */
const settledSteps = 100;

/** Alarms of the metrics, line by line. */
export class MetricAlarms {
  private readonly drops: number[] = [];
  private readonly norms: number[] = [];
  private least = Number.POSITIVE_INFINITY;

  note({ train, gradientNorm }: MetricsLine): void {
    if (train?.dropRate !== undefined) push(this.drops, fromJsonNumber(train.dropRate));
    if (gradientNorm === undefined) return;
    push(this.norms, fromJsonNumber(gradientNorm));
    if (this.norms.length === recentLines) this.least = Math.min(this.least, mean(this.norms));
  }

  get alarms(): readonly Alarm[] {
    const alarms: Alarm[] = [];
    const dropRate = mean(this.drops);
    if (this.drops.length === recentLines && dropRate > highDropRate) {
      const message = `${percent(dropRate)} of the choices of experts are dropped for capacity, mean over the last ${recentLines} logged steps.`;
      alarms.push({ name: 'drop-rate', message, figure: dropRate });
    }
    const norm = mean(this.norms);
    if (this.norms.length === recentLines && norm > muchHigher * this.least && norm > muchHigher) {
      const message = `The gradient norm is ${norm.toPrecision(3)}, mean over the last ${recentLines} logged steps; it has been ${this.least.toPrecision(3)}.`;
      alarms.push({ name: 'gradient-norm', message, figure: norm });
    }
    return alarms;
  }
}

/** An alarm where half of the experts of a routed layer hardly get anything, over the last tenth of the steps; of several layers the worst. */
export function collapseAlarm(
  { routedLayers }: Pick<RunDescription, 'routedLayers'>,
  frames: readonly Pick<ExpertFrame, 'step' | 'layer' | 'counts'>[],
): Alarm | undefined {
  const last = frames.at(-1)?.step ?? 0;
  if (last < settledSteps) return undefined;
  const late = frames.filter(({ step }) => step > 0.9 * last);
  const shares = routedLayers.map(({ name, experts }, layer) => {
    const counts = new Float64Array(experts);
    for (const frame of late)
      if (frame.layer === layer) frame.counts.forEach((count, expert) => (counts[expert] = (counts[expert] ?? 0) + count));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const idle = total === 0 ? 0 : counts.filter((count) => count < (hardlyUsed * total) / experts).length;
    return { name, experts, idle, share: idle / experts };
  });
  const worst = shares.toSorted((one, other) => other.share - one.share)[0];
  if (worst === undefined || worst.share < collapsedShare) return undefined;
  const message = `${worst.idle} of the ${worst.experts} experts of ${worst.name} get less than a tenth of an even share, over the last tenth of the steps.`;
  return { name: 'collapsed-experts', message, figure: worst.share };
}

function push(recent: number[], value: number): void {
  recent.push(value);
  if (recent.length > recentLines) recent.shift();
}

/** 0 of none. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
