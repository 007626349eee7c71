import type { LoadedConfig, SourceRange } from '../../config/configFile';

/**
 * Where a config states what a key path names: for a list its entries, else the key; where it does not state it, the nearest key above
 * that it states; and where it states none of them, what it extends.
 */
export function placeOf({ rangeOf }: Pick<LoadedConfig, 'rangeOf'>, path: readonly (string | number)[]): SourceRange | undefined {
  for (let length = path.length; length > 0; length--) {
    const stated = path.slice(0, length);
    const range = rangeOf(stated);
    if (range) return length === path.length ? (entriesRange(rangeOf, stated) ?? range) : range;
  }
  return rangeOf(['extends']);
}

function entriesRange(rangeOf: LoadedConfig['rangeOf'], path: readonly (string | number)[]): SourceRange | undefined {
  const first = rangeOf([...path, 0]);
  if (!first) return undefined;
  let last = first;
  for (let index = 1, next = rangeOf([...path, index]); next; index++, next = rangeOf([...path, index])) last = next;
  return { start: first.start, end: last.end };
}
