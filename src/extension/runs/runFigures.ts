import type { RunSummary } from '../../runs/runIndex';

/**
 * The perplexity a list shows, with what it is of: `prose ppl 7.42`, `train ppl 8.50`. While a run trains that is the newest step's, since
 * a validation may be long ago; of a finished run it is the first validation set's, scored at the end. Undefined where nothing is known
 * yet.
 */
export function shownPerplexity(run: RunSummary): string | undefined {
  const [validation] = Object.entries(run.validationPerplexity);
  if (validation !== undefined && (run.state === 'finished' || run.trainPerplexity === null)) {
    const [set, perplexity] = validation;
    return `${set} ppl ${perplexityText(perplexity)}`;
  }
  return run.trainPerplexity === null ? undefined : `train ppl ${perplexityText(run.trainPerplexity)}`;
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
