import { isAlias, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Node } from 'yaml';
import type { ConfigFinding, SourceRange } from './configFile';
import type { KeyPath } from './keyPath';
import type { Remedy } from './remedy';
import { sourceText } from './sourceText';
import type { SourceText } from './sourceText';
import { excessOf, nestedTooDeeply } from './textLimits';
import { closingRemedies, duplicateRemedies, tabRemedies } from './syntaxRemedies';

export type { KeyPath } from './keyPath';
export type YamlProblem = Omit<ConfigFinding, 'file'>;

/** Where a path is stated: the key (of a list entry: the entry itself) and its value. Below an alias both are the alias. */
export interface StatedAt {
  readonly key: SourceRange;
  readonly value: SourceRange;
}

/** A YAML text as a plain value, with the place of every path in it. */
export interface YamlTree {
  /** Undefined if the text is not YAML; null if it is empty. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
  statedAt(path: KeyPath): StatedAt | undefined;
}

/** Far above any config; below what an alias that expands itself would need to hurt. */
const maximumValues = 20_000;
const maximumDepth = 50;
const maximumProblems = 20;
/** Remedies of a text are tried out, so not for all that is wrong with it. */
const mostMended = 3;

/** Never throws, whatever the text. */
export function parseYamlTree(text: string): YamlTree {
  const known = recent.get(text);
  const tree = known ?? parseYaml(text).tree;
  if (text.length > longestKept) return tree;
  // Where it stands in the map is when it was last asked for.
  recent.delete(text);
  recent.set(text, tree);
  const [oldest] = recent.keys();
  if (recent.size > mostKept && oldest !== undefined) recent.delete(oldest);
  return tree;
}

/** A base is read by each config that extends it, and most say what they said before. */
const recent = new Map<string, YamlTree>();
const mostKept = 32;
/** UTF-16 units. */
const longestKept = 1 << 16;

export interface ParsedYaml {
  readonly document: YamlDocument;
  readonly tree: YamlTree;
}

/** Also how it is written, for who edits it. */
export function parseYaml(text: string): ParsedYaml {
  const excess = excessOf(text);
  const document = excess === undefined ? documentOf(text) : undefined;
  if (!document) return { document: parseDocument(''), tree: unread(excess ?? nestedTooDeeply) };
  const source = sourceText(text);
  // After one syntax error the parser has lost its way, and so would a reader of what else it says.
  const broken = document.errors.find((error) => error.code !== 'DUPLICATE_KEY');
  const problems: YamlProblem[] = broken
    ? [syntaxProblem(source, broken, openQuote(document, broken))]
    : [
        ...document.errors.map((error, index) => {
          const start = keyStart(text, error.pos[0]);
          return {
            ...duplicateKey(source, start),
            ...(index < mostMended ? { remedies: duplicateRemedies(source, document, start) } : {}),
          };
        }),
        ...document.warnings.map((warning) => ({ ...syntaxProblem(source, warning, undefined), severity: 'warning' as const })),
      ].slice(0, maximumProblems);
  const reader = new TreeReader(source);
  const value = broken ? undefined : reader.read(document.contents, [], 0, undefined);
  problems.push(...reader.problems);
  const tree: YamlTree = {
    value: reader.problems.length > 0 ? undefined : value,
    problems,
    statedAt: (path) => reader.places.get(placeKey(path)),
  };
  return { document, tree };
}

/** Undefined where the parser, which calls itself for every level, ran out of stack. */
function documentOf(text: string): YamlDocument | undefined {
  try {
    return parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function unread(message: string): YamlTree {
  const start = { line: 0, character: 0 };
  return {
    value: undefined,
    problems: [{ range: { start, end: start }, severity: 'error', code: 'yaml-syntax', message }],
    statedAt: () => undefined,
  };
}

function placeKey(path: KeyPath): string {
  return JSON.stringify(path.map(String));
}

export type YamlDocument = ReturnType<typeof parseDocument>;
type YamlError = YamlDocument['errors'][number] | YamlDocument['warnings'][number];

/** Behind a key without a value, where lines end with CRLF, the parser's place is before the end of the line. */
function keyStart(text: string, offset: number): number {
  return offset + (/^\s*/.exec(text.slice(offset, offset + 1000))?.[0].length ?? 0);
}

function duplicateKey(source: SourceText, start: number): YamlProblem {
  const key = /^("[^"\n]*"|'[^'\n]*'|[^\s:]+)/.exec(source.text.slice(start))?.[0] ?? '';
  const message = `The key \`${key}\` is here twice; keep one of the two.`;
  return { range: source.rangeBetween(start, start + Math.max(1, key.length)), severity: 'error', code: 'duplicate-key', message };
}

/** Underlines what lies on the line where the error starts; at the end of a line, the last thing written before it. */
function syntaxProblem(source: SourceText, error: YamlError, from: number | undefined): YamlProblem {
  const start = Math.min(from ?? error.pos[0], source.text.length);
  const [line = ''] = source.text.slice(start).split(/[\r\n]/, 1);
  const length = Math.min(line.trimEnd().length, from === undefined ? Math.max(1, error.pos[1] - start) : line.length);
  const before = source.text.slice(0, start).trimEnd().length;
  const range = length > 0 ? source.rangeBetween(start, start + length) : source.rangeBetween(before - 1, before);
  return { range, severity: 'error', code: 'yaml-syntax', message: syntaxSentence(error), remedies: syntaxRemedies(source, error, start) };
}

/** What of it can be mended without knowing what was meant. */
function syntaxRemedies(source: SourceText, error: YamlError, start: number): readonly Remedy[] {
  const { code, message } = error;
  if (code === 'TAB_AS_INDENT') return tabRemedies(source);
  if (isOpenQuote(error)) return closingRemedies(source, start, source.text.startsWith("'", start) ? "'" : '"');
  if (message.startsWith('Flow sequence')) return closingRemedies(source, start, ']');
  if (message.startsWith('Flow map')) return closingRemedies(source, start, '}');
  return [];
}

/** A quote that is left open is noticed at the end of the text; where it opens is what helps. */
function openQuote(document: YamlDocument, error: YamlError): number | undefined {
  if (!isOpenQuote(error)) return undefined;
  let last: number | undefined;
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (range && (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE')) last = range[0];
    },
  });
  return last;
}

function isOpenQuote({ message }: YamlError): boolean {
  return message.startsWith('Missing closing');
}

/** The parser's messages are sentences already, but for those that speak to a programmer. */
function syntaxSentence(error: YamlError): string {
  const { code, message } = error;
  if (code === 'MULTIPLE_DOCS')
    return 'This file holds several YAML documents; a config is one, so remove the line `---` and what follows it.';
  if (code === 'RESOURCE_EXHAUSTION') return `This is nested too deeply to be read; a config has at most ${maximumDepth} levels.`;
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return 'A second `key:` on this line; put it on a line of its own, or quote the text.';
  if (code === 'UNEXPECTED_TOKEN') return 'This does not continue the YAML before it; check brackets, colons and indentation.';
  if (code === 'TAB_AS_INDENT') return 'YAML is indented with spaces; replace the tab.';
  if (isOpenQuote(error)) return 'This quote is not closed; add the same quote at the end of the text.';
  if (message.startsWith('Flow sequence')) return 'A list that begins with `[` is not closed before this place; add the `]`.';
  if (message.startsWith('Flow map')) return 'A mapping that begins with `{` is not closed before this place; add the `}`.';
  return `Not valid YAML: ${message.replace(/\.$/, '')}.`;
}

class TreeReader {
  readonly places = new Map<string, StatedAt>();
  readonly problems: YamlProblem[] = [];
  private readonly anchors = new Map<string, Node>();
  private values = 0;

  constructor(private readonly source: SourceText) {}

  /** `alias` is the range of the alias through which the node is reached, undefined where it is reached directly. */
  read(node: unknown, path: KeyPath, depth: number, alias: SourceRange | undefined): unknown {
    if (this.problems.length > 0) return undefined;
    this.values += 1;
    if (this.values > maximumValues || depth > maximumDepth) {
      this.problem(
        alias ?? this.rangeOf(node),
        `This expands to more than ${maximumValues} values or ${maximumDepth} levels; use fewer aliases.`,
      );
      return undefined;
    }
    if (isAlias(node)) {
      const range = alias ?? this.rangeOf(node);
      const target = this.anchors.get(node.source);
      if (target) return this.read(target, path, depth + 1, range);
      this.problem(range, `There is no anchor \`&${node.source}\` above this alias.`);
      return undefined;
    }
    if (!alias && (isMap(node) || isSeq(node) || isScalar(node)) && node.anchor) this.anchors.set(node.anchor, node);
    if (isMap(node)) {
      return Object.fromEntries(
        node.items.map((pair) => {
          const key = isScalar(pair.key) ? String(pair.key.value ?? '') : this.textOf(pair.key);
          return [key, this.readEntry(pair.key, pair.value, [...path, key], depth, alias)];
        }),
      );
    }
    if (isSeq(node)) return node.items.map((item, index) => this.readEntry(item, item, [...path, index], depth, alias));
    return isScalar(node) ? node.value : null;
  }

  private readEntry(key: unknown, value: unknown, path: KeyPath, depth: number, alias: SourceRange | undefined): unknown {
    const keyRange = alias ?? this.rangeOf(key);
    const valueRange = alias ?? this.rangeOf(value);
    const shown = isEmpty(valueRange) || valueRange.start.line !== valueRange.end.line ? keyRange : valueRange;
    this.places.set(placeKey(path), { key: keyRange, value: shown });
    return this.read(value, path, depth + 1, alias);
  }

  private rangeOf(node: unknown): SourceRange {
    const range = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? node.range : undefined;
    if (!range) return this.source.rangeBetween(0, 0);
    const [start, end] = range;
    return this.source.rangeBetween(start, start + this.source.text.slice(start, end).trimEnd().length);
  }

  private textOf(node: unknown): string {
    const range = isAlias(node) || isMap(node) || isSeq(node) ? node.range : undefined;
    return range ? this.source.text.slice(range[0], range[1]).trim() : '';
  }

  private problem(range: SourceRange, message: string): void {
    this.problems.push({ range, severity: 'error', code: 'yaml-syntax', message });
  }
}

function isEmpty(range: SourceRange): boolean {
  return range.start.line === range.end.line && range.start.character === range.end.character;
}
