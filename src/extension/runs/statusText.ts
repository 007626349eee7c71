import { alarmTitles } from '../../runs/alarms';
import { isLive } from '../../runs/liveness';
import type { RunSummary } from '../../runs/runIndex';
import { sweepText } from '../../runs/sweepSummary';
import { percentDone, shownPerplexity, stepText } from './runFigures';

export interface StatusText {
  /** With codicons, as the status bar takes it. */
  readonly text: string;
  readonly tooltip: string;
}

/** What the status bar says; undefined where nothing is running and nothing needs to be said. */
export function collectStatus(runs: readonly RunSummary[]): StatusText | undefined {
  const live = runs.filter((run) => isLive(run.state));
  const [only, ...others] = live;
  if (only === undefined) return undefined;
  const tooltip = `${live.map(liveLine).join('\n')}\n\nClick to open the dashboard.`;
  const then = only.sweep === null ? undefined : sweepText(only.sweep);
  const figures =
    others.length > 0 ? [`${live.length} runs`] : [stepText(only), shownPerplexity(only), then].filter((part) => part !== undefined);
  const alarmed = live.some(({ alarms }) => alarms.length > 0) ? ' $(warning)' : '';
  return { text: `$(sync~spin) ${figures.join(' · ')}${alarmed}`, tooltip };
}

function liveLine(run: RunSummary): string {
  const alarms = run.alarms.map(({ name }) => ` · alarm: ${alarmTitles[name]}`);
  const then = run.sweep === null ? '' : ` · ${sweepText(run.sweep)}`;
  return `${run.name}: ${run.state}, ${stepText(run)} (${percentDone(run)} %)${then}${alarms.join('')}`;
}
