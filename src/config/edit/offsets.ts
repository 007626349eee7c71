import type { TextEdit } from '../configFile';
import { sourceText } from '../sourceText';

/** A replacement by offsets in UTF-16 units. */
export interface OffsetEdit {
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

/** Edits at one place apply in the order in which they are given. */
export function applyOffsetEdits(text: string, edits: readonly OffsetEdit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, newText } of inOrder(edits)) {
    result += text.slice(at, start) + newText;
    at = end;
  }
  return result + text.slice(at);
}

export function inOrder(edits: readonly OffsetEdit[]): OffsetEdit[] {
  return edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

export function textEdits(text: string, edits: readonly OffsetEdit[]): TextEdit[] {
  const source = sourceText(text);
  return edits.map(({ start, end, newText }) => ({ range: source.rangeBetween(start, end), newText }));
}

export function offsetEdits(text: string, edits: readonly TextEdit[]): OffsetEdit[] {
  const { offsetAt } = sourceText(text);
  return edits.map(({ range, newText }) => ({ start: offsetAt(range.start), end: offsetAt(range.end), newText }));
}
