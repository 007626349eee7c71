import type { LoadedConfig, Position, SourceRange } from '../config/configFile';
import { describeKey, type KeyDescription } from '../config/describeKey';
import type { Beside } from './besideYaml';
import type { HintedConfig } from './inlayHints';

export interface KeyHover {
  readonly range: SourceRange;
  readonly markdown: string;
}

/** What is said over a key of a config; beside the YAML extension only what its schema cannot know. Undefined where there is nothing to say. */
export function hoverAt({ loaded }: HintedConfig, position: Position, beside: Beside): KeyHover | undefined {
  const key = keyAt(loaded, position);
  return key === undefined || beside === 'yaml' ? undefined : { range: key.range, markdown: descriptionOf(key.description) };
}

/** A key of the schema as a config states it. */
export interface StatedKey {
  readonly range: SourceRange;
  readonly description: KeyDescription;
}

/** The schema's key at a position of a config, undefined between keys and on keys that the schema does not know. */
export function keyAt({ rangeOf }: Pick<LoadedConfig, 'rangeOf'>, position: Position): StatedKey | undefined {
  const search = (path: readonly string[]): StatedKey | undefined => {
    const description = describeKey(path);
    if (description === undefined) return undefined;
    const range = path.length > 0 ? rangeOf(path) : undefined;
    if (range && contains(range, position)) return { range, description };
    if (path.length > 0 && !range) return undefined;
    for (const key of description.keys) {
      const found = search([...path, key]);
      if (found) return found;
    }
    return undefined;
  };
  return search([]);
}

function contains({ start, end }: SourceRange, { line, character }: Position): boolean {
  const afterStart = line > start.line || (line === start.line && character >= start.character);
  const beforeEnd = line < end.line || (line === end.line && character <= end.character);
  return afterStart && beforeEnd;
}

function descriptionOf({ path, description, type, required, default: preset }: KeyDescription): string {
  const facts = [`Must be ${type}.`];
  if (preset !== undefined) facts.push(`Default: \`${JSON.stringify(preset)}\`.`);
  else facts.push(required ? 'Required.' : 'Optional.');
  return `**${path}**\n\n${description}\n\n${facts.join(' ')}`;
}
