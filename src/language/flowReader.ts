import { unquoted, type FoundPlace } from './place';

/** An open `{` or `[`. */
interface Open {
  readonly bracket: '{' | '[';
  /** The key whose value comes, in a mapping. */
  key: string | undefined;
  /** Entries before this one, in a list. */
  index: number;
}

interface FoundInFlow extends Pick<FoundPlace, 'side' | 'path' | 'hasColon' | 'needsSpace' | 'indent'> {
  readonly start: number;
  readonly end: number;
}

export interface FlowLine {
  readonly found: FoundInFlow | undefined;
  readonly keys: readonly { readonly path: FoundPlace['path']; readonly key: string }[];
  /** Where a comment begins on the line, if one does. */
  readonly comment: number | undefined;
  readonly isClosed: boolean;
  /** Behind the bracket that closed it. */
  readonly end: number;
}

const token = /^(?:"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|(?:[^\s,[\]{}:#"']|:(?=[^\s,[\]{}])|(?<=[^\s,[\]{}])#|[ \t]+(?=[^\s,[\]{}:#]))+)/;

/** Reads a value in brackets, line by line, closed or not yet. */
export class FlowReader {
  readonly #open: Open[] = [];

  /** `outerIndent`: of the key that the brackets belong to. */
  constructor(
    private readonly outer: FoundPlace['path'],
    readonly outerIndent: number,
  ) {}

  read(line: string, from: number, cursor: number | undefined): FlowLine {
    const keys: { path: FoundPlace['path']; key: string }[] = [];
    let found: FoundInFlow | undefined;
    let at = from;
    const find = (side: 'key' | 'value', path: FoundPlace['path'], start: number, end: number, extra: Partial<FoundInFlow> = {}): void => {
      found ??= { side, path, start, end, hasColon: false, needsSpace: false, indent: start, ...extra };
    };
    const findBetween = (start: number, end: number): void => {
      if (cursor === undefined || cursor < start || cursor > end || this.#open.length === 0) return;
      find(this.#expectsKey() ? 'key' : 'value', this.#path(), cursor, cursor);
    };
    while (at < line.length) {
      const blank = /^\s*/.exec(line.slice(at))?.[0].length ?? 0;
      const next = line[at + blank];
      // At a place where a word begins the word itself is meant.
      if (blank > 0 || /[,\]}]/.test(next ?? '')) findBetween(at, at + blank - (next !== undefined && !/[,\]}#]/.test(next) ? 1 : 0));
      at += blank;
      if (next === undefined) break;
      if (next === '#' && (blank > 0 || at === 0)) return { found, keys, comment: at, isClosed: false, end: at };
      const top = this.#open.at(-1);
      if (next === '{' || next === '[') {
        this.#open.push({ bracket: next, key: undefined, index: 0 });
        at += 1;
      } else if (next === '}' || next === ']') {
        this.#open.pop();
        at += 1;
        if (this.#open.length === 0) return { found, keys, comment: undefined, isClosed: true, end: at };
      } else if (next === ',') {
        if (top) Object.assign(top, { key: undefined, index: top.index + 1 });
        at += 1;
      } else {
        const word = token.exec(line.slice(at))?.[0].trimEnd() ?? '';
        // A colon without a key, or a bracket that closes nothing here.
        if (word === '') {
          at += 1;
          continue;
        }
        const end = at + word.length;
        const colon = /^[ \t]*:(?=[\s,[\]{}]|$)/.exec(line.slice(end))?.[0].length ?? (/^["']/.test(word) && line[end] === ':' ? 1 : 0);
        const isKey = this.#expectsKey() && colon > 0;
        if (cursor !== undefined && cursor >= at && cursor <= end)
          find(this.#expectsKey() ? 'key' : 'value', this.#path(), at, end, { hasColon: isKey });
        else if (isKey) keys.push({ path: this.#path(), key: unquoted(word) });
        at = end;
        if (isKey && top) {
          top.key = unquoted(word);
          at += colon;
          if (cursor === at && !/^\s/.test(line.slice(at))) find('value', this.#path(), at, at, { needsSpace: true });
        }
      }
    }
    if (cursor !== undefined && cursor >= line.length) findBetween(line.length, cursor);
    return { found, keys, comment: undefined, isClosed: false, end: line.length };
  }

  #expectsKey(): boolean {
    const top = this.#open.at(-1);
    return top?.bracket === '{' && top.key === undefined;
  }

  /** Of the mapping where a key is expected, else of what the value belongs to. */
  #path(): FoundPlace['path'] {
    const stepInto = ({ bracket, key, index }: Open): (string | number)[] => (bracket === '[' ? [index] : key === undefined ? [] : [key]);
    return [...this.outer, ...this.#open.flatMap(stepInto)];
  }
}
