import { comparedTitles } from '../parity/comparedPart';
import { formatAmount, formatResidual } from '../parity/formatCount';
import { bytesText } from '../worker/bytesText';
import type { ConfigComparison, CostDifference } from './compareConfigs';
import type { ParityOfBoth } from './parityView';

/** Rows of text about a comparison, for whoever lays tables out: a heading, then only what differs. */

export function keyRows({ names: [one, other], keys }: ConfigComparison): readonly (readonly string[])[] {
  return [['key', one, other], ...keys.map((difference) => [difference.key, shown(difference.one), shown(difference.other)])];
}

export function costRows({ names: [one, other], costs }: ConfigComparison): readonly (readonly string[])[] {
  return [
    ['', one, other, 'second against first'],
    ...costs.map(({ figure, unit, one: first, other: second, residual }) => [
      figure,
      amount(first, unit),
      amount(second, unit),
      residual === null ? '-' : formatResidual(residual),
    ]),
  ];
}

/** Both axes with and without router: of the part that differs, and of the whole models. */
export function parityRows({ parity: { scope, compared, model } }: ConfigComparison): readonly (readonly string[])[] {
  const figure = (fraction: number | null): string => (fraction === null ? '-' : formatResidual(fraction));
  const row = (name: string, { macs, macsWithRouter, parameters, parametersWithRouter }: ParityOfBoth['model']): string[] => [
    name,
    ...[macs, macsWithRouter, parameters, parametersWithRouter].map(figure),
  ];
  return [
    ['second against first', 'MACs', 'with router', 'parameters', 'with router'],
    ...(scope === 'model' ? [] : [row(comparedTitles[scope].toLowerCase(), compared)]),
    row(comparedTitles.model.toLowerCase(), model),
  ];
}

/** What is said in place of tables, where there is nothing in them; undefined where they differ. */
export function sameText({ names: [one, other], identical }: ConfigComparison): string | undefined {
  return identical ? `${one} and ${other} are the same experiment: every key has the same value.` : undefined;
}

export const sameCosts = 'They cost the same: every figure is equal.';

function shown(value: unknown): string {
  return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}

function amount(value: number, unit: CostDifference['unit']): string {
  return unit === 'bytes' ? bytesText(value) : formatAmount(value);
}

/** What differs, as a plain text: costs and both axes; the keys that differ are seen in a diff. */
export function comparisonText(comparison: ConfigComparison): string {
  const same = sameText(comparison);
  if (same !== undefined) return `${same}\n`;
  if (comparison.costs.length === 0) return `${sameCosts}\n`;
  return `${[parityRows(comparison), costRows(comparison)].map(aligned).join('\n\n')}\n`;
}

/** The first column names the rows, the others hold figures. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cells = (row: readonly string[]): string[] =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)));
  return rows.map((row) => cells(row).join('  ').trimEnd()).join('\n');
}
