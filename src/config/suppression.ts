import { commentsIn } from './comments';

/** A comment that says which rules are not to speak, and why. */
export interface Suppression {
  /** Offsets of the comment, from its `#`. */
  readonly start: number;
  readonly end: number;
  /** `line` is its own, `next-line` the next one with something on it, `file` all of them. */
  readonly scope: 'line' | 'next-line' | 'file';
  readonly codes: readonly { readonly code: string; readonly start: number; readonly end: number }[];
  /** Empty where none is given: such a comment suppresses nothing. */
  readonly reason: string;
}

const form = /^#\s*moe-lab-disable(-line|-next-line)?(?=\s|$)(.*)$/su;

/** The suppressions of a text, in its order. */
export function suppressionsIn(text: string): readonly Suppression[] {
  // Most texts have none, and none needs to be taken apart to know it.
  if (!text.includes('moe-lab-disable')) return [];
  return commentsIn(text).flatMap(({ start, comment }) => suppression(start, comment) ?? []);
}

function suppression(start: number, comment: string): Suppression | undefined {
  const [, kind, rest = ''] = form.exec(comment) ?? [];
  if (!form.test(comment)) return undefined;
  const from = start + comment.length - rest.length;
  const dashes = /\s--(?=\s|$)/u.exec(rest);
  const list = dashes ? rest.slice(0, dashes.index) : rest;
  const reason = dashes ? rest.slice(dashes.index + dashes[0].length).trim() : '';
  const codes = [...list.matchAll(/[^\s,]+/gu)].map((word) => ({
    code: word[0],
    start: from + word.index,
    end: from + word.index + word[0].length,
  }));
  const scope = kind === '-line' ? 'line' : kind === '-next-line' ? 'next-line' : 'file';
  return { start, end: start + comment.length, scope, codes, reason };
}
