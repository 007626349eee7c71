import type { Position, TextEdit } from '../configFile';
import { sourceText } from '../sourceText';

/** A replacement by offsets in UTF-16 units. */
export interface OffsetEdit {
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

/** The text after edits of it, none of which may overlap another. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const { offsetAt } = sourceText(text);
  return applyOffsetEdits(
    text,
    edits.map(({ range, newText }) => ({ start: offsetAt(range.start), end: offsetAt(range.end), newText })),
  );
}

/** Edits at one place apply in the order in which they are given. */
export function applyOffsetEdits(text: string, edits: readonly OffsetEdit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, newText } of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, start) + newText;
    at = end;
  }
  return result + text.slice(at);
}

/** In the order of the text. */
export function textEdits(text: string, edits: readonly OffsetEdit[]): TextEdit[] {
  const source = sourceText(text);
  return edits
    .toSorted((a, b) => a.start - b.start || a.end - b.end)
    .map(({ start, end, newText }) => ({ range: source.rangeBetween(start, end), newText }));
}

export function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}
