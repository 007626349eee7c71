import type { ParsedNode } from 'yaml';
import { isSeq } from 'yaml';
import { commentsIn } from '../comments';
import { indentAt } from './insertEntry';
import { contentEnd, entryEnd, entryOf, lineEnd, lineStart, nextLine, opensLine } from './nodes';
import type { Entry, Found, List, Mapping, Source } from './nodes';
import type { OffsetEdit } from './offsets';
import type { KeyPath } from '../yamlTree';

interface Extent {
  readonly start: number;
  readonly end: number;
}

/**
 * Takes out what stands at a path that was found, and every section that is empty without it. `left` are comments that stay in its place.
 */
export function removeEntry(
  source: Source,
  { containers }: Found,
  path: KeyPath,
  left: readonly string[] = [],
): readonly OffsetEdit[] | undefined {
  let depth = path.length - 1;
  while (depth > 0 && containers[depth]?.items.length === 1) depth -= 1;
  const container = containers[depth];
  const key = path[depth];
  if (!container || key === undefined) return undefined;
  const extents = extentsOf(source.text, container);
  const number = isSeq(container) ? Number(key) : (container.items as Entry[]).indexOf(entryOf(container, key) as Entry);
  return container.flow === true ? fromFlow(source, container, extents, number, left) : fromBlock(source, container, extents, number, left);
}

function extentsOf(text: string, container: Mapping | List): readonly Extent[] {
  if (isSeq(container))
    return (container.items as ParsedNode[]).map((item) => ({ start: withProperties(text, item.range[0]), end: contentEnd(text, item) }));
  return (container.items as Entry[]).map((entry) => ({ start: withProperties(text, entry.key.range[0]), end: entryEnd(text, entry) }));
}

/** From the anchor and the tag before it on. */
function withProperties(text: string, offset: number): number {
  const before = text.slice(lineStart(text, offset), offset);
  return offset - (/(?:(?<=[\s,[{]|^)[&!][^\s,[\]{}]*[ \t]+)+$/u.exec(before)?.[0].length ?? 0);
}

function fromBlock(
  { text, eol }: Source,
  container: Mapping | List,
  extents: readonly Extent[],
  number: number,
  left: readonly string[],
): readonly OffsetEdit[] | undefined {
  const own = extents[number];
  if (!own) return undefined;
  const opening = isSeq(container) ? dashBefore(text, own.start) : own.start;
  if (opening !== undefined && opensLine(text, opening)) {
    const indent = indentAt(text, opening);
    // A byte order mark is not part of its line.
    const from = lineStart(text, opening) + (text.startsWith('\uFEFF') && lineStart(text, opening) === 0 ? 1 : 0);
    return [{ start: from, end: nextLine(text, own.end), newText: left.map((comment) => indent + comment + eol).join('') }];
  }
  // The first key behind a dash: the next takes its place.
  const next = extents[number + 1];
  if (!next || isSeq(container) || left.length > 0 || text.slice(own.end, next.start).trim() !== '') return undefined;
  return [{ start: own.start, end: next.start, newText: '' }];
}

function dashBefore(text: string, offset: number): number | undefined {
  const dash = /-[ \t]*$/.exec(text.slice(lineStart(text, offset), offset));
  return dash ? lineStart(text, offset) + dash.index : undefined;
}

function fromFlow(
  { text }: Source,
  container: Mapping | List,
  extents: readonly Extent[],
  number: number,
  left: readonly string[],
): readonly OffsetEdit[] | undefined {
  const [before, own, after] = [extents[number - 1], extents[number], extents[number + 1]];
  if (!own || left.length > 0) return undefined;
  const rest = text.slice(own.end, lineEnd(text, own.end));
  if (opensLine(text, own.start) && /^[ \t]*,?[ \t]*(?:[ \t]#.*)?$/u.test(rest)) {
    const comma = before && !after && !/^[ \t]*,/.test(rest) ? /^[ \t]*,/.exec(text.slice(before.end)) : undefined;
    const commaAt = before && comma ? before.end + comma[0].length - 1 : undefined;
    return [
      ...(commaAt === undefined ? [] : [{ start: commaAt, end: commaAt + 1, newText: '' }]),
      { start: lineStart(text, own.start), end: nextLine(text, own.end), newText: '' },
    ];
  }
  if (after) return /^\s*,\s*$/.test(text.slice(own.end, after.start)) ? [{ start: own.start, end: after.start, newText: '' }] : undefined;
  if (before) return /^\s*,\s*$/.test(text.slice(before.end, own.start)) ? [{ start: before.end, end: own.end, newText: '' }] : undefined;
  const [start, end] = container.range;
  return commentsIn(text.slice(start, end)).length > 0 ? undefined : [{ start: start + 1, end: end - 1, newText: '' }];
}
