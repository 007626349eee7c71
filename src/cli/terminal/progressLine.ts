import { compact, duration, perplexityText } from './figures';

export interface Progress {
  readonly step: number;
  readonly totalSteps: number;
  readonly trainPerplexity: number | null;
  /** Geometric mean over the validation sets; null before the first validation. */
  readonly validationPerplexity: number | null;
  readonly tokensPerSecond: number | null;
  /** Experts per unit; absent or null where K is the same for all. */
  readonly meanK?: number | null;
  /** Seconds to go; null while nothing is known. */
  readonly remaining: number | null;
}

const barCells = 20;

/** One line about a run under way, cut to `columns`. */
export function progressLine(progress: Progress, columns: number): string {
  const { step, totalSteps, trainPerplexity, validationPerplexity, tokensPerSecond, meanK = null, remaining } = progress;
  const filled = totalSteps === 0 ? barCells : Math.min(barCells, Math.floor((step / totalSteps) * barCells));
  const parts = [
    `${'█'.repeat(filled)}${'░'.repeat(barCells - filled)} ${String(step).padStart(String(totalSteps).length)}/${totalSteps}`,
    `perplexity ${perplexityText(trainPerplexity)} train ${perplexityText(validationPerplexity)} validation`,
    ...(meanK === null ? [] : [`mean K ${meanK.toFixed(2)}`]),
    ...(tokensPerSecond === null ? [] : [`${compact(tokensPerSecond)} tokens/s`]),
    ...(remaining === null ? [] : [`${duration(remaining)} to go`]),
  ];
  return parts.join('  ').slice(0, Math.max(0, columns));
}

/** The mean of several sets' perplexities that belongs to their mean loss. */
export function meanPerplexity(perplexities: readonly number[]): number | null {
  if (perplexities.length === 0) return null;
  return Math.exp(perplexities.reduce((sum, perplexity) => sum + Math.log(perplexity), 0) / perplexities.length);
}
