import type { SourceRange } from '../config/configFile';

/** Where somebody types in a config that need not be YAML yet. */
export interface TypedPlace {
  /** `key`: of the mapping at `path`. `value`: of the key or list entry that `path` ends with, where a mapping may begin too. */
  readonly side: 'key' | 'value' | 'comment';
  /** List entries are numbers. */
  readonly path: readonly (string | number)[];
  /** From the beginning of the word, value or comment up to the position. */
  readonly typed: string;
  /** All of the word or value, behind the position too. */
  readonly range: SourceRange;
  /** Whether it is inside `{ }` or `[ ]`. */
  readonly flow: boolean;
  /** Whether a colon follows already. */
  readonly hasColon: boolean;
  /** The value begins right behind its colon, where YAML wants a space. */
  readonly needsSpace: boolean;
  /** Column of the key, or of what would be one. */
  readonly indent: number;
  /** Keys that the mapping has already, but for the one that is typed. */
  readonly siblings: ReadonlySet<string>;
}

/** Where a place was found, before it is known what else its mapping has. */
export type FoundPlace = Omit<TypedPlace, 'siblings'>;

export function unquoted(key: string): string {
  const quote = key[0];
  return quote === '"' || quote === "'" ? key.slice(1, key.endsWith(quote) && key.length > 1 ? -1 : undefined) : key;
}
