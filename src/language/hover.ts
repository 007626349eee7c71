import type { Position, SourceRange } from '../config/configFile';
import { describeKey, type KeyDescription } from '../config/describeKey';
import { keyFacts, keyMeaning, keySource } from '../config/keyFacts/keyFacts';
import { ruleSentence } from '../config/ruleCodes';
import type { KeyPath } from '../config/yamlTree';
import { sizeKeys } from '../parity/sizeKeys';
import type { Beside } from './besideYaml';
import { effectTable } from './effects';
import { familyMarkdown, familyTable } from './familyTable';
import type { HintedConfig } from './inlayHints';
import { contains, keyAt } from './keyAt';
import { parityTable } from './parityTexts';
import { ruleList } from './ruleList';

export interface KeyHover {
  readonly range: SourceRange;
  readonly markdown: string;
}

/**
 * What is said over a key of a config; beside the YAML extension only what its schema cannot know. Undefined where there is nothing to say.
 */
export function hoverAt(config: HintedConfig, position: Position, beside: Beside): KeyHover | undefined {
  const beyond = beyondSchema(config, position, beside);
  if (beyond !== undefined) return beyond;
  const key = keyAt(config.loaded, position);
  if (key === undefined) return undefined;
  const own = figures(config, key.path);
  // Figures first: a hover shows its beginning, and the source can be scrolled to.
  const parts = beside === 'yaml' ? own : [meaningOf(key.description), ...own, ...sourceOf(key.description)];
  return parts.length === 0 ? undefined : { range: key.range, markdown: parts.join('\n\n') };
}

/** Keys that no schema names: codes of rules in `lint:`, dotted keys in `sweep:`. */
function beyondSchema({ loaded }: HintedConfig, position: Position, beside: Beside): KeyHover | undefined {
  const at = (path: KeyPath): SourceRange | undefined => {
    const range = loaded.rangeOf(path);
    return range && contains(range, position) ? range : undefined;
  };
  for (const rule of ruleList) {
    const range = at(['lint', rule.code]);
    // Those that can be set are in the schema that the YAML extension reads.
    if (range)
      return rule.advisory && beside === 'yaml'
        ? undefined
        : { range, markdown: `**${rule.code}** (${rule.severity})\n\n${ruleSentence(rule)}` };
  }
  for (const [index, { changes }] of loaded.members.entries()) {
    for (const key of Object.keys(changes)) {
      const range = at(['sweep', key]) ?? at(['sweep', index, key]);
      const description = range && describeKey(key.split('.'));
      if (range && description) return { range, markdown: keyText(description) };
    }
  }
  return undefined;
}

/** What the schema knows of a key. */
export function keyText(description: KeyDescription): string {
  return [meaningOf(description), ...sourceOf(description)].join('\n\n');
}

function meaningOf({ path, description, type, required, default: preset }: KeyDescription): string {
  const absent = preset !== undefined ? `default \`${JSON.stringify(preset)}\`` : required ? 'required' : 'optional';
  return `**${path}**: ${type}; ${absent}\n\n${keyMeaning(description, keyFacts[path])}`;
}

function sourceOf({ path }: KeyDescription): readonly string[] {
  const source = keySource(keyFacts[path]);
  return source === undefined ? [] : [source];
}

/** What this config makes of it. */
function figures(config: HintedConfig, path: KeyPath): string[] {
  const effect = effectTable(config, path);
  const isSize = sizeKeys.some(({ path: size }) => size.join('.') === path.join('.'));
  const { count, baseline } = config;
  const comparable = count !== undefined && baseline !== undefined && (isSize || path[0] === 'parity');
  const family = path[0] === 'sweep' ? familyTable(config) : undefined;
  const parity = comparable ? [parityTable({ count, baseline })] : [];
  return [...(effect === undefined ? [] : [effect]), ...parity, ...(family === undefined ? [] : [familyMarkdown(family)])];
}
