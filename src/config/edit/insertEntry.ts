import { isMap, isScalar } from 'yaml';
import { describeKey } from '../describeKey';
import type { ConfigValue } from '../remedy';
import type { KeyPath } from '../yamlTree';
import { columnOf, contentEnd, entryEnd, lineEnd, lineStart, opensLine } from './nodes';
import type { Entry, Found, List, Mapping, Source } from './nodes';
import type { OffsetEdit } from './offsets';
import { asLines, inOneLine, writtenText } from './written';
import type { Quote } from './written';

/** What is to stand in a mapping, in the styles that it may have to take. */
export interface NewEntry {
  readonly path: KeyPath;
  /** Undefined where it cannot be written in one line. */
  inFlow(quote: Quote): string | undefined;
  /** Without the indentation of the first line. */
  lines(step: string): readonly string[];
}

export function entryOfValue(path: KeyPath, value: ConfigValue): NewEntry {
  const key = String(path.at(-1) ?? '');
  return {
    path,
    inFlow: (quote) => `${writtenText(key, quote)}: ${inOneLine(value, quote)}`,
    lines: (step) => asLines(path, value, step),
  };
}

/** A key without a value; in brackets, where not every reader takes a bare one, with a word for it. */
export function entryWithoutValue(path: KeyPath): NewEntry {
  const key = String(path.at(-1) ?? '');
  return { path, inFlow: (quote) => `${writtenText(key, quote)}: null`, lines: () => [`${writtenText(key)}:`] };
}

/** The entry in a section of its own. */
export function sectionAround(path: KeyPath, inner: NewEntry): NewEntry {
  const key = String(path.at(-1) ?? '');
  return {
    path,
    inFlow: (quote) => {
      const text = inner.inFlow(quote);
      return text === undefined ? undefined : `${writtenText(key, quote)}: { ${text} }`;
    },
    lines: (step) => [`${writtenText(key)}:`, ...inner.lines(step).map((line) => indented(line, step))],
  };
}

/** Puts an entry where `found` ends: into the mapping that has no such key, or into a section that is there but empty. */
export function insertEntry(source: Source, found: Found, entry: NewEntry): readonly OffsetEdit[] | undefined {
  const container = found.containers.at(-1);
  if (found.depth === entry.path.length - 1 && container && found.containers.length === entry.path.length) {
    if (!isMap(container)) return undefined;
    return container.flow === true
      ? intoFlow(source, container, (quote) => entry.inFlow(quote), precedingEntry(container, entry.path))
      : intoBlock(source, container, entry);
  }
  return intoEmpty(source, found, entry);
}

/** Adds to a list; what is no text, number or truth value is written in one line. */
export function appendToList(source: Source, list: List, value: ConfigValue): readonly OffsetEdit[] | undefined {
  const { text, eol } = source;
  const last = list.items.at(-1);
  if (list.flow === true) return intoFlow(source, list, (quote) => inOneLine(value, quote), list.items.length - 1);
  if (!last) return undefined;
  const indent = indentAt(text, list.range[0]);
  return insertion(lineEnd(text, contentEnd(text, last)), `${eol}${indent}- ${inOneLine(value)}`);
}

/** The number of the entry after which a new one stands as in the schema; -1 for before all, the last where the schema has no order. */
function precedingEntry(map: Mapping, path: KeyPath): number {
  const order = describeKey(path.slice(0, -1))?.keys ?? [];
  const at = order.indexOf(String(path.at(-1)));
  if (at < 0) return map.items.length - 1;
  const before = new Set(order.slice(0, at));
  return (map.items as Entry[]).findLastIndex(({ key }) => isScalar(key) && before.has(String(key.value)));
}

function intoBlock({ text, eol, step }: Source, map: Mapping, entry: NewEntry): readonly OffsetEdit[] | undefined {
  const entries = map.items as Entry[];
  const first = entries[0];
  if (!first) return undefined;
  const indent = indentAt(text, first.key.range[0]);
  const lines = entry.lines(step);
  const sibling = entries[precedingEntry(map, entry.path)];
  if (!sibling) {
    const at = startOfComments(text, first.key.range[0], indent);
    if (at !== undefined) return insertion(at, lines.map((line) => indented(line, indent) + eol).join(''));
    return insertion(first.key.range[0], lines.map((line, index) => (index === 0 ? line : indented(line, indent)) + eol).join('') + indent);
  }
  return insertion(lineEnd(text, entryEnd(text, sibling)), lines.map((line) => eol + indented(line, indent)).join(''));
}

/**
 * Where the comments begin that stand right above the first key of a section, indented as it is: they are about that key. Undefined where
 * there are none, and at the top of a text, where they are about all of it.
 */
function startOfComments(text: string, key: number, indent: string): number | undefined {
  if (indent === '' || !opensLine(text, key)) return undefined;
  const own = lineStart(text, key);
  let start = own;
  while (start > 0) {
    const above = lineStart(text, start - 1);
    if (!text.startsWith(`${indent}#`, above)) break;
    start = above;
  }
  return start < own ? start : undefined;
}

/** `after` is the number of the item after which it stands, -1 for before all. */
function intoFlow(
  { text, eol }: Source,
  collection: Mapping | List,
  written: (quote: Quote) => string | undefined,
  after: number,
): readonly OffsetEdit[] | undefined {
  const items = collection.items as (Entry | List['items'][number])[];
  const body = written(quoteOf(items));
  if (body === undefined) return undefined;
  const [start, end] = collection.range;
  const [first] = items;
  if (!first) {
    if (text.slice(start + 1, end - 1).trim() !== '') return undefined;
    return [{ start: start + 1, end: end - 1, newText: text[start] === '{' ? ` ${body} ` : body }];
  }
  const sibling = items[after];
  if (!sibling) {
    const at = startOf(first);
    return insertion(at, opensLine(text, at) ? `${body},${eol}${indentAt(text, at)}` : `${body}, `);
  }
  const at = endOf(text, sibling);
  const rest = text.slice(at, lineEnd(text, at));
  // Where each has a line of its own the new one gets one, too.
  if (!opensLine(text, startOf(sibling)) || !/^[ \t]*,?[ \t]*(?:[ \t]#.*)?$/u.test(rest)) return insertion(at, `, ${body}`);
  const comma = /^[ \t]*,/.test(rest);
  const line = `${eol}${indentAt(text, startOf(sibling))}${body}`;
  return comma ? insertion(at + rest.length, `${line},`) : [...insertion(at, ','), ...insertion(at + rest.length, line)];
}

/** Under a key without a value, or into a text that says nothing. */
function intoEmpty(source: Source, { containers, depth, node }: Found, entry: NewEntry): readonly OffsetEdit[] | undefined {
  const { text, eol, step } = source;
  if (depth !== entry.path.length - 1 || (node !== null && !(isScalar(node) && node.value === null))) return undefined;
  const container = containers.at(-1);
  const word = node?.source ?? '';
  // `moe: null`, as brackets have it, gives way; in a line of its own it may mean more to whoever wrote it.
  if (word !== '' && container?.flow !== true) return undefined;
  if (depth === 0) {
    const lines = entry.lines(step).map((line) => line + eol);
    const open = text !== '' && text !== '\uFEFF' && !text.endsWith('\n');
    return insertion(text.length, (open ? eol : '') + lines.join(''));
  }
  const owner =
    container &&
    (container.items as Entry[]).findLast((item) => isScalar(item.key) && String(item.key.value ?? '') === String(entry.path[depth - 1]));
  if (!container || !owner || node === null) return undefined;
  if (container.flow === true) {
    const body = entry.inFlow(quoteOf(container.items as Entry[]));
    if (body === undefined) return undefined;
    const [start] = node.range;
    if (word !== '') return [{ start, end: start + word.length, newText: `{ ${body} }` }];
    return insertion(...spaced(text, start, `{ ${body} }`));
  }
  const indent = ' '.repeat(columnOf(text, owner.key.range[0])) + step;
  return insertion(
    lineEnd(text, owner.key.range[1]),
    entry
      .lines(step)
      .map((line) => eol + indented(line, indent))
      .join(''),
  );
}

/** A value for a key that has none: apart from its colon, and from a comment. */
export function spaced(text: string, at: number, value: string): [number, string] {
  return [at, `${text[at - 1] === ':' ? ' ' : ''}${value}${text[at] === '#' ? ' ' : ''}`];
}

export function insertion(at: number, newText: string): readonly OffsetEdit[] {
  return [{ start: at, end: at, newText }];
}

function startOf(item: Entry | List['items'][number]): number {
  return 'key' in item ? item.key.range[0] : item.range[0];
}

function endOf(text: string, item: Entry | List['items'][number]): number {
  return 'key' in item ? entryEnd(text, item) : contentEnd(text, item);
}

/** As in JSON where it is written like JSON. */
export function quoteOf(items: readonly (Entry | List['items'][number])[]): Quote {
  const heads = items.map((item) => ('key' in item ? item.key : item));
  return heads.length > 0 && heads.every((head) => isScalar(head) && head.type === 'QUOTE_DOUBLE') ? 'double' : 'plain';
}

/** What the line of a place is indented by; below a dash, blanks up to the place. */
export function indentAt(text: string, offset: number): string {
  return opensLine(text, offset) ? text.slice(lineStart(text, offset), offset).replace('\uFEFF', '') : ' '.repeat(columnOf(text, offset));
}

export function indented(line: string, indent: string): string {
  return line === '' ? '' : indent + line;
}
