import { applyOffsetEdits, inOrder } from './offsets';
import type { OffsetEdit } from './offsets';

/** Either a stretch of the original, or text that is new. */
type Piece = { readonly start: number; readonly end: number } | { readonly text: string };

/** A text under change, that knows at the end what was changed of the original and what was not. */
export class EditedText {
  private pieces: Piece[];
  private current: string;

  constructor(private readonly original: string) {
    this.pieces = [{ start: 0, end: original.length }];
    this.current = original;
  }

  get text(): string {
    return this.current;
  }

  /** Edits of the text as it is now; none overlaps another. */
  apply(edits: readonly OffsetEdit[]): void {
    this.current = applyOffsetEdits(this.current, edits);
    // From the end, so that what is before an edit has not moved.
    for (const { start, end, newText } of inOrder(edits).toReversed()) {
      const before = takeFrom(this.pieces, 0, start);
      const after = takeFrom(this.pieces, end, Infinity);
      this.pieces = [...before, ...(newText === '' ? [] : [{ text: newText }]), ...after];
    }
  }

  /** What was changed, as edits of the original: one for every stretch between what was kept. */
  edits(): readonly OffsetEdit[] {
    const edits: OffsetEdit[] = [];
    let at = 0;
    let newText = '';
    const close = (next: number): void => {
      if (newText !== this.original.slice(at, next)) edits.push({ start: at, end: next, newText });
    };
    for (const piece of this.pieces) {
      if ('text' in piece) newText += piece.text;
      else {
        close(piece.start);
        at = piece.end;
        newText = '';
      }
    }
    close(this.original.length);
    return edits;
  }
}

function lengthOf(piece: Piece): number {
  return 'text' in piece ? piece.text.length : piece.end - piece.start;
}

/** What of the pieces lies between two offsets of the text that they make. */
function takeFrom(pieces: readonly Piece[], from: number, to: number): Piece[] {
  let offset = 0;
  return pieces.flatMap((piece): Piece[] => {
    const low = Math.max(0, from - offset);
    const high = Math.min(lengthOf(piece), to - offset);
    offset += lengthOf(piece);
    if (low >= high) return [];
    return 'text' in piece ? [{ text: piece.text.slice(low, high) }] : [{ start: piece.start + low, end: piece.start + high }];
  });
}
