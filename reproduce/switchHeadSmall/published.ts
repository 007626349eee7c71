import { presets } from '../../src/config/presets/catalogue';
import { Problem } from '../problem';

export interface Band {
  readonly least: number;
  readonly most: number;
}

/**
 * The least and the greatest ratio of SwitchHead's published perplexity to that of its dense baseline with as many heads as it has experts, over all of the
 * sizes, texts and position encodings of 2312.07987 for which both are printed.
 */
export function publishedBand(): Band {
  const ratios = presets
    .filter(({ experiment }) => experiment.model.attention.moe !== undefined && experiment.model.moe === undefined)
    .flatMap(({ baseline, perplexity }) => {
      const dense = presets.find(({ id }) => id === baseline);
      return perplexity.flatMap(({ dataset, value }) => {
        const other = dense?.perplexity.find((cell) => cell.dataset === dataset);
        return other === undefined ? [] : [value / other.value];
      });
    });
  if (ratios.length === 0) throw new Problem('No preset has a published perplexity of SwitchHead beside one of its baseline.');
  return { least: Math.min(...ratios), most: Math.max(...ratios) };
}
