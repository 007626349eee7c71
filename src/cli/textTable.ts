import { printable } from './terminal/printable';

/** Columns as wide as their widest cell, two spaces apart; `right` says which are aligned to the right. */
export function textTable(cells: readonly (readonly string[])[], right: readonly boolean[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = right.map((_, column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (right[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
