import { Lexer } from 'yaml';

/**
 * What is longer is nobody's config, and not taken apart: parsing takes time with the square of the pieces of a text, of anchors, repeated
 * keys or errors above all, and that with every keystroke. A config of a thousand lines has about 8,000 pieces.
 */
const mostCharacters = 200_000;
const mostPieces = 20_000;

/** Blocks that begin in one line: the parser calls itself for each, and would run out of stack. */
const nestedInLine = /(?:[?-][ \t]+){200}/;

export const nestedTooDeeply = 'This is nested too deeply to be read.';

/** Says what is too much of a text to be a config; undefined where nothing is. */
export function excessOf(text: string): string | undefined {
  if (text.length > mostCharacters) {
    return `This file has ${count(text.length)} characters; a config has at most ${count(mostCharacters)}.`;
  }
  if (nestedInLine.test(text)) return nestedTooDeeply;
  return text.length > mostPieces && hasMorePieces(text)
    ? `This is more than a config can be: it has over ${count(mostPieces)} keys, values and signs.`
    : undefined;
}

function hasMorePieces(text: string): boolean {
  let pieces = 0;
  for (const _ of new Lexer().lex(text)) {
    pieces += 1;
    if (pieces > mostPieces) return true;
  }
  return false;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
