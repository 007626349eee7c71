import { at, WIKI, type Projection, type SwitchHeadRow } from './switchHeadRow';

/** Table 6: which projections have experts, at as many parameters; the first row is SwitchHead itself. Letters as in the table. */
const table6: readonly (readonly [letters: string, perplexity: number])[] = [
  ['o', 12.3],
  ['ko', 12.36],
  ['vko', 12.37],
  ['vqo', 12.42],
  ['v', 12.45],
  ['qo', 12.45],
  ['vq', 12.51],
  ['vkqo', 12.57],
  ['kqo', 12.59],
  ['vkq', 12.61],
  ['vk', 12.69],
  ['q', 12.75],
  ['k', 12.79],
  ['kq', 12.9],
];

const names: Readonly<Record<string, Projection>> = { q: 'query', k: 'key', v: 'value', o: 'output' };
/** By the number of projections with experts (sweeps/matched_projection_search). */
const headWidths: readonly number[] = [0, 112, 76, 56, 48];
const ffnWidths: readonly number[] = [0, 2065, 2080, 2115, 2060];

function projectionAblation([letters, value]: readonly [string, number]): SwitchHeadRow {
  const projections = Array.from(letters, (letter) => names[letter] ?? 'value');
  return {
    id: `table-6/${letters}`,
    title: `Table 6: experts for ${projections.join(', ')}`,
    size: '47m',
    heads: 2,
    headWidth: headWidths[projections.length] ?? 76,
    ffn: ffnWidths[projections.length] ?? 2080,
    moe: { experts: 5, k: 2, projections },
    published: { total: '47 M', where: 'Table 6' },
    figures: [at(6, WIKI, value)],
  };
}

export const switchHeadProjectionRows: readonly SwitchHeadRow[] = table6.map(projectionAblation);
