import { atValue } from '../pathFinding';
import { changing, mended, removing, set, sure } from './remedies';
import type { Violation } from './rule';
import { violation } from './rule';

/** What is wrong with `moe.layers` or `product_keys.layers`: a layer that there is not, or one twice. */
export function layerListFindings(section: 'moe' | 'product_keys', listed: readonly number[] = [], layers: number): Violation[] {
  return listed.flatMap((layer, index): Violation[] => {
    const rest = listed.filter((_, other) => other !== index);
    const path = ['model', section, 'layers'];
    const without = rest.length === 0 ? removing(path) : changing(`Leave out layer ${layer}`, set(path, rest));
    const spots = [atValue('model', section, 'layers', index), atValue('model', 'layers')];
    if (layer >= layers) {
      const last = layers === 1 ? 'it is layer 0' : `they are layers 0 to ${layers - 1}`;
      return [
        mended(
          violation(`\`${section}.layers\` names layer ${layer}, but there ${countOf(layers)} and ${last}; leave it out.`, ...spots),
          without,
        ),
      ];
    }
    return listed.indexOf(layer) < index
      ? [mended(violation(`\`${section}.layers\` names layer ${layer} twice; leave one out.`, ...spots), sure(without))]
      : [];
  });
}

function countOf(layers: number): string {
  return layers === 1 ? 'is one layer' : `are ${layers} layers`;
}
