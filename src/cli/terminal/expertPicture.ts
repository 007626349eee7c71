/**
 * Which experts work, as text: a row per routed layer, a cell per expert, shaded by its share of the routed units relative to the uniform
 * share 1/E.
 */
export interface LayerLoad {
  readonly name: string;
  /** Routed (unit, choice) pairs per expert. */
  readonly counts: readonly number[];
  /** Attention heads with experts of their own, those of head 0 first: they stand apart. */
  readonly heads?: number;
}

const shades: readonly (readonly [below: number, cell: string])[] = [
  [0.05, '·'],
  [0.5, '░'],
  [1, '▒'],
  [1.75, '▓'],
  [Number.POSITIVE_INFINITY, '█'],
];

export const legend = 'experts, share of units against uniform:  · none  ░ under half  ▒ under 1x  ▓ over 1x  █ over 1.75x';

/** Neighbours are averaged where there are more experts than `width` cells; heads stand apart where each has a cell at least. */
export function expertPicture(layers: readonly LayerLoad[], width: number): readonly string[] {
  const nameWidth = Math.max(0, ...layers.map((layer) => layer.name.length));
  return layers.map(({ name, counts, heads = 1 }) => {
    const sum = counts.reduce((total, count) => total + count, 0);
    const relative = counts.map((count) => (sum === 0 ? 0 : (count / sum) * counts.length));
    const busiest = Math.max(0, ...relative);
    const idle = relative.filter((share) => share < 0.05).length;
    const cells = headsOf(relative, heads, width)
      .map(({ shares, cells: most }) => averaged(shares, most).map(shade).join(''))
      .join(' ');
    return `${name.padEnd(nameWidth)}  ${cells}  busiest ${busiest.toFixed(1)}x${idle > 0 ? `, ${idle} idle` : ''}`;
  });
}

/** The shares of each head, and how many cells there are for them. */
function headsOf(
  shares: readonly number[],
  heads: number,
  width: number,
): readonly { readonly shares: readonly number[]; readonly cells: number }[] {
  const cells = Math.floor((width - heads + 1) / heads);
  if (heads === 1 || cells < 1) return [{ shares, cells: Math.max(1, width) }];
  const each = shares.length / heads;
  return Array.from({ length: heads }, (_, head) => ({ shares: shares.slice(head * each, (head + 1) * each), cells }));
}

function shade(relative: number): string {
  return shades.find(([below]) => relative < below)?.[1] ?? '█';
}

function averaged(values: readonly number[], cells: number): readonly number[] {
  if (values.length <= cells) return values;
  return Array.from({ length: cells }, (_, cell) => {
    const part = values.slice(Math.floor((cell * values.length) / cells), Math.floor(((cell + 1) * values.length) / cells));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
