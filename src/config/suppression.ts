import { commentsIn } from './comments';
import type { TextEdit } from './configFile';
import { sameValue } from './edit/changedValue';
import { applyEdits } from './edit/keyEdits';
import { lineEnd, lineStart, nextLine } from './edit/nodes';
import { textEdits } from './edit/offsets';
import { sourceText } from './sourceText';
import { parseYamlTree } from './yamlTree';

/** A comment that says which rules are not to speak, and why: `# moe-lab-disable-line CODE, CODE -- reason`. */
export interface Suppression {
  /** Offsets of the comment, from its `#`. */
  readonly start: number;
  readonly end: number;
  readonly scope: Scope;
  /** The line whose findings it suppresses, undefined where it is all of them. */
  readonly line: number | undefined;
  readonly codes: readonly SuppressedCode[];
  /** Empty where none is given: such a comment suppresses nothing. */
  readonly reason: string;
}

/** `line` is its own, `next-line` the next one that holds more than a comment, `file` all of them. */
type Scope = 'line' | 'next-line' | 'file';

export interface SuppressedCode {
  readonly code: string;
  readonly start: number;
  readonly end: number;
}

const directives: Readonly<Record<Scope, string>> = {
  line: 'moe-lab-disable-line',
  'next-line': 'moe-lab-disable-next-line',
  file: 'moe-lab-disable',
};

const form = /^#\s*moe-lab-disable(-line|-next-line)?(?=\s|$)(.*)$/su;

/** The suppressions of a text, in its order. Only comments of YAML count, not a `#` in a text. */
export function suppressionsIn(text: string): readonly Suppression[] {
  // Most texts have none, and none needs to be taken apart to know it.
  if (!text.includes(directives.file)) return [];
  const source = sourceText(text);
  return commentsIn(text).flatMap(({ start, comment }): Suppression[] => {
    const parts = form.exec(comment);
    if (!parts) return [];
    const [, kind, rest = ''] = parts;
    const scope = kind === '-line' ? 'line' : kind === '-next-line' ? 'next-line' : 'file';
    const [list = '', ...words] = rest.split(/\s--(?=\s|$)/u);
    const from = start + comment.length - rest.length;
    const codes = [...list.matchAll(/[^\s,]+/gu)].map(({ 0: code, index }) => ({
      code,
      start: from + index,
      end: from + index + code.length,
    }));
    const lineAt = (offset: number): number => source.rangeBetween(offset, offset).start.line;
    const line = scope === 'file' ? undefined : lineAt(scope === 'line' ? start : lineBelow(text, start));
    return [{ start, end: start + comment.length, scope, line, codes, reason: words.join(' --').trim() }];
  });
}

/** Where the next line starts that is neither empty nor a comment. */
function lineBelow(text: string, offset: number): number {
  let start = nextLine(text, offset);
  while (start < text.length && /^[ \t]*(?:#|\r?\n|$)/.test(text.slice(start, lineEnd(text, start) + 2))) start = nextLine(text, start);
  return start;
}

/** Takes a comment out; with its line, where there is nothing else in it. */
export function withoutComment(text: string, { start, end }: Suppression): readonly TextEdit[] {
  const from = lineStart(text, start);
  const before = text.slice(from, start);
  const bom = from === 0 && text.startsWith('\uFEFF') ? 1 : 0;
  return before.trim() === ''
    ? textEdits(text, [{ start: from + bom, end: nextLine(text, end), newText: '' }])
    : textEdits(text, [{ start: from + before.trimEnd().length, end, newText: '' }]);
}

/** Takes one code out of a comment; the comment, where it is the only one. */
export function withoutCode(text: string, suppression: Suppression, code: SuppressedCode): readonly TextEdit[] {
  const { codes } = suppression;
  const at = codes.indexOf(code);
  const [before, after] = [codes[at - 1], codes[at + 1]];
  if (after) return textEdits(text, [{ start: code.start, end: after.start, newText: '' }]);
  return before ? textEdits(text, [{ start: before.end, end: code.end, newText: '' }]) : withoutComment(text, suppression);
}

/**
 * The edit that writes a suppression of what a rule finds in a line: above it, where a comment can stand there, else behind it, else at
 * the top for the whole file. Undefined if none of these can be done without changing what the config says.
 */
export function suppressionEdit(text: string, line: number, code: string, reason: string): TextEdit | undefined {
  const { offsetAt } = sourceText(text);
  const start = offsetAt({ line, character: 0 });
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  const comment = (scope: Scope): string => `# ${directives[scope]} ${code} -- ${reason}`;
  const bom = text.startsWith('\uFEFF') ? 1 : 0;
  const own = start === 0 ? bom : start;
  const indent = /^[ \t]*/.exec(text.slice(own, lineEnd(text, own)))?.[0] ?? '';
  const end = lineEnd(text, own);
  const before = parseYamlTree(text).value;
  return [
    { at: own, newText: indent + comment('next-line') + eol, covers: line + 1 },
    { at: end, newText: `${/[ \t]$/.test(text.slice(own, end)) || own === end ? '' : ' '}${comment('line')}`, covers: line },
    { at: bom, newText: comment('file') + eol, covers: undefined },
  ]
    .map(({ at, newText, covers }) => ({ edits: textEdits(text, [{ start: at, end: at, newText }]), covers }))
    .flatMap(({ edits, covers }) => {
      const after = applyEdits(text, edits);
      const holds = suppressionsIn(after).some((made) => made.line === covers && made.codes.some((entry) => entry.code === code));
      return holds && sameValue(parseYamlTree(after).value, before) ? edits : [];
    })[0];
}
