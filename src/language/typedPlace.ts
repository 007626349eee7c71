import type { Position } from '../config/configFile';
import { FlowReader } from './flowReader';
import { unquoted, type FoundPlace, type TypedPlace } from './place';

/** A block key or list entry that the current line is inside of. */
interface Block {
  readonly indent: number;
  readonly key: string | number;
}

const blockKey = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s'"{}[\],#&*!|>%@`:-][^:#]*?|-[^\s:#][^:#]*?)[ \t]*:(?=\s|$)/;

/** Lines longer than this are no config: nothing is looked for in them. */
const longestLine = 20_000;

/**
 * Reads a text by indentation and brackets alone, so that an unfinished line does not hide where it stands. Undefined in places that are
 * nothing's: inside text blocks, behind a closed value.
 */
export function typedPlace(text: string, position: Position): TypedPlace | undefined {
  const reader = new PlaceReader(position);
  for (const [number, line] of text
    .replace(/^\uFEFF/, ' ')
    .split(/\r\n|\n|\r/)
    .entries())
    reader.read(line, number);
  const { found } = reader;
  return found && { ...found, siblings: reader.keysOf(found.path) };
}

class PlaceReader {
  found: FoundPlace | undefined;
  readonly #keys = new Map<string, Set<string>>();
  readonly #items = new Map<string, number>();
  #blocks: Block[] = [];
  #flow: FlowReader | undefined;
  /** Lines further in than this belong to a text block that began with `|` or `>`. */
  #textBlock: number | undefined;

  constructor(private readonly position: Position) {}

  keysOf(path: readonly (string | number)[]): ReadonlySet<string> {
    return this.#keys.get(JSON.stringify(path)) ?? new Set();
  }

  read(line: string, number: number): void {
    const cursor = number === this.position.line ? this.position.character : undefined;
    if (line.length > longestLine) return;
    const indent = line.length - line.trimStart().length;
    const isBlank = indent === line.length;
    if (this.#textBlock !== undefined) {
      if (isBlank || indent > this.#textBlock) return;
      this.#textBlock = undefined;
    }
    // A bracket that is never closed ends where a line can only be a key of a mapping outside.
    if (this.#flow !== undefined && !isBlank && indent <= this.#flow.outerIndent && blockKey.test(line.slice(indent)))
      this.#flow = undefined;
    if (this.#flow !== undefined) this.#readFlow(this.#flow, line, number, 0, cursor);
    else if (isBlank) this.#atBlank(cursor, number);
    else this.#readBlock(line, number, indent, cursor);
  }

  #atBlank(cursor: number | undefined, number: number): void {
    if (cursor === undefined) return;
    const outer = this.#blocks.filter(({ indent }) => indent < cursor);
    this.#find({ side: 'key', path: keysOf(outer), indent: cursor }, number, cursor, cursor, cursor, '');
  }

  #readBlock(line: string, number: number, start: number, cursor: number | undefined): void {
    let at = start;
    const isItem = (): boolean => /^-(?=\s|$)/.test(line.slice(at));
    if (line[at] === '#') return this.#comment(line, number, at, cursor);
    // Entries of a list may stand right below their key.
    this.#blocks = this.#blocks.filter(({ indent, key }) => indent < at || (indent === at && isItem() && typeof key === 'string'));
    while (isItem()) {
      const parent = JSON.stringify(keysOf(this.#blocks));
      const index = this.#items.get(parent) ?? 0;
      this.#items.set(parent, index + 1);
      this.#blocks.push({ indent: at, key: index });
      at += 1 + (/^[ \t]*/.exec(line.slice(at + 1))?.[0].length ?? 0);
    }
    const key = blockKey.exec(line.slice(at));
    const inKey = key?.[1] !== undefined && cursor !== undefined && cursor >= at && cursor <= at + key[1].length;
    const parent = keysOf(this.#blocks);
    if (key?.[1] === undefined) {
      this.#readValue(line, number, at, cursor, { path: parent, indent: at, needsSpace: false, canBeKey: true });
      return;
    }
    if (inKey) this.#find({ side: 'key', path: parent, indent: at, hasColon: true }, number, at, at + key[1].length, cursor, line);
    else this.#remember(parent, unquoted(key[1]));
    const path = [...parent, unquoted(key[1])];
    this.#blocks.push({ indent: at, key: unquoted(key[1]) });
    const behind = at + key[0].length;
    if (cursor === behind && line.length === behind) {
      this.#find({ side: 'value', path, indent: at, needsSpace: true }, number, behind, behind, cursor, line);
      return;
    }
    this.#readValue(line, number, behind + (/^[ \t]*/.exec(line.slice(behind))?.[0].length ?? 0), cursor, {
      path,
      indent: at,
      needsSpace: false,
      canBeKey: false,
    });
  }

  #readValue(
    line: string,
    number: number,
    from: number,
    cursor: number | undefined,
    place: { readonly path: FoundPlace['path']; readonly indent: number; readonly needsSpace: boolean; readonly canBeKey: boolean },
  ): void {
    const at = from + (/^(?:[&!][^\s]*[ \t]+)*/.exec(line.slice(from))?.[0].length ?? 0);
    const rest = line.slice(at);
    if (rest.startsWith('#')) {
      if (cursor !== undefined && cursor < at) this.#find({ ...place, side: 'value' }, number, cursor, cursor, cursor, line);
      else this.#comment(line, number, at, cursor);
      return;
    }
    if (/^[|>]/.test(rest)) {
      this.#textBlock = place.indent;
      return;
    }
    if (/^[[{]/.test(rest)) {
      this.#flow = new FlowReader(place.path, this.#blocks.at(-1)?.indent ?? 0);
      this.#readFlow(this.#flow, line, number, at, cursor);
      return;
    }
    const value = /^(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|(?:[^#]|(?<=\S)#)*)/.exec(rest)?.[0].trimEnd() ?? '';
    const end = at + value.length;
    const inside = cursor !== undefined && cursor >= from && (cursor <= end || line.slice(end, cursor).trim() === '');
    if (inside) {
      // What stands alone where a key could is the beginning of one.
      const isKey = place.canBeKey && (typeof place.path.at(-1) !== 'number' || this.keysOf(place.path).size > 0);
      const begin = Math.min(at, cursor);
      this.#find({ ...place, side: isKey ? 'key' : 'value' }, number, begin, Math.max(end, cursor), cursor, line);
    }
    const comment = line.indexOf('#', end);
    if (comment >= 0) this.#comment(line, number, comment, cursor);
  }

  #readFlow(flow: FlowReader, line: string, number: number, from: number, cursor: number | undefined): void {
    const { found, keys, comment, isClosed, end } = flow.read(line, from, cursor);
    for (const { path, key } of keys) this.#remember(path, key);
    if (found) this.#find({ ...found, flow: true }, number, found.start, found.end, cursor ?? 0, line);
    if (isClosed) this.#flow = undefined;
    const behind = isClosed ? line.indexOf('#', end) : comment;
    if (behind !== undefined && behind >= 0) this.#comment(line, number, behind, cursor);
  }

  #comment(line: string, number: number, at: number, cursor: number | undefined): void {
    if (cursor === undefined || cursor <= at) return;
    this.#find({ side: 'comment', path: keysOf(this.#blocks), indent: at }, number, at, line.length, cursor, line);
  }

  #remember(path: FoundPlace['path'], key: string): void {
    const name = JSON.stringify(path);
    const known = this.#keys.get(name);
    if (known) known.add(key);
    else this.#keys.set(name, new Set([key]));
  }

  #find(
    place: Pick<FoundPlace, 'side' | 'path' | 'indent'> & Partial<FoundPlace>,
    line: number,
    start: number,
    end: number,
    cursor: number,
    text: string,
  ): void {
    const { side, path, indent, flow = false, hasColon = false, needsSpace = false } = place;
    const range = { start: { line, character: start }, end: { line, character: end } };
    this.found ??= { side, path, indent, flow, hasColon, needsSpace, range, typed: text.slice(start, cursor) };
  }
}

function keysOf(blocks: readonly Block[]): readonly (string | number)[] {
  return blocks.map(({ key }) => key);
}
