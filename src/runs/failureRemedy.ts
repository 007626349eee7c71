import type { ConfigValue } from '../config/remedy';
import type { Experiment } from '../config/schema';
import type { KeyPath } from '../config/yamlTree';
import type { Alarm } from './alarms';
import type { FailureCause, RunFailure } from './format';

/** What is wrong with a run: why it failed, or what goes wrong in it. */
export interface RunTrouble {
  readonly failure: RunFailure | null;
  readonly alarms: readonly Alarm[];
}

/** The key that governs what went wrong, and what to try in its place. */
export interface FailureRemedy {
  /** What went wrong, in the run's own words. */
  readonly reason: string;
  readonly path: KeyPath;
  readonly from: ConfigValue | undefined;
  readonly to: ConfigValue;
  /** Other keys that must follow. */
  readonly alongside: readonly { readonly path: KeyPath; readonly to: ConfigValue }[];
}

/** Undefined where no key of the config governs it: then what the failure advises is all there is. */
export function failureRemedy(experiment: Experiment, { failure, alarms }: RunTrouble): FailureRemedy | undefined {
  if (failure !== null) {
    const change = failure.cause && ofCause[failure.cause](experiment, failure);
    return change && { reason: failure.message, alongside: [], ...change };
  }
  for (const alarm of alarms) {
    const change = ofAlarm[alarm.name](experiment, alarm);
    if (change) return { reason: alarm.message, alongside: [], ...change };
  }
  return undefined;
}

type Change = Pick<FailureRemedy, 'path' | 'from' | 'to'> & Partial<Pick<FailureRemedy, 'alongside'>>;

const ofCause: Readonly<Record<FailureCause, (experiment: Experiment, failure: RunFailure) => Change | undefined>> = {
  diverged: gentlerTraining,
  'out-of-memory': lessMemory,
  disk: ({ checkpoint }, { message }) =>
    /disk is full|quota/.test(message) && checkpoint.keep > 1 ? { path: ['checkpoint', 'keep'], from: checkpoint.keep, to: 1 } : undefined,
  device: ({ engine }) => (engine.device === 'cpu' ? undefined : onCpu(engine)),
  // Of these the config is no cause.
  data: () => undefined,
  checkpoint: () => undefined,
  worker: () => undefined,
  defect: () => undefined,
};

const ofAlarm: Readonly<Record<Alarm['name'], (experiment: Experiment, alarm: Alarm) => Change | undefined>> = {
  'drop-rate': moreCapacity,
  'gradient-norm': gentlerTraining,
  'collapsed-experts': moreBalance,
};

/** Gradients that are never clipped are, first; then a third of the learning rate. */
function gentlerTraining({ train }: Experiment): Change | undefined {
  if (train === undefined) return undefined;
  if (train.clip === 0) return { path: ['train', 'clip'], from: 0, to: 1 };
  const to = Number((train.learning_rate / 3).toPrecision(1));
  const least = train.min_learning_rate > to ? [{ path: ['train', 'min_learning_rate'], to }] : [];
  return { path: ['train', 'learning_rate'], from: train.learning_rate, to, alongside: least };
}

/** Fewer windows at once give the same steps with less memory; what one parameter takes alone only the host has. */
function lessMemory({ train, engine }: Experiment, { message }: RunFailure): Change | undefined {
  if (/does not fit on this device/.test(message)) return engine.device === 'cpu' ? undefined : onCpu(engine);
  if (train === undefined || train.micro_batch === 1) return undefined;
  return { path: ['train', 'micro_batch'], from: train.micro_batch, to: largestProperDivisor(train.micro_batch) };
}

function onCpu({ device }: Experiment['engine']): Change {
  return { path: ['engine', 'device'], from: device, to: 'cpu' };
}

/** So that batch_tokens still divides. */
function largestProperDivisor(whole: number): number {
  for (let divisor = 2; divisor * divisor <= whole; divisor++) if (whole % divisor === 0) return whole / divisor;
  return 1;
}

/**
 * Drops come of experts that are used unevenly: without balancing that is the cause; else there is too little room for what is left of it.
 */
function moreCapacity(experiment: Experiment, { figure }: Alarm): Change | undefined {
  const { moe } = experiment.model;
  const factor = moe?.router.capacity_factor;
  if (moe === undefined || factor === undefined) return undefined;
  if (moe.router.balance === 'none') return moreBalance(experiment);
  const to = Math.min(moe.experts, Math.ceil((4 * factor) / Math.max(0.1, 1 - figure)) / 4);
  return to > factor ? { path: ['model', 'moe', 'router', 'capacity_factor'], from: factor, to } : undefined;
}

/** Beyond this a balance loss rules the training. */
const largestBalanceWeight = 1;

function moreBalance({ model: { moe } }: Experiment): Change | undefined {
  if (moe === undefined || moe.router.frozen || moe.router.select === 'expert_choice') return undefined;
  const { select, balance, balance_weight: weight, bias_rate: rate } = moe.router;
  const router = ['model', 'moe', 'router'];
  if (select === 'top_k_biased') {
    const to = Math.min(1, Number((10 * rate).toPrecision(1)));
    return to > rate ? { path: [...router, 'bias_rate'], from: rate, to } : undefined;
  }
  const usual = 0.01;
  if (balance === 'none') {
    const weighted = weight > 0 ? [] : [{ path: [...router, 'balance_weight'], to: usual }];
    return { path: [...router, 'balance'], from: balance, to: 'gshard_first', alongside: weighted };
  }
  const to = weight === 0 ? usual : Number((10 * weight).toPrecision(1));
  return to <= largestBalanceWeight ? { path: [...router, 'balance_weight'], from: weight, to } : undefined;
}
