import { isLive } from '../../runs/liveness';
import type { RunSummary } from '../../runs/runIndex';
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
  if (others.length > 0) {
    return { text: `$(sync~spin) ${live.length} runs`, tooltip: `${live.map(liveLine).join('\n')}\n\nClick to open the dashboard.` };
  }
  const perplexity = shownPerplexity(only);
  const figures = perplexity === undefined ? stepText(only) : `${stepText(only)} · ${perplexity}`;
  return { text: `$(sync~spin) ${figures}`, tooltip: `${liveLine(only)}\n\nClick to open the dashboard.` };
}

function liveLine(run: RunSummary): string {
  return `${run.name}: ${run.state}, ${stepText(run)} (${percentDone(run)} %)`;
}
