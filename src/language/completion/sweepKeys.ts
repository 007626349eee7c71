import { describeKey } from '../../config/describeKey';
import { sweepableKeys } from '../../config/sweep';
import { keyText } from '../hover';
import type { TypedPlace } from '../place';
import { completion, type Completion } from './completion';

/** Dotted keys of `sweep:`; in a mapping each with a list of values, in a member of a list with one. */
export function sweepCompletions(place: TypedPlace): readonly Completion[] {
  const isMember = typeof place.path[1] === 'number';
  return sweepableKeys()
    .filter((key) => !place.siblings.has(key))
    .flatMap((key, index): Completion[] => {
      const description = describeKey(key.split('.'));
      // Whole sections can be swept, but nobody types one as a key.
      if (description === undefined || description.keys.length > 0) return [];
      return [
        completion(key, 'key', place.range, {
          insertText: place.hasColon ? key : isMember ? `${key}: ` : `${key}: [$0]`,
          isSnippet: !isMember && !place.hasColon,
          detail: description.type,
          documentation: keyText(description),
          sortText: String(index).padStart(3, '0'),
          asksOn: !place.hasColon && description.choices.length > 0,
        }),
      ];
    });
}
