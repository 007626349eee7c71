import type { TrainedModel } from '../comparison/trainCompared';
import type { PreparedTexts } from '../text';
import type { Plan, PlanName } from './plan';

/** What `mh-moe-small` writes as `result.json`. Losses in nats per byte; null where a training diverged. */
export interface SmallResult {
  readonly schemaVersion: 1;
  readonly size: PlanName;
  readonly plan: Plan;
  readonly texts: PreparedTexts;
  readonly models: readonly ModelResult[];
  /** Sum of the trainings' own times, and how many ran at once. */
  readonly trainingSeconds: number;
  readonly parallel: number;
}

export interface ModelResult extends TrainedModel {
  readonly parameters: number;
  readonly activeParameters: number;
  readonly activeIsUpperBound: boolean;
  /** Per token, forward, attention over the full context; without routers, and theirs. */
  readonly macs: number;
  readonly routerMacs: number;
  readonly routedParameters: number;
}
