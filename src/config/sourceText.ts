import type { Position, SourceRange } from './textPlace';

/** Turns offsets in a text (UTF-16 units) into editor positions; offsets outside are moved to the nearest end. */
export interface SourceText {
  readonly text: string;
  rangeBetween(start: number, end: number): SourceRange;
  /** Positions outside are moved to the nearest end: of the text, or of the line. */
  offsetAt(position: Position): number;
}

export function sourceText(text: string): SourceText {
  const lineStarts = [0];
  // LF, CRLF and a lone CR all end a line, as in editors.
  for (const lineEnd of text.matchAll(/\r\n|\n|\r/g)) lineStarts.push(lineEnd.index + lineEnd[0].length);

  function positionAt(offset: number): Position {
    const clamped = Math.max(0, Math.min(offset, text.length));
    let low = 0;
    let high = lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((lineStarts[middle] ?? 0) <= clamped) low = middle;
      else high = middle - 1;
    }
    return { line: low, character: clamped - (lineStarts[low] ?? 0) };
  }

  return {
    text,
    rangeBetween(start, end) {
      return { start: positionAt(start), end: positionAt(Math.max(start, end)) };
    },
    offsetAt({ line, character }) {
      const start = lineStarts[line];
      if (start === undefined) return line < 0 ? 0 : text.length;
      const next = lineStarts[line + 1];
      const end = next === undefined ? text.length : next - (text.startsWith('\r\n', next - 2) ? 2 : 1);
      return Math.max(start, Math.min(start + character, end));
    },
  };
}
