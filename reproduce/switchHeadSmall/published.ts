import { presets } from '../../src/config/presets/catalogue';
import type { ModelInput } from '../comparison/plan';
import { Problem } from '../problem';

export interface Band {
  readonly least: number;
  readonly most: number;
}

/**
 * The least and the greatest ratio of SwitchHead's published perplexity to that of its dense baseline with as many heads as it has experts,
 * over all of the sizes, texts and position encodings of 2312.07987 for which both are printed in one table. Only of SwitchHead as the
 * paper settles on it, with experts for values and outputs and a selection for each side: not of its ablations.
 */
export function publishedBand(): Band {
  const ratios = presets
    .filter(({ experiment: { model } }) => model.moe === undefined && isDefault(model.attention.moe))
    .flatMap(({ baseline, perplexity }) => {
      const dense = presets.find(({ id }) => id === baseline);
      return perplexity.flatMap(({ dataset, where, value }) => {
        const other = dense?.perplexity.find((cell) => cell.dataset === dataset && cell.where === where);
        return other === undefined ? [] : [value / other.value];
      });
    });
  if (ratios.length === 0) throw new Problem('No preset has a published perplexity of SwitchHead beside one of its baseline.');
  return { least: Math.min(...ratios), most: Math.max(...ratios) };
}

function isDefault(moe: ModelInput['attention']['moe']): boolean {
  if (moe === undefined || moe.shared_selection === true) return false;
  const { projections = ['value', 'output'] } = moe;
  return projections.length === 2 && projections.includes('value') && projections.includes('output');
}
