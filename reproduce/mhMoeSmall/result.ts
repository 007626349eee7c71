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

export interface ModelResult {
  readonly name: string;
  readonly parameters: number;
  readonly activeParameters: number;
  readonly activeIsUpperBound: boolean;
  /** Per token, forward, attention over the full context; without routers, and theirs. */
  readonly macs: number;
  readonly routerMacs: number;
  readonly routedParameters: number;
  /** Loss on the tuning text by rate. */
  readonly sweep: readonly { readonly rate: number; readonly loss: number | null }[];
  readonly rate: number;
  /** By seed, on each validation set. */
  readonly seeds: readonly { readonly seed: number; readonly losses: Readonly<Record<string, number>> | null }[];
}
