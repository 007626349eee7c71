import * as z from 'zod';
import { parityViewSchema, type ParityView } from './parity-protocol';

/**
 * Every message between the extension host and the dashboard's webview: one union per direction, checked by zod at both ends.
 *
 * The webview says `ready`, then `view` (how wide it is, what it shows); the host answers with an `update` that is a snapshot, and
 * from then on sends updates with only what is new since the last one. Another `view` says that the user looks at something else.
 * A webview that was hidden has lost everything: it says `ready` again and gets a snapshot again, never a queue of updates.
 */

/** Both ends state it when they meet; they talk only if it is equal. */
export const DASHBOARD_PROTOCOL_VERSION = 7;

/** A run is named by the absolute path of its directory. */
export type RunKey = string;

/** What a chart can show. */
export const quantities = [
  'perplexity',
  'learningRate',
  'gradientNorm',
  'balance',
  'zLoss',
  'dropRate',
  'meanK',
  'expertUsage',
  'idleExperts',
  'unevenness',
  'tokensPerSecond',
] as const;
export type Quantity = (typeof quantities)[number];

/**
 * `train`, `trainSmoothed` or `validation.<set>`, which are perplexities; or the name of another quantity, in training, or
 * `<quantity>.<set>`.
 */
export type CurveName = string;

/** Numbers of one point in a curve's buffer: step, seconds of training, tokens, value. */
export const POINT_STRIDE = 4;

/** Rows that the choices of a retrieval are shown in: bands of neighbouring experts, fewer where there are fewer experts. */
export const RETRIEVAL_BANDS = 128;

// ---- webview -> host

export interface DashboardView {
  /** Width of the chart in device pixels: no curve carries more buckets than this. */
  readonly width: number;
  /** Only its curves are wanted. */
  readonly quantity: Quantity;
  /** Training curve: as logged, or its moving average. */
  readonly smoothed: boolean;
  /** Runs whose curves are not wanted now. */
  readonly hidden: readonly RunKey[];
  /** Whose experts the heatmap shows; with `follow`, each newest frame is sent. */
  readonly heatmap: { readonly run: RunKey; readonly follow: boolean } | null;
  /** The retrieval that is shown; with `follow`, its newest frame is sent. */
  readonly retrieval: { readonly run: RunKey; readonly layer: number; readonly follow: boolean } | null;
  /** The shown run that the costs of the others are held against; null where they are not wanted. */
  readonly baseline: RunKey | null;
}

export type DashboardRequest =
  | { readonly kind: 'expertsAt'; readonly run: RunKey; readonly step: number }
  | { readonly kind: 'sketchAt'; readonly run: RunKey; readonly layer: number; readonly step: number }
  | { readonly kind: 'stopRun'; readonly run: RunKey }
  | { readonly kind: 'toggleRun'; readonly run: RunKey }
  | { readonly kind: 'openConfig'; readonly run: RunKey }
  | { readonly kind: 'branchWithFix'; readonly run: RunKey };

export type DashboardToHost =
  | { readonly type: 'ready'; readonly version: number }
  | { readonly type: 'view'; readonly view: DashboardView }
  | { readonly type: 'request'; readonly id: number; readonly request: DashboardRequest }
  | { readonly type: 'cancel'; readonly id: number };

// ---- host -> webview

export type RunStateName = 'starting' | 'running' | 'stopping' | 'finished' | 'stopped' | 'failed' | 'lost';

/** What a run's header shows. Not finite figures are null. */
export interface RunSummary {
  readonly run: RunKey;
  readonly name: string;
  /** `lost`: the status file says running, but the worker has not been heard from. */
  readonly state: RunStateName;
  readonly step: number;
  readonly totalSteps: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly tokensPerSecond: number | null;
  readonly trainPerplexity: number | null;
  readonly validation: readonly {
    readonly name: string;
    readonly step: number;
    readonly perplexity: number | null;
    readonly bitsPerByte: number | null;
  }[];
  /** Active ones are an upper bound where sub-tokens of a token may share an expert. */
  readonly parameters: { readonly total: number; readonly active: number; readonly activeIsUpperBound: boolean };
  /** Forward multiply-adds per token. */
  readonly macsPerToken: number;
  readonly device: string;
  /** Why its outputs depend on later tokens, so that its perplexity is not comparable to a causal model's; empty for a causal one. */
  readonly notCausal: readonly string[];
  /**
   * Where units take different numbers of experts: the mean and the shares that took 1, 2, ... in the newest step, and MACs per token at
   * that mean.
   */
  readonly choices: { readonly meanK: number; readonly shares: readonly number[]; readonly macsAtMeanK: number | null } | null;
  readonly routedLayers: readonly {
    readonly name: string;
    readonly experts: number;
    /** The most, where it varies. */
    readonly k: number;
    readonly varies: boolean;
    /** Attention heads that have experts of their own, those of head 0 first; null elsewhere. */
    readonly heads: number | null;
  }[];
  readonly retrievals: readonly {
    readonly name: string;
    readonly experts: number;
    readonly k: number;
    /** First and last step that can be shown. */
    readonly steps: { readonly first: number; readonly last: number } | null;
  }[];
  /** First and last step that the heatmap can show. */
  readonly expertSteps: { readonly first: number; readonly last: number } | null;
  readonly failure: { readonly message: string; readonly advice: string; readonly step: number } | null;
  /** What goes wrong in it without having ended it, a sentence each. */
  readonly alarms: readonly string[];
  /** Why the directory could not be read (further), for example because it was deleted. */
  readonly problem: string | null;
}

/** Replaces a curve from `from` on: points with step >= from go, `points` come in their place. */
export interface CurveDelta {
  readonly run: RunKey;
  readonly curve: CurveName;
  readonly from: number;
  /** float64 [n, POINT_STRIDE], steps ascending. */
  readonly points: ArrayBuffer;
}

/** Routed (unit, choice) pairs of each expert over the steps fromStep < s <= step. */
export interface ExpertsFrame {
  readonly run: RunKey;
  readonly fromStep: number;
  readonly step: number;
  readonly layers: readonly { readonly layer: number; /** float32 [experts] */ readonly counts: ArrayBuffer }[];
}

/** What a retrieval chose over the steps fromStep < s <= step; see SketchFrame. */
export interface RetrievalFigures {
  readonly run: RunKey;
  readonly layer: number;
  readonly fromStep: number;
  readonly step: number;
  readonly total: number;
  /** Experts chosen in these steps, and in any up to here. */
  readonly used: number;
  readonly usedEver: number;
  readonly unevenness: number;
  readonly histogram: readonly number[];
  readonly heaviest: readonly { readonly expert: number; readonly count: number }[];
}

/** Choices of bands of experts over time. Replaces the columns from `from` on. */
export interface RetrievalSeries {
  readonly run: RunKey;
  readonly layer: number;
  readonly from: number;
  /** float64 [n, 2]: each column is about the steps after the first up to the second. */
  readonly steps: ArrayBuffer;
  /** float32 [n, bands]. */
  readonly bands: ArrayBuffer;
}

/** What a run costs against the chosen one. */
export interface RunParity {
  readonly run: RunKey;
  /** Null where one of the two cannot be counted. */
  readonly parity: ParityView | null;
}

export interface DashboardUpdate {
  readonly type: 'update';
  /** Forget everything received before. */
  readonly snapshot: boolean;
  /** The runs shown, in order; null where unchanged. */
  readonly runs: readonly RunKey[] | null;
  /** Only the changed ones. */
  readonly summaries: readonly RunSummary[];
  readonly curves: readonly CurveDelta[];
  /** Newest frame of the run that the heatmap follows; null where unchanged or not followed. */
  readonly experts: ExpertsFrame | null;
  /** Of the retrieval that is shown: what is new of its series, and its newest frame where that is followed. Null where unchanged. */
  readonly retrieval: { readonly series: RetrievalSeries | null; readonly figures: RetrievalFigures | null } | null;
  /** Every other shown run against the baseline that was wanted; null where unchanged or not wanted. */
  readonly parity: { readonly baseline: RunKey; readonly runs: readonly RunParity[] } | null;
}

export type DashboardResult =
  | { readonly kind: 'experts'; readonly frame: ExpertsFrame | null }
  | { readonly kind: 'sketch'; readonly figures: RetrievalFigures | null }
  | { readonly kind: 'done' };

export type DashboardToWebview =
  | { readonly type: 'welcome'; readonly version: number }
  | { readonly type: 'versionMismatch'; readonly version: number }
  | DashboardUpdate
  | { readonly type: 'response'; readonly id: number; readonly result: DashboardResult }
  | { readonly type: 'error'; readonly id: number; readonly message: string; readonly advice: string }
  /** Something not tied to a request went wrong, such as the reader having stopped. */
  | { readonly type: 'notice'; readonly message: string; readonly advice: string };

// ---- schemas

const run = z.string().min(1).max(4096);
const step = z.number().nonnegative();
const id = z.int().nonnegative();
const layer = z.int().nonnegative();

const viewSchema = z.strictObject({
  width: z.int().min(1).max(32_768),
  quantity: z.enum(quantities),
  smoothed: z.boolean(),
  hidden: z.array(run).max(1000),
  heatmap: z.strictObject({ run, follow: z.boolean() }).nullable(),
  retrieval: z.strictObject({ run, layer, follow: z.boolean() }).nullable(),
  baseline: run.nullable(),
});

const requestSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('expertsAt'), run, step }),
  z.strictObject({ kind: z.literal('sketchAt'), run, layer, step }),
  z.strictObject({ kind: z.literal('stopRun'), run }),
  z.strictObject({ kind: z.literal('toggleRun'), run }),
  z.strictObject({ kind: z.literal('openConfig'), run }),
  z.strictObject({ kind: z.literal('branchWithFix'), run }),
]);

export const dashboardToHostSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), version: z.int() }),
  z.strictObject({ type: z.literal('view'), view: viewSchema }),
  z.strictObject({ type: z.literal('request'), id, request: requestSchema }),
  z.strictObject({ type: z.literal('cancel'), id }),
]) satisfies z.ZodType<DashboardToHost>;

/** An exact ArrayBuffer of whole records; a view, or a Node Buffer on its pool, does not pass. */
const bufferOf = (recordBytes: number) =>
  z.custom<ArrayBuffer>(
    (value) => Object.prototype.toString.call(value) === '[object ArrayBuffer]' && (value as ArrayBuffer).byteLength % recordBytes === 0,
    { message: `must be an ArrayBuffer of whole ${recordBytes}-byte records` },
  );

const failureSchema = z.strictObject({ message: z.string(), advice: z.string(), step });

const summarySchema = z.strictObject({
  run,
  name: z.string(),
  state: z.enum(['starting', 'running', 'stopping', 'finished', 'stopped', 'failed', 'lost']),
  step,
  totalSteps: step,
  seconds: z.number(),
  tokens: z.number(),
  tokensPerSecond: z.number().nullable(),
  trainPerplexity: z.number().nullable(),
  validation: z.array(z.strictObject({ name: z.string(), step, perplexity: z.number().nullable(), bitsPerByte: z.number().nullable() })),
  parameters: z.strictObject({ total: z.number(), active: z.number(), activeIsUpperBound: z.boolean() }),
  macsPerToken: z.number(),
  device: z.string(),
  notCausal: z.array(z.string()),
  choices: z.strictObject({ meanK: z.number(), shares: z.array(z.number()), macsAtMeanK: z.number().nullable() }).nullable(),
  routedLayers: z.array(
    z.strictObject({
      name: z.string(),
      experts: z.int().positive(),
      k: z.number(),
      varies: z.boolean(),
      heads: z.int().positive().nullable(),
    }),
  ),
  retrievals: z.array(
    z.strictObject({
      name: z.string(),
      experts: z.int().positive(),
      k: z.number(),
      steps: z.strictObject({ first: step, last: step }).nullable(),
    }),
  ),
  expertSteps: z.strictObject({ first: step, last: step }).nullable(),
  failure: failureSchema.nullable(),
  alarms: z.array(z.string()),
  problem: z.string().nullable(),
}) satisfies z.ZodType<RunSummary>;

const expertsSchema = z.strictObject({
  run,
  fromStep: step,
  step,
  layers: z.array(z.strictObject({ layer, counts: bufferOf(4) })),
}) satisfies z.ZodType<ExpertsFrame>;

const figuresSchema = z.strictObject({
  run,
  layer,
  fromStep: step,
  step,
  total: z.number(),
  used: z.number(),
  usedEver: z.number(),
  unevenness: z.number(),
  histogram: z.array(z.number()),
  heaviest: z.array(z.strictObject({ expert: z.number(), count: z.number() })),
}) satisfies z.ZodType<RetrievalFigures>;

const seriesSchema = z.strictObject({
  run,
  layer,
  from: z.int().nonnegative(),
  steps: bufferOf(16),
  bands: bufferOf(4),
}) satisfies z.ZodType<RetrievalSeries>;

export const dashboardUpdateSchema = z.strictObject({
  type: z.literal('update'),
  snapshot: z.boolean(),
  runs: z.array(run).nullable(),
  summaries: z.array(summarySchema),
  curves: z.array(z.strictObject({ run, curve: z.string().min(1), from: step, points: bufferOf(POINT_STRIDE * 8) })),
  experts: expertsSchema.nullable(),
  retrieval: z.strictObject({ series: seriesSchema.nullable(), figures: figuresSchema.nullable() }).nullable(),
  parity: z.strictObject({ baseline: run, runs: z.array(z.strictObject({ run, parity: parityViewSchema.nullable() })) }).nullable(),
}) satisfies z.ZodType<DashboardUpdate>;

export const dashboardToWebviewSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('welcome'), version: z.int() }),
  z.strictObject({ type: z.literal('versionMismatch'), version: z.int() }),
  dashboardUpdateSchema,
  z.strictObject({
    type: z.literal('response'),
    id,
    result: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('experts'), frame: expertsSchema.nullable() }),
      z.strictObject({ kind: z.literal('sketch'), figures: figuresSchema.nullable() }),
      z.strictObject({ kind: z.literal('done') }),
    ]),
  }),
  z.strictObject({ type: z.literal('error'), id, message: z.string(), advice: z.string() }),
  z.strictObject({ type: z.literal('notice'), message: z.string(), advice: z.string() }),
]) satisfies z.ZodType<DashboardToWebview>;

// ---- UI state: what the webview keeps by setState and gets back after a reload. Navigation only, never data.

export interface DashboardUiState {
  readonly schemaVersion: 1;
  /** The runs that were shown, so that a restored panel shows them again. */
  readonly runs: readonly RunKey[];
  readonly hidden: readonly RunKey[];
  readonly quantity: Quantity;
  /** `train` and `validation.<set>`, in all runs alike. */
  readonly hiddenLines: readonly CurveName[];
  /** The part of the horizontal axis that is left out at its beginning, 0 to 1: without the steep start, the ends can be told apart. */
  readonly skipStart: number;
  readonly xAxis: 'step' | 'tokens' | 'time';
  readonly yScale: 'linear' | 'logarithmic';
  readonly smoothed: boolean;
  readonly asTable: boolean;
  readonly heatmapRun: RunKey | null;
  readonly retrievalRun: RunKey | null;
  /** Index into the retrievals of that run. */
  readonly retrievalLayer: number;
  /** The run that the costs of the others are held against; the first that is shown where null, or no longer shown. */
  readonly baselineRun: RunKey | null;
}

export const dashboardUiStateSchema = z.strictObject({
  schemaVersion: z.literal(1),
  runs: z.array(run).max(1000),
  hidden: z.array(run).max(1000),
  // With defaults, so that a state kept by an earlier version still restores the rest.
  quantity: z.enum(quantities).default('perplexity'),
  hiddenLines: z.array(z.string()).max(1000).default([]),
  skipStart: z.number().min(0).max(0.9).default(0),
  xAxis: z.enum(['step', 'tokens', 'time']),
  yScale: z.enum(['linear', 'logarithmic']),
  smoothed: z.boolean(),
  asTable: z.boolean(),
  heatmapRun: run.nullable(),
  retrievalRun: run.nullable().default(null),
  retrievalLayer: layer.default(0),
  baselineRun: run.nullable().default(null),
}) satisfies z.ZodType<DashboardUiState>;
