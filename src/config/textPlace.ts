/** Zero-based, as editors count; character is in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}

/** A replacement in a text; of several in one text none overlaps another, and all ranges are those of the text before any of them. */
export interface TextEdit {
  readonly range: SourceRange;
  readonly newText: string;
}
