import { runCausality } from '../../runs/runCausality';
import type { RunResult } from '../../runs/runResult';
import { causalityNotes, taggedName } from '../causalityText';
import { textTable } from '../textTable';
import { duration, grouped, perplexityText } from './figures';
import { printable } from './printable';

/** The least that any model can reach on a validation set, where the text was drawn from a known source. */
export interface EntropyFloor {
  readonly perplexity: number;
  readonly bitsPerByte: number;
}

/** Runs side by side, a column each; a last column for the entropy floor where it is known. */
export function comparisonTable(results: readonly RunResult[], floors: Readonly<Record<string, EntropyFloor>> = {}): string {
  const withFloor = Object.keys(floors).length > 0;
  const row = (title: string, figure: (result: RunResult) => string, floor = ''): string[] => [
    title,
    ...results.map(figure),
    ...(withFloor ? [floor] : []),
  ];
  const sets = [...new Set(results.flatMap((result) => Object.keys(result.validation)))];
  // Only causal models give a text a probability.
  const counted = (set: string): boolean => results.some(({ validation }) => typeof validation[set]?.bitsPerByte === 'number');
  const number = (value: number | null | undefined, digits: number): string =>
    value === null || value === undefined ? '-' : value.toFixed(digits);
  const percent = (value: number | null | undefined): string =>
    value === null || value === undefined ? '-' : `${(100 * value).toFixed(2)} %`;
  const rows = [
    row('', ({ description }) => taggedName(description.name, runCausality(description)), 'entropy floor'),
    row('parameters', ({ description }) => grouped(description.parameters.total)),
    row('active parameters', ({ description }) => activeText(description)),
    row('MACs per token', ({ description }) => grouped(description.macsPerToken)),
    row('steps', ({ step, description }) =>
      step === description.totalSteps ? grouped(step) : `${grouped(step)} of ${grouped(description.totalSteps)}`,
    ),
    ...sets.map((set) =>
      row(`perplexity ${set}`, ({ validation }) => perplexityText(validation[set]?.perplexity), perplexityText(floors[set]?.perplexity)),
    ),
    ...sets
      .filter(counted)
      .map((set) =>
        row(`bits per byte ${set}`, ({ validation }) => number(validation[set]?.bitsPerByte, 3), number(floors[set]?.bitsPerByte, 3)),
      ),
    row('perplexity train', ({ trainPerplexity }) => perplexityText(trainPerplexity)),
    row('tokens per second', ({ tokensPerSecond }) => (tokensPerSecond === null ? '-' : grouped(tokensPerSecond))),
    row('training time', ({ seconds }) => duration(seconds)),
    row('expert load CV', ({ loadVariation }) => number(loadVariation, 2)),
    // Only where some run has a capacity. Dropping changes what perplexity means, so it is told for validation too.
    ...(results.some(({ dropRate }) => dropRate !== null) ? [row('dropped train', ({ dropRate }) => percent(dropRate))] : []),
    ...sets
      .filter((set) => results.some(({ validation }) => typeof validation[set]?.dropRate === 'number'))
      .map((set) => row(`dropped ${set}`, ({ validation }) => percent(validation[set]?.dropRate))),
  ];
  return textTable(rows, [false, ...results.map(() => true), ...(withFloor ? [true] : [])]);
}

/** Sub-tokens of one token may meet in one expert, so that the count is an upper bound. */
function activeText({ parameters, routedLayers }: RunResult['description']): string {
  return `${routedLayers.some((layer) => layer.unitsPerToken > 1) ? '≤ ' : ''}${grouped(parameters.active)}`;
}

/** What a table of runs does not say of itself. */
export function comparisonNotes(results: readonly RunResult[]): string {
  const causality = results.flatMap(({ description }) => causalityNotes(description.name, runCausality(description)));
  return [...new Set(causality.map(printable)), figuresNote].join('\n');
}

const figuresNote =
  "MACs are forward, attention over the full context. CV: standard deviation / mean of the experts' loads over the last tenth of the steps; 0 is even. Dropped: share of (unit, choice) pairs beyond the experts' capacity, in training over the same steps.";
