import { isAlias, isCollection, isMap, isScalar, isSeq } from 'yaml';
import type { Alias, Pair, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { KeyPath, YamlDocument } from '../yamlTree';

/** As the parser makes them: with their places. */
export type Mapping = YAMLMap.Parsed;
export type List = YAMLSeq.Parsed;
export type Entry = Pair<ParsedNode, ParsedNode | null>;

/** A text taken apart. */
export interface Source {
  readonly text: string;
  readonly document: YamlDocument;
  /** How its lines end. */
  readonly eol: string;
  /** What a level is indented by. */
  readonly step: string;
}

/** Where a path leads, through mappings and lists that stand there themselves: an alias is where it ends. */
export interface Found {
  /** The last that is there of those on the way, the root first. */
  readonly containers: readonly (Mapping | List)[];
  /** How many keys of the path were found. */
  readonly depth: number;
  /** What stands at the end of those; null where that is nothing. */
  readonly node: ParsedNode | null;
}

export function find({ document }: Source, path: KeyPath): Found {
  const containers: (Mapping | List)[] = [];
  let node = rootOf(document);
  let depth = 0;
  for (const key of path) {
    if (isMap(node)) {
      const entry = entryOf(node, key);
      if (!entry) {
        containers.push(node);
        break;
      }
      containers.push(node);
      node = entry.value;
    } else if (isSeq(node)) {
      const item = typeof key === 'number' ? node.items[key] : undefined;
      containers.push(node);
      if (item === undefined) break;
      // A list holds nodes or, as `[a: 1]`, pairs, which are mappings to the parser.
      node = item as ParsedNode;
    } else break;
    depth += 1;
  }
  return { containers, depth, node };
}

function rootOf({ contents }: YamlDocument): ParsedNode | null {
  return contents as ParsedNode | null;
}

/** Of a key that is there twice the later one: its value is the one that holds. */
export function entryOf(map: Mapping, key: string | number): Entry | undefined {
  return (map.items as Entry[]).findLast((item) => isScalar(item.key) && String(item.key.value ?? '') === String(key));
}

export function isNode(value: unknown): value is Alias | Scalar | YAMLMap | YAMLSeq {
  return isAlias(value) || isScalar(value) || isCollection(value);
}

/** From where a node is written, without its anchor and tag, to where its text ends. */
export function extent(text: string, node: ParsedNode): { readonly start: number; readonly end: number } {
  const [start] = node.range;
  return { start, end: Math.max(start, contentEnd(text, node)) };
}

/** Where the last that a node says ends: comments and empty lines after it are not its own. */
export function contentEnd(text: string, node: ParsedNode): number {
  if (isMap(node) && node.flow !== true) {
    const last = (node.items as Entry[]).at(-1);
    return last ? entryEnd(text, last) : node.range[0];
  }
  if (isSeq(node) && node.flow !== true) {
    const last = (node.items as ParsedNode[]).at(-1);
    return last ? contentEnd(text, last) : node.range[0];
  }
  if (isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')) {
    const written = text.slice(node.range[0], node.range[1]);
    // With `+` the empty lines at the end are part of the text.
    const keeps = /^[|>][1-9]?\+/.test(written);
    return node.range[0] + (keeps ? written.replace(/\r?\n$/, '') : written.trimEnd()).length;
  }
  return node.range[1];
}

export function entryEnd(text: string, { key, value }: Entry): number {
  return value ? contentEnd(text, value) : key.range[1];
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Before the characters that end it. */
export function lineEnd(text: string, offset: number): number {
  const feed = text.indexOf('\n', offset);
  if (feed < 0) return text.length;
  return feed > offset && text[feed - 1] === '\r' ? feed - 1 : feed;
}

/** Where the next line begins; the end of the text after the last. */
export function nextLine(text: string, offset: number): number {
  const feed = text.indexOf('\n', offset);
  return feed < 0 ? text.length : feed + 1;
}

/** How far a place is from the start of its line; a byte order mark takes no room. */
export function columnOf(text: string, offset: number): number {
  const start = lineStart(text, offset);
  return offset - start - (start === 0 && text.startsWith('\uFEFF') ? 1 : 0);
}

/** Whether nothing but blanks stands before a place in its line. */
export function opensLine(text: string, offset: number): boolean {
  return /^\uFEFF?[ \t]*$/.test(text.slice(lineStart(text, offset), offset));
}

export function sourceOf(text: string, document: YamlDocument): Source {
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  return { text, document, eol, step: ' '.repeat(stepOf(text, rootOf(document)) ?? 2) };
}

/** The columns between a block mapping and the first that stands in it. */
function stepOf(text: string, node: ParsedNode | null): number | undefined {
  if (!isMap(node) || node.flow === true) return undefined;
  for (const { key, value } of node.items as Entry[]) {
    if (!isMap(value) || value.flow === true) continue;
    const step = columnOf(text, value.range[0]) - columnOf(text, key.range[0]);
    if (step > 0) return step;
  }
  return undefined;
}
