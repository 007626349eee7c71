import { commentsIn } from './comments';
import type { TextEdit } from './configFile';
import { lineEnd, lineStart, nextLine } from './edit/nodes';
import { textEdits } from './edit/offsets';
import { sourceText } from './sourceText';

/** A comment that says which rules are not to speak, and why: `# moe-lab-disable-line CODE, CODE -- reason`. */
export interface Suppression {
  /** Offsets of the comment, from its `#`. */
  readonly start: number;
  readonly end: number;
  /** `line` is its own, `next-line` the next one that holds more than a comment, `file` all of them. */
  readonly scope: 'line' | 'next-line' | 'file';
  /** The line whose findings it suppresses, undefined where it is all of them. */
  readonly line: number | undefined;
  readonly codes: readonly SuppressedCode[];
  /** Empty where none is given: such a comment suppresses nothing. */
  readonly reason: string;
}

export interface SuppressedCode {
  readonly code: string;
  readonly start: number;
  readonly end: number;
}

const form = /^#\s*moe-lab-disable(-line|-next-line)?(?=\s|$)(.*)$/su;

/** The suppressions of a text, in its order. Only comments of YAML count, not a `#` in a text. */
export function suppressionsIn(text: string): readonly Suppression[] {
  // Most texts have none, and none needs to be taken apart to know it.
  if (!text.includes('moe-lab-disable')) return [];
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
