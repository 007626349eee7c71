import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { ParsedNode } from 'yaml';
import { isMapping } from '../mapping';
import type { ConfigValue, KeyChange } from '../remedy';
import type { KeyPath } from '../yamlTree';
import { sameValue } from './changedValue';
import {
  appendToList,
  entryOfValue,
  entryWithoutValue,
  indented,
  insertEntry,
  insertion,
  quoteOf,
  sectionAround,
  spaced,
  type NewEntry,
} from './insertEntry';
import { columnOf, entryOf, extent, find, lineEnd } from './nodes';
import type { Entry, Found, Source } from './nodes';
import type { OffsetEdit } from './offsets';
import { asLines, inOneLine, isList } from './written';
import type { Quote } from './written';

/** What has to be set and removed to turn one value into another: only what differs is touched. */
export function leafChanges(path: KeyPath, old: unknown, value: ConfigValue): readonly KeyChange[] {
  if (sameValue(old, value)) return [];
  if (Array.isArray(old) && isList(value) && old.length > 0 && value.length > 0) {
    const entries = old as readonly unknown[];
    return [
      ...value.flatMap((entry, index) =>
        index < entries.length ? leafChanges([...path, index], entries[index], entry) : [set([...path, index], entry)],
      ),
      ...entries.slice(value.length).map((_, index): KeyChange => ({ kind: 'remove', path: [...path, entries.length - 1 - index] })),
    ];
  }
  if (isMapping(old) && isRecord(value) && Object.keys(old).length > 0 && Object.keys(value).length > 0) {
    return [
      ...Object.entries(value).flatMap(([key, inner]) =>
        Object.hasOwn(old, key) ? leafChanges([...path, key], old[key], inner) : [set([...path, key], inner)],
      ),
      ...Object.keys(old).flatMap((key): KeyChange[] => (Object.hasOwn(value, key) ? [] : [{ kind: 'remove', path: [...path, key] }])),
    ];
  }
  return [set(path, value)];
}

function set(path: KeyPath, value: ConfigValue): KeyChange {
  return { kind: 'set', path, value };
}

function isRecord(value: ConfigValue): value is { readonly [key: string]: ConfigValue } {
  return isMapping(value);
}

/** Whether it is a value in one piece, in place of which another can stand without moving anything else. */
export function isInOnePiece(node: ParsedNode | null, value: ConfigValue): boolean {
  return isScalar(node) && node.value !== null && typeof value !== 'object';
}

/** Sets one value as a whole. */
export function setValue(source: Source, path: KeyPath, value: ConfigValue): readonly OffsetEdit[] | undefined {
  const found = find(source, path);
  if (found.depth === path.length && path.length > 0) return replace(source, found, path, value);
  const container = found.containers.at(-1);
  if (isSeq(container) && found.containers.length === found.depth + 1) {
    return path[found.depth] === container.items.length
      ? appendToList(source, container, nested(path.slice(found.depth + 1), value))
      : undefined;
  }
  if (path.length === 0) return undefined;
  return insertEntry(source, found, entryOfValue(path.slice(0, found.depth + 1), nested(path.slice(found.depth + 1), value)));
}

/** Leaves a key without the value that it has, or puts in one that has none. */
export function emptyValue(source: Source, path: KeyPath): readonly OffsetEdit[] | undefined {
  const found = find(source, path);
  const container = found.containers.at(-1);
  const key = path.at(-1);
  if (key === undefined || isSeq(container)) return undefined;
  if (found.depth < path.length) return insertEntry(source, found, emptyFrom(path, found.depth));
  const entry = container && entryOf(container, key);
  if (!entry || !found.node) return undefined;
  if (isScalar(found.node) && found.node.value === null) return [];
  const { text } = source;
  const { start, end } = extent(text, found.node);
  if (container.flow === true) return [{ start: entry.key.range[1], end, newText: ': null' }];
  // A comment behind the last of several lines is about that one, and goes with it.
  const isBelow = start > lineEnd(text, entry.key.range[1]);
  return [{ start: entry.key.range[1], end: isBelow ? lineEnd(text, end) : end, newText: ':' }];
}

/** In those of its sections that are not there. */
function emptyFrom(path: KeyPath, depth: number): NewEntry {
  const missing = Array.from({ length: path.length - depth - 1 }, (_, index) => path.slice(0, path.length - 1 - index));
  return missing.reduce<NewEntry>((inner, section) => sectionAround(section, inner), entryWithoutValue(path));
}

function nested(path: KeyPath, value: ConfigValue): ConfigValue {
  return path.reduceRight<ConfigValue>((inner, key) => ({ [String(key)]: inner }), value);
}

function replace(source: Source, { containers, node }: Found, path: KeyPath, value: ConfigValue): readonly OffsetEdit[] | undefined {
  const { text, eol, step } = source;
  const container = containers.at(-1);
  const key = path.at(-1);
  if (!container || key === undefined) return undefined;
  const entry: Entry | undefined = isMap(container) ? entryOf(container, key) : undefined;
  const quote = quoteOfValue(node, quoteOf(container.items as Entry[]));
  // `{ key }`, without a colon.
  if (node === null) return entry ? insertion(entry.key.range[1], `: ${inOneLine(value, quote)}`) : undefined;
  if (isScalar(node) && node.value === null && node.source === '') {
    const lines = asLines(path, value, step);
    if (!entry || container.flow === true || lines.length === 1) return insertion(...spaced(text, node.range[0], inOneLine(value, quote)));
    const indent = ' '.repeat(columnOf(text, entry.key.range[0]));
    return insertion(
      lineEnd(text, entry.key.range[1]),
      lines
        .slice(1)
        .map((line) => eol + indented(line, indent))
        .join(''),
    );
  }
  const { start, end } = extent(text, node);
  const block = !isScalar(node) && !isAlias(node) && node.flow !== true;
  if (block && entry) return [{ start: entry.key.range[1], end, newText: `: ${inOneLine(value)}` }];
  return [{ start, end, newText: inOneLine(value, quote) }];
}

/** A text stays in the quotes that it has. */
function quoteOfValue(node: ParsedNode | null, around: Quote): Quote {
  if (!isScalar(node)) return around;
  if (node.type === 'QUOTE_DOUBLE') return 'double';
  return node.type === 'QUOTE_SINGLE' ? 'single' : around;
}
