/**
 * Which experts work, as text: a row per routed layer, a cell per expert, shaded by its share of the routed units relative to the uniform share 1/E.
 */
export interface LayerLoad {
  readonly name: string;
  /** Routed (unit, choice) pairs per expert. */
  readonly counts: readonly number[];
}

const shades: readonly (readonly [below: number, cell: string])[] = [
  [0.05, '·'],
  [0.5, '░'],
  [1, '▒'],
  [1.75, '▓'],
  [Number.POSITIVE_INFINITY, '█'],
];

export const legend = 'experts, share of units against uniform:  · none  ░ under half  ▒ under 1x  ▓ over 1x  █ over 1.75x';

/** Neighbours are averaged where there are more experts than `width` cells. */
export function expertPicture(layers: readonly LayerLoad[], width: number): readonly string[] {
  const nameWidth = Math.max(0, ...layers.map((layer) => layer.name.length));
  return layers.map(({ name, counts }) => {
    const sum = counts.reduce((total, count) => total + count, 0);
    const relative = counts.map((count) => (sum === 0 ? 0 : (count / sum) * counts.length));
    const busiest = Math.max(0, ...relative);
    const idle = relative.filter((share) => share < 0.05).length;
    const cells = averaged(relative, Math.max(1, width)).map(shade).join('');
    return `${name.padEnd(nameWidth)}  ${cells}  busiest ${busiest.toFixed(1)}x${idle > 0 ? `, ${idle} idle` : ''}`;
  });
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
