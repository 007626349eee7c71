import { Lexer } from 'yaml';

export interface Comment {
  /** Offset of its `#`. */
  readonly start: number;
  /** From the `#` to the end of its line. */
  readonly comment: string;
}

/** What the lexer puts between the pieces of a text to say what comes next; it takes no room. */
const markOfScalar = '\u001F';
const marks: ReadonlySet<string> = new Set(['\u0002', '\u0018', markOfScalar]);

/** Comments of YAML: a `#` inside a text is none. */
export function commentsIn(text: string): readonly Comment[] {
  const comments: Comment[] = [];
  let offset = 0;
  let scalar = false;
  for (const piece of new Lexer().lex(text)) {
    // What follows the mark of a scalar is its text, even where that looks like a mark.
    if (!scalar && marks.has(piece)) {
      scalar = piece === markOfScalar;
      continue;
    }
    if (!scalar && piece.startsWith('#')) comments.push({ start: offset, comment: piece });
    scalar = false;
    offset += piece.length;
  }
  return comments;
}
