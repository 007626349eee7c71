import { isAlias, isMap, isScalar } from 'yaml';
import type { ParsedNode } from 'yaml';
import { commentsIn } from '../comments';
import type { ConfigValue } from '../remedy';
import type { KeyPath } from '../yamlTree';
import { insertEntry, sectionAround } from './insertEntry';
import type { NewEntry } from './insertEntry';
import { columnOf, entryEnd, entryOf, extent, find, lineEnd, opensLine } from './nodes';
import type { Entry, Source } from './nodes';
import type { OffsetEdit } from './offsets';
import { inOneLine, writtenText } from './written';
import type { Quote } from './written';

/** The first half of a move: the entry at its new place, as it is written. */
export interface CopiedEntry {
  readonly edits: readonly OffsetEdit[];
  /** Comments of the entry that could not come along. */
  readonly left: readonly string[];
}

/** Another name for a key, at its place. */
export function renameKey(source: Source, path: KeyPath, name: string): readonly OffsetEdit[] | undefined {
  const entry = movedEntry(source, path);
  if (!entry || !isScalar(entry.key)) return undefined;
  const quote: Quote = entry.key.type === 'QUOTE_DOUBLE' ? 'double' : entry.key.type === 'QUOTE_SINGLE' ? 'single' : 'plain';
  const [start, end] = entry.key.range;
  return [{ start, end, newText: writtenText(name, quote) }];
}

/** `value` is what stands at `path`, for where it cannot be taken over as it is written. */
export function copyEntry(source: Source, path: KeyPath, to: KeyPath, value: ConfigValue): CopiedEntry | undefined {
  const entry = movedEntry(source, path);
  const found = find(source, to);
  if (!entry?.value || found.depth >= to.length) return undefined;
  const { value: node } = entry;
  const fromFlow = find(source, path).containers.at(-1)?.flow === true;
  const comments = commentsOf(source, entry, fromFlow);
  const name = String(to.at(-1));
  const inFlow = (quote: Quote): string => `${writtenText(name, quote)}: ${asWritten(source.text, node) ?? inOneLine(value, quote)}`;
  const moved: NewEntry = {
    path: to,
    inFlow,
    lines: () => (fromFlow ? [[inFlow('plain'), ...comments].join(' ')] : linesOf(source, entry, writtenText(name))),
  };
  const target = to
    .slice(found.depth, -1)
    .reduceRight<NewEntry>((inner, _, index) => sectionAround(to.slice(0, found.depth + index + 1), inner), moved);
  const edits = insertEntry(source, found, target);
  return edits && { edits, left: found.containers.at(-1)?.flow === true ? comments : [] };
}

function movedEntry(source: Source, path: KeyPath): Entry | undefined {
  const { containers, depth } = find(source, path);
  const container = containers.at(-1);
  const key = path.at(-1);
  return depth === path.length && isMap(container) && key !== undefined ? entryOf(container, key) : undefined;
}

/** With the one behind it, where it has its line for itself. */
function commentsOf({ text }: Source, entry: Entry, flow: boolean): readonly string[] {
  const end = entryEnd(text, entry);
  const last = lineEnd(text, end);
  const ownLine = !flow || (opensLine(text, entry.key.range[0]) && /^[ \t]*,?[ \t]+#/.test(text.slice(end, last)));
  return commentsIn(text.slice(entry.key.range[0], ownLine ? last : end)).map(({ comment }) => comment);
}

/** The text of a value, if it is one line that says the same inside brackets. */
function asWritten(text: string, node: ParsedNode): string | undefined {
  const { start, end } = extent(text, node);
  const written = text.slice(start, end);
  if (/[\r\n]/.test(written)) return undefined;
  if (isScalar(node)) return node.type === 'PLAIN' && /[,[\]{}]/.test(written) ? undefined : written;
  return isAlias(node) || node.flow === true ? written : undefined;
}

/** Below another key: lines as they are, indented as if the first stood at the start of its line. */
function linesOf({ text }: Source, entry: Entry, key: string): readonly string[] {
  const column = columnOf(text, entry.key.range[0]);
  const [first = '', ...rest] = text.slice(entry.key.range[1], lineEnd(text, entryEnd(text, entry))).split(/\r?\n/);
  const outdent = new RegExp(`^ {0,${column}}`);
  return [key + first, ...rest.map((line) => line.replace(outdent, ''))];
}
