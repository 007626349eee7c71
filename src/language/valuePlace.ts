import type { Position, SourceRange } from '../config/configFile';

/**
 * Where the value of a key ends that begins on the line of its key: `heads: 2 # comment` behind the 2. Undefined where it begins on a later
 * line, or where what is called the key is an alias. `lines` are those of the text.
 */
export function endOfValue(lines: readonly string[], { end }: SourceRange): Position | undefined {
  const rest = lines[end.line]?.slice(end.character, end.character + longestValue) ?? '';
  const found = /^\s*:[ \t]+(?:[&!][^\s,[\]{}]*[ \t]+)*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|\[[^[\]{}#]*\]|[^\s,[\]{}#]+)/.exec(rest);
  return found === null ? undefined : { line: end.line, character: end.character + found[0].length };
}

/** Far above any size, file name or list of layers; so that a line of megabytes costs nothing. */
const longestValue = 2000;
