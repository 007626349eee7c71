import type { RetrievalFigures, RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { count, percent, significant, timesUniform } from '../shared/figures';
import type { Bar } from './barTable';
import type { HeatmapContent } from './heatmap';
import type { RetrievalColumn } from './state';
import { stretchOf } from './timeControl';

export type Retrieval = RunSummary['retrievals'][number];

/** The experts of a band: from the first, before the end. Bands are of equal size but for one. */
function bandExperts(experts: number, bands: number, band: number): { readonly first: number; readonly end: number } {
  return { first: Math.ceil((band * experts) / bands), end: Math.ceil(((band + 1) * experts) / bands) };
}

function bandName(experts: number, bands: number, band: number): string {
  const { first, end } = bandExperts(experts, bands, band);
  return end - first <= 1 ? `expert ${count(first)}` : `experts ${count(first)} to ${count(end - 1)}`;
}

/** How many times the even share each band got in each column. */
function ratios({ experts }: Retrieval, { bands }: RetrievalColumn): readonly number[] {
  const total = bands.reduce((sum, choices) => sum + choices, 0);
  return Array.from(bands, (choices, band) => {
    const { first, end } = bandExperts(experts, bands.length, band);
    return total === 0 ? 0 : ((choices / total) * experts) / (end - first);
  });
}

/** Bands of experts down, time across. `at`: the step whose column is marked. */
export function retrievalHeatmap(retrieval: Retrieval, columns: readonly RetrievalColumn[], at: number): HeatmapContent {
  const { name, experts } = retrieval;
  const byColumn = columns.map((column) => ratios(retrieval, column));
  const bands = columns[0]?.bands.length ?? 0;
  const marked = columns.findIndex(({ step }) => step >= at);
  return {
    rows: Array.from({ length: bands }, (_, band) => ({
      name: `${band === 0 ? 'expert ' : ''}${count(bandExperts(experts, bands, band).first)}`,
      cells: byColumn.map((column) => column[band] ?? 0),
    })),
    description: `Choices of ${count(experts)} experts in ${bands} bands, over ${columns.length} stretches of steps.`,
    columnTitle: 'step',
    columnLabel: (column) => count(columns[column]?.step ?? 0),
    title: ({ row }) => `${name} · ${bandName(experts, bands, row)}`,
    figures: ({ row, column }) => {
      const shown = columns[column];
      if (shown === undefined) return [];
      const total = shown.bands.reduce((sum, choices) => sum + choices, 0);
      return [
        { label: 'Choices', figure: `${count(shown.bands[row] ?? 0)} of ${count(total)}` },
        { label: 'Times uniform', figure: timesUniform(byColumn[column]?.[row] ?? 0) },
        { label: 'Steps', figure: stretchOf(shown.fromStep, shown.step) },
      ];
    },
    marked: marked === -1 ? null : marked,
  };
}

/** Columns of the table that stands for the heatmap. */
const TABLE_BANDS = 16;
const TABLE_ROWS = 200;

/** The same as a table: rows are steps, newest first; bands are summed to a few. */
export function retrievalTable({ experts }: Retrieval, columns: readonly RetrievalColumn[]): { head: string[]; rows: string[][] } {
  const bands = columns[0]?.bands.length ?? 0;
  const wide = Math.min(TABLE_BANDS, bands);
  const bandsOf = (index: number) => bandExperts(bands, wide, index);
  const expertsOf = (index: number) => {
    const { first, end } = bandsOf(index);
    return { first: bandExperts(experts, bands, first).first, end: bandExperts(experts, bands, end - 1).end };
  };
  const indices = Array.from({ length: wide }, (_, index) => index);
  return {
    head: [
      'Steps',
      ...indices.map(expertsOf).map(({ first, end }) => (end - first <= 1 ? count(first) : `${count(first)} to ${count(end - 1)}`)),
    ],
    rows: columns
      .slice(-TABLE_ROWS)
      .reverse()
      .map((column) => {
        const total = column.bands.reduce((sum, choices) => sum + choices, 0);
        return [
          stretchOf(column.fromStep, column.step),
          ...indices.map((index) => {
            const { first, end } = bandsOf(index);
            const choices = column.bands.subarray(first, end).reduce((sum, each) => sum + each, 0);
            const share = total === 0 ? 0 : choices / total;
            const { first: from, end: to } = expertsOf(index);
            return `${percent(share)} (${timesUniform((share * experts) / (to - from))})`;
          }),
        ];
      }),
  };
}

/** Names and figures of what a retrieval did in some steps. */
export function retrievalSummary({ experts }: Retrieval, figures: RetrievalFigures): readonly (readonly [name: string, figure: string])[] {
  const of = (used: number) => `${count(used)} of ${count(experts)} (${percent(used / experts)})`;
  return [
    ['Choices', count(figures.total)],
    ['Experts used in these steps', of(figures.used)],
    ['Experts ever used', of(figures.usedEver)],
    ['Unevenness of choices, nats', significant(figures.unevenness)],
  ];
}

/** How many experts were used how often, up to the last bin that has any. */
export function useBars({ experts }: Retrieval, { histogram }: Pick<RetrievalFigures, 'histogram'>): readonly Bar[] {
  const most = Math.max(1, ...histogram);
  return histogram.slice(0, 1 + histogram.findLastIndex((inBin) => inBin > 0)).map((inBin, bin) => ({
    label: binName(bin, histogram.length),
    share: inBin / most,
    figures: [count(inBin), percent(inBin / experts)],
  }));
}

function binName(bin: number, bins: number): string {
  if (bin === 0) return 'never';
  if (bin === 1) return 'once';
  const from = 2 ** (bin - 1);
  return bin === bins - 1 ? `${count(from)} or more` : `${count(from)} to ${count(2 * from - 1)}`;
}

/** The most used experts. */
export function heaviestBars({ experts }: Retrieval, { heaviest, total }: RetrievalFigures, most: number): readonly Bar[] {
  const top = heaviest[0]?.count ?? 1;
  return heaviest.slice(0, most).map(({ expert, count: choices }) => ({
    label: count(expert),
    share: choices / top,
    figures: [count(choices), timesUniform((choices / total) * experts)],
  }));
}
