import { activeIsUpperBound } from '../../runs/activeParameters';
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
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  /** A row that stands only where some run has the figure. */
  const optional = (
    title: string,
    figure: (result: RunResult) => number | null | undefined,
    text: (value: number) => string,
  ): string[][] => {
    if (results.every((result) => typeof figure(result) !== 'number')) return [];
    return [row(title, (result) => ((value) => (typeof value === 'number' ? text(value) : '-'))(figure(result)))];
  };
  const perSet = (
    title: string,
    figure: (values: RunResult['validation'][string]) => number | null,
    text: (value: number) => string,
  ): string[][] =>
    sets.flatMap((set) =>
      optional(`${title} ${set}`, ({ validation }) => ((values) => (values === undefined ? null : figure(values)))(validation[set]), text),
    );
  const rows = [
    row('', ({ description }) => taggedName(description.name, runCausality(description)), 'entropy floor'),
    row('parameters', ({ description }) => grouped(description.parameters.total)),
    row('active parameters', ({ description }) => activeText(description)),
    row('MACs per token', ({ description }) => grouped(description.macsPerToken)),
    // Only where the models choose so: what is counted above is then only what they were meant to cost.
    ...optional('MACs at mean K', ({ macsAtMeanK }) => macsAtMeanK, grouped),
    ...optional(
      'mean K train',
      ({ meanK }) => meanK,
      (value) => value.toFixed(2),
    ),
    ...perSet(
      'mean K',
      ({ meanK }) => meanK,
      (value) => value.toFixed(2),
    ),
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
    ...optional(
      'expert load CV',
      ({ loadVariation }) => loadVariation,
      (value) => value.toFixed(2),
    ),
    ...optional('retrieved train', ({ usedEver }) => usedEver, percent),
    ...perSet('retrieved', ({ expertUsage }) => expertUsage, percent),
    ...perSet(
      'unevenness of weights',
      ({ unevenness }) => unevenness,
      (value) => value.toFixed(3),
    ),
    // Dropping changes what perplexity means, so it is told for validation too.
    ...optional('dropped train', ({ dropRate }) => dropRate, percent),
    ...perSet('dropped', ({ dropRate }) => dropRate, percent),
  ];
  return textTable(rows, [false, ...results.map(() => true), ...(withFloor ? [true] : [])]);
}

/** Sub-tokens of one token may meet in one expert, so that the count is an upper bound. */
function activeText(description: RunResult['description']): string {
  return `${activeIsUpperBound(description) ? '≤ ' : ''}${grouped(description.parameters.active)}`;
}

/** What a table of runs does not say of itself. */
export function comparisonNotes(results: readonly RunResult[]): string {
  const causality = results.flatMap(({ description }) => causalityNotes(description.name, runCausality(description)));
  const notes = [
    ...new Set(causality.map(printable)),
    ...(results.some(({ macsAtMeanK }) => macsAtMeanK !== null) ? [meanKNote] : []),
    ...(results.some(({ usedEver }) => usedEver !== null) ? [retrievedNote] : []),
  ];
  const routed = [
    ...(results.some(({ loadVariation }) => loadVariation !== null) ? [variationNote] : []),
    ...(results.some(({ dropRate, validation }) => dropRate !== null || Object.values(validation).some((set) => set.dropRate !== null))
      ? [droppedNote]
      : []),
  ];
  return [...notes, ['MACs are forward, attention over the full context.', ...routed].join(' ')].join('\n');
}

const meanKNote =
  'Mean K: experts per unit, in training over the last tenth of the steps. A model with a fixed k that costs as much: `moe-lab twin RUN`.';
const retrievedNote =
  'Retrieved: share of the experts that were ever used, in training or on the validation set. Unevenness of weights: log N + sum z log z of the shares z that the experts have of all weights (2407.04153 section 3.3), in nats; 0 is even.';

const variationNote = "CV: standard deviation / mean of the experts' loads over the last tenth of the steps; 0 is even.";
const droppedNote = "Dropped: share of (unit, choice) pairs beyond the experts' capacity, in training over the last tenth of the steps.";
