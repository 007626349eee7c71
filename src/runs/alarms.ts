import type { ExpertFrame, IdleExperts, MetricsLine, RunDescription } from './format';
import { idleExperts, idleExpertsSteps } from './idleExperts';
import { fromJsonNumber } from './jsonNumber';
import { layerName } from './layerName';

/** What goes wrong in a run without ending it. */
export type AlarmName = 'drop-rate' | 'gradient-norm' | 'collapsed-experts';

/** As short as a list has room for. */
export const alarmTitles: Readonly<Record<AlarmName, string>> = {
  'drop-rate': 'drops many choices',
  'gradient-norm': 'gradient norm high',
  'collapsed-experts': 'experts collapsed',
};

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
/** Half of the experts of a layer are idle. */
const collapsedShare = 0.5;
/** Routers that have only begun to learn send most to a few experts. */
const settledSteps = 100;

/** Alarms of the metrics, line by line. */
export class MetricAlarms {
  private readonly drops: number[] = [];
  private readonly norms: number[] = [];
  private least = Number.POSITIVE_INFINITY;
  private newest = -1;
  private idle: { readonly step: number; readonly experts: IdleExperts } | undefined;

  /** Of the newest step that was noted; -1 before the first. */
  get step(): number {
    return this.newest;
  }

  /** Whether the lines say how many experts are idle: those of before 0.2.0 do not, nor those of the first steps. */
  get knowsIdleExperts(): boolean {
    return this.idle !== undefined;
  }

  /** Lines of training by ascending step; one that is not newer is passed over, as are those of validation. */
  note({ step, train, gradientNorm }: MetricsLine): void {
    if (train === undefined || step <= this.newest) return;
    this.newest = step;
    if (train.dropRate !== undefined) push(this.drops, fromJsonNumber(train.dropRate));
    if (train.idleExperts !== undefined) this.idle = { step, experts: train.idleExperts };
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
    const collapse = this.idle && collapseAlarm(this.idle.step, this.idle.experts);
    return collapse === undefined ? alarms : [...alarms, collapse];
  }
}

/** An alarm where half of the experts of a layer or more were idle at `step`, once routers have had time to learn. */
function collapseAlarm(step: number, { layer, experts, idle, steps }: IdleExperts): Alarm | undefined {
  if (step < settledSteps || idle / experts < collapsedShare) return undefined;
  const message = `${idle} of the ${experts} experts of ${layerName(layer)} got less than a tenth of an even share, over ${steps} steps up to step ${step}.`;
  return { name: 'collapsed-experts', message, figure: idle / experts };
}

/** The alarm of collapsed experts where only experts.bin tells of it: in runs of before 0.2.0. */
export function collapseOfFrames(
  { routedLayers, totalSteps }: Pick<RunDescription, 'routedLayers' | 'totalSteps'>,
  frames: readonly ExpertFrame[],
): Alarm | undefined {
  const last = frames.at(-1)?.step ?? 0;
  const steps = Math.min(last, idleExpertsSteps(totalSteps));
  const idle = idleExperts(
    routedLayers,
    frames.filter(({ step }) => step > last - steps),
    steps,
  );
  return idle && collapseAlarm(last, idle);
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
