import { describeKey } from '../../config/describeKey';
import type { KeyPath } from '../../config/yamlTree';
import type { TypedPlace } from '../place';
import { completion, type Completion } from './completion';

/** What a key may be, where it is one of a few, and its default. `path` is of the key that the value is for. */
export function valueCompletions(place: TypedPlace, path: KeyPath): readonly Completion[] {
  const description = describeKey(path);
  if (description === undefined || description.keys.length > 0) return [];
  const { choices, type, default: preset } = description;
  const words = choices.length > 0 ? choices : type === 'true or false' ? ['true', 'false'] : [];
  const values = words.length > 0 ? words : typeof preset === 'number' ? [String(preset)] : [];
  return values.map((value, index) =>
    completion(value, 'value', place.range, {
      insertText: `${place.needsSpace ? ' ' : ''}${value}`,
      detail: value === String(preset) ? 'default' : '',
      documentation: meaningOf(value, description.description),
      sortText: String(index).padStart(3, '0'),
    }),
  );
}

/** The part of a description that speaks of a word: `smoe routes tokens`, `causal: every token is predicted ...`. */
function meaningOf(value: string, description: string): string {
  const sentences = description.split(/(?<=[.;])\s+/);
  const about = sentences.filter((sentence) => sentence.startsWith(`${value}:`) || sentence.startsWith(`${value} `));
  return (about.length === 0 ? description : about.join(' ')).replace(/;$/, '.');
}
