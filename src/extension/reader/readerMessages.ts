import type { DashboardUpdate, DashboardView, ExpertsFrame, RetrievalFigures, RunKey } from '../panels/dashboard-protocol';

/** Messages between the extension host and its reader thread. Both come from one build, so they need no check at run time. */

export type ToReader =
  /** A new webview: the next update is a snapshot. */
  | { readonly type: 'restart' }
  | { readonly type: 'view'; readonly view: DashboardView }
  | { readonly type: 'runs'; readonly runs: readonly RunKey[] }
  /** Nobody looks: read nothing, send nothing. */
  | { readonly type: 'pause' }
  | { readonly type: 'expertsAt'; readonly id: number; readonly run: RunKey; readonly step: number }
  | { readonly type: 'sketchAt'; readonly id: number; readonly run: RunKey; readonly layer: number; readonly step: number };

/** What is answered, under its id. */
export type Question = Extract<ToReader, { readonly id: number }>;

export type FromReader =
  | { readonly type: 'update'; readonly update: DashboardUpdate }
  | { readonly type: 'experts'; readonly id: number; readonly frame: ExpertsFrame | null }
  | { readonly type: 'sketch'; readonly id: number; readonly figures: RetrievalFigures | null };
