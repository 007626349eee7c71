import { alarmTitles } from '../../runs/alarms';
import { isLive, type ObservedState } from '../../runs/liveness';
import type { RunSummary } from '../../runs/runIndex';
import { leftBehind, sweepText } from '../../runs/sweepSummary';
import { FIXABLE, RunItemContext, SWEEP, VARIES } from '../contributions';
import { percentDone, shownPerplexity, stepText } from './runFigures';

/** The runs of one runs folder, newest first. */
export interface RunGroup {
  /** The workspace folder's name, or the setting's path. */
  readonly label: string;
  readonly runsDirectory: string;
  readonly runs: readonly RunSummary[];
}

/**
 * An element of the run explorer's tree: only what stays the same, so that VS Code can be told that an element has changed without the
 * whole tree being built anew under the user's click. A run's node is a RunTarget: commands take it as it is.
 */
export type RunNode = { readonly kind: 'group'; readonly runsDirectory: string } | { readonly kind: 'run'; readonly directory: string };

/** Unique over all nodes. */
export function nodeKey(node: RunNode): string {
  return `${node.kind} ${node.kind === 'run' ? node.directory : node.runsDirectory}`;
}

/** A codicon and a theme colour. */
export interface ItemIcon {
  readonly icon: string;
  readonly color: string | undefined;
}

const icons: Readonly<Record<ObservedState, ItemIcon>> = {
  starting: { icon: 'loading~spin', color: undefined },
  running: { icon: 'sync~spin', color: 'charts.blue' },
  stopping: { icon: 'loading~spin', color: 'charts.yellow' },
  finished: { icon: 'pass', color: 'testing.iconPassed' },
  stopped: { icon: 'debug-pause', color: 'charts.yellow' },
  failed: { icon: 'error', color: 'testing.iconFailed' },
  lost: { icon: 'debug-disconnect', color: 'charts.orange' },
};

export interface RunItem {
  readonly label: string;
  readonly description: string;
  readonly icon: ItemIcon;
  readonly contextValue: `${RunItemContext}${typeof FIXABLE | ''}${typeof SWEEP | ''}${typeof VARIES | ''}`;
  readonly checked: boolean;
  /** For screen readers, which see neither icon nor colour. */
  readonly accessibleLabel: string;
}

/** Folders are shown only where there are several to tell apart. */
export function collectNodes(groups: readonly RunGroup[], parent: RunNode | undefined): RunNode[] {
  if (parent?.kind === 'run') return [];
  if (parent?.kind === 'group') return groups.filter(({ runsDirectory }) => runsDirectory === parent.runsDirectory).flatMap(runNodes);
  const filled = groups.filter((group) => group.runs.length > 0);
  return filled.length > 1 ? filled.map(({ runsDirectory }) => ({ kind: 'group', runsDirectory })) : filled.flatMap(runNodes);
}

function runNodes({ runs }: RunGroup): RunNode[] {
  return runs.map(({ directory }) => ({ kind: 'run', directory }));
}

/** The directories of the runs that look otherwise than before; undefined where runs have come, gone or moved. */
export function collectChanges(before: readonly RunGroup[], after: readonly RunGroup[]): string[] | undefined {
  const order = (groups: readonly RunGroup[]): string =>
    JSON.stringify(groups.map(({ runsDirectory, label, runs }) => [runsDirectory, label, runs.map(({ directory }) => directory)]));
  if (order(before) !== order(after)) return undefined;
  const old = new Map(before.flatMap(({ runs }) => runs.map((run) => [run.directory, JSON.stringify(run)])));
  return after.flatMap(({ runs }) =>
    runs.filter((run) => old.get(run.directory) !== JSON.stringify(run)).map(({ directory }) => directory),
  );
}

export function collectRunItem(run: RunSummary, checked: boolean): RunItem {
  const description = runDescription(run);
  const context = isLive(run.state) ? RunItemContext.live : isResumable(run) ? RunItemContext.resumable : RunItemContext.ended;
  return {
    label: run.name,
    description,
    icon: icons[run.state],
    contextValue: `${context}${isFixable(run) ? FIXABLE : ''}${run.sweep === null ? '' : SWEEP}${run.varyingK ? VARIES : ''}`,
    checked,
    accessibleLabel: `${run.name}, ${run.state}, ${description}`,
  };
}

/** Whether a resume does something: it ended before its time, or members wait behind it that nobody is about to start. */
export function isResumable({ state, sweep }: RunSummary): boolean {
  if (isLive(state)) return false;
  return state !== 'finished' || (sweep !== null && !sweep.goesOn && leftBehind(sweep) > 0);
}

/** Whether something has gone wrong that a key may govern. */
function isFixable({ failure, alarms }: RunSummary): boolean {
  return failure !== null || alarms.length > 0;
}

/** `step 120/300 · train ppl 7.42 · 40 %`; what goes wrong comes first, as a narrow side bar cuts the end off. */
function runDescription(run: RunSummary): string {
  const perplexity = shownPerplexity(run);
  const parts = [...run.alarms.map(({ name }) => `alarm: ${alarmTitles[name]}`), stepText(run)];
  if (perplexity !== undefined) parts.push(perplexity);
  const rest = run.sweep === null ? [] : [sweepText(run.sweep)];
  if (run.state === 'finished') return [...parts, ...rest].join(' · ');
  if (run.state === 'running') parts.push(`${percentDone(run)} %`);
  else parts.push(run.state);
  if (run.remote && isLive(run.state)) parts.push(`on ${run.host}`);
  return [...parts, ...rest].join(' · ');
}
