import type { TextEdit } from '../config/configFile';
import { sourceText } from '../config/sourceText';

/** One edit that makes a text another one: from the first line that differs to the last. Undefined where none does. */
export function replacedPart(before: string, after: string): TextEdit | undefined {
  if (before === after) return undefined;
  const [old, wanted] = [linesOf(before), linesOf(after)];
  const shorter = Math.min(old.length, wanted.length);
  let start = 0;
  while (start < shorter && old[start] === wanted[start]) start += 1;
  let end = 0;
  while (end < shorter - start && old[old.length - 1 - end] === wanted[wanted.length - 1 - end]) end += 1;
  const length = (lines: readonly string[]): number => lines.reduce((sum, line) => sum + line.length, 0);
  const from = length(old.slice(0, start));
  return {
    range: sourceText(before).rangeBetween(from, from + length(old.slice(start, old.length - end))),
    newText: wanted.slice(start, wanted.length - end).join(''),
  };
}

/** With their ends. */
function linesOf(text: string): readonly string[] {
  return text.split(/(?<=\r\n|\n|\r(?!\n))/);
}
