import { isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Pair, YAMLMap } from 'yaml';
import type { Remedy } from './remedy';
import { sure } from './rules/remedies';
import type { SourceText } from './sourceText';

/** Longer texts are nobody's configs: what would mend them is not tried. */
const MOST_CHARACTERS = 20_000;

/** Spaces that a tab may have stood for, most usual first. */
const widths = [2, 4, 8] as const;

/** Every tab in an indentation becomes spaces: as many as make the text YAML. */
export function tabRemedies({ text, rangeBetween }: SourceText): readonly Remedy[] {
  if (text.length > MOST_CHARACTERS) return [];
  for (const width of widths) {
    const tabs = [...text.matchAll(/^[ \t]*\t[ \t]*/gm)].map((indentation) => ({
      start: indentation.index,
      end: indentation.index + indentation[0].length,
      newText: indentation[0].replaceAll('\t', ' '.repeat(width)),
    }));
    if (!isYaml(replaced(text, tabs))) continue;
    const edits = tabs.map(({ start, end, newText }) => ({ range: rangeBetween(start, end), newText }));
    return [sure({ title: `Replace tabs by ${width} spaces`, changes: [], edits })];
  }
  return [];
}

/** The bracket, brace or quote that closes what is left open, where adding it at the end of a line makes the text YAML. */
export function closingRemedies({ text, rangeBetween }: SourceText, start: number, closing: string): readonly Remedy[] {
  if (text.length > MOST_CHARACTERS) return [];
  const written = text.slice(0, start).trimEnd().length;
  for (const at of [...endsOfLine(text, start), ...endsOfLine(text, written)]) {
    if (!isYaml(replaced(text, [{ start: at, end: at, newText: closing }]))) continue;
    return [{ title: `Add ${closing}`, changes: [], edits: [{ range: rangeBetween(at, at), newText: closing }] }];
  }
  return [];
}

/** Where what a line says from `from` on ends, before its comment and after it; and where it began. */
function endsOfLine(text: string, from: number): readonly number[] {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const [line = ''] = text.slice(start).split(/[\r\n]/, 1);
  const comment = /\s#/.exec(line)?.index ?? line.length;
  return [start + line.slice(0, comment).trimEnd().length, start + line.trimEnd().length, from];
}

interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

function replaced(text: string, replacements: readonly Replacement[]): string {
  let from = 0;
  const pieces = replacements.map(({ start, end, newText }) => {
    const piece = text.slice(from, start) + newText;
    from = end;
    return piece;
  });
  return pieces.join('') + text.slice(from);
}

/** How many keys are there twice; without end where the text is no YAML. */
function repeatedKeys(text: string): number {
  const { errors } = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  return errors.every(({ code }) => code === 'DUPLICATE_KEY') ? errors.length : Infinity;
}

function isYaml(text: string): boolean {
  return repeatedKeys(text) < Infinity;
}

/** Of a key that is there twice, the later or the earlier goes; where both say the same that is no question. */
export function duplicateRemedies(source: SourceText, document: Document, keyStart: number): readonly Remedy[] {
  if (source.text.length > MOST_CHARACTERS) return [];
  const twice = pairAt(document, keyStart);
  if (twice === undefined) return [];
  const { map, earlier, later } = twice;
  const drop = (pair: Pair): Remedy['edits'] => {
    const removed = extentOf(source.text, map, pair);
    return removed && repeatedKeys(replaced(source.text, [{ ...removed, newText: '' }])) < document.errors.length
      ? [{ range: source.rangeBetween(removed.start, removed.end), newText: '' }]
      : undefined;
  };
  const [first, second] = [drop(earlier), drop(later)];
  const same = JSON.stringify(earlier.value) === JSON.stringify(later.value);
  const remedy = (which: string, edits: Remedy['edits']): readonly Remedy[] =>
    edits === undefined ? [] : [{ title: `Remove the ${which} of the two`, changes: [], edits, ...(same ? { sure: true } : {}) }];
  return same ? remedy('second', second) : [...remedy('second', second), ...remedy('first', first)];
}

function pairAt(document: Document, start: number): { map: YAMLMap; earlier: Pair; later: Pair } | undefined {
  let found: { map: YAMLMap; earlier: Pair; later: Pair } | undefined;
  visit(document, {
    Map: (_, map) => {
      const later = map.items.find(({ key }) => isNode(key) && key.range?.[0] === start);
      const name = isScalar(later?.key) ? later.key.value : undefined;
      const earlier = map.items.find((pair) => pair !== later && isScalar(pair.key) && pair.key.value === name);
      if (later && earlier) found = { map, earlier, later };
      return found ? visit.BREAK : undefined;
    },
  });
  return found;
}

/** An entry of a block with its lines, of a flow mapping with the comma at one side. */
function extentOf(text: string, map: YAMLMap, { key, value }: Pair): { start: number; end: number } | undefined {
  if (!isNode(key) || !key.range) return undefined;
  const start = key.range[0];
  const end = isNode(value) && value.range ? (isMap(value) || map.flow ? value.range[1] : value.range[2]) : key.range[1];
  if (map.flow) {
    const after = /^\s*,[ \t]*/.exec(text.slice(end));
    if (after) return { start, end: end + after[0].length };
    const before = /,\s*$/.exec(text.slice(0, start));
    return before ? { start: before.index, end } : undefined;
  }
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  // Behind `- ` or `? `, or behind a key of another line, the line is not its own.
  if (text.slice(lineStart, start).trim() !== '') return undefined;
  const rest = /^[^\n]*(\n|$)/.exec(text.slice(Math.max(start, end - 1)));
  const lineEnd = text[end - 1] === '\n' ? end : Math.max(start, end - 1) + (rest?.[0].length ?? 0);
  return { start: lineStart, end: lineEnd };
}
