import type { LoadedConfig, Position, SourceRange } from '../config/configFile';
import { describeKey, type KeyDescription } from '../config/describeKey';
import type { KeyPath } from '../config/yamlTree';
import { endOfValue } from './valuePlace';

/** A key of the schema as a config states it. */
export interface StatedKey {
  readonly path: KeyPath;
  /** Of the key, or of a value on the same line that the position is in. */
  readonly range: SourceRange;
  readonly description: KeyDescription;
}

/** The schema's key at a position of a config, undefined between keys and on keys that the schema does not know. */
export function keyAt({ rangeOf, text }: Pick<LoadedConfig, 'rangeOf' | 'text'>, position: Position): StatedKey | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  const search = (path: readonly string[]): StatedKey | undefined => {
    const description = describeKey(path);
    if (description === undefined) return undefined;
    const key = path.length > 0 ? rangeOf(path) : undefined;
    const value = key && { start: key.end, end: endOfValue(lines, key) ?? key.end };
    if (key && contains(key, position)) return { path, range: key, description };
    if (value && contains(value, position)) return { path, range: { start: key.start, end: value.end }, description };
    if (path.length > 0 && !key) return undefined;
    for (const inner of description.keys) {
      const found = search([...path, inner]);
      if (found) return found;
    }
    return undefined;
  };
  return search([]);
}

export function contains({ start, end }: SourceRange, { line, character }: Position): boolean {
  const afterStart = line > start.line || (line === start.line && character >= start.character);
  const beforeEnd = line < end.line || (line === end.line && character <= end.character);
  return afterStart && beforeEnd;
}
