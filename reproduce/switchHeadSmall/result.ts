import type { TrainedModel } from '../comparison/trainCompared';
import type { PreparedTexts } from '../text';
import type { AttentionFigures } from './cost';
import type { Plan, PlanName } from './plan';

/** What `switchhead-small` writes as `result.json`. Losses in nats per byte; null where a training diverged. */
export interface SwitchHeadResult {
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
  /** Per token, forward, of the whole model. */
  readonly macs: number;
  readonly attention: AttentionFigures;
}
