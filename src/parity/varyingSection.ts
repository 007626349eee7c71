import { choicesVary, leastChoices, mostChoices } from '../config/moeShape';
import { macsAtMeanK } from '../models/count';
import type { CountedPreset } from './countedPreset';
import { digits, markdownTable, modelCell } from './tableText';

/** Models whose units take different numbers of experts in docs/parity-table.md: their cost at the fewest, on average and at the most. */
export function varyingSection(models: readonly CountedPreset[]): string[] {
  const rows = models.flatMap(({ preset, model, count }) => {
    const { moe } = model;
    if (moe === undefined || !choicesVary(moe)) return [];
    const [least, most] = [leastChoices(moe), mostChoices(model, moe)];
    const at = (k: number): string => digits(macsAtMeanK(count, model, k));
    return [[modelCell(preset), `${least} to ${most}`, at(least), at(moe.top_k), at(most)]];
  });
  if (rows.length === 0) return [];
  return [
    'Where units take different numbers of experts, everything above is counted at `top_k`, the mean that is aimed at. MACs of the model if every unit took',
    'the fewest, `top_k` or the most:',
    '',
    markdownTable(['model', 'experts', 'MACs at the fewest', 'at `top_k`', 'at the most'], rows),
    '',
  ];
}
