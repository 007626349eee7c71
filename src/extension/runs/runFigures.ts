import type { RunSummary } from '../../runs/runIndex';

/** The perplexity a list shows: of the first validation set where there is one, else of the newest training step. */
export function shownPerplexity(run: RunSummary): number | null {
  return Object.values(run.validationPerplexity)[0] ?? run.trainPerplexity;
}

/** Three significant digits below 1000, whole above; `NaN` and `∞` are said, since that is news. */
export function perplexityText(perplexity: number): string {
  if (Number.isNaN(perplexity)) return 'NaN';
  if (!Number.isFinite(perplexity)) return '∞';
  if (perplexity >= 10_000) return perplexity.toExponential(1);
  return perplexity >= 100 ? perplexity.toFixed(0) : perplexity.toFixed(perplexity >= 10 ? 1 : 2);
}

export function stepText(run: RunSummary): string {
  return `step ${run.step}/${run.totalSteps}`;
}

/** Whole per cent, rounded down: 100 % is said only of a run that is done. */
export function percentDone(run: RunSummary): number {
  return run.totalSteps > 0 ? Math.floor((100 * run.step) / run.totalSteps) : 0;
}
