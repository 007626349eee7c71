import type { Preset } from '../config/presets/preset';

export function modelCell({ id, title }: Preset): string {
  return `${title} \`${id}\``;
}

/** Three decimals: exact parity differs from near parity in them. */
export function percent(fraction: number): string {
  const text = Math.abs(fraction * 100).toFixed(3);
  return `${Number(text) === 0 ? '' : fraction < 0 ? '−' : '+'}${text} %`;
}

export function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

/** The first `left` columns hold text. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], left = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column < left ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
