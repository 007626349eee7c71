/** Items that come `times` times one after the other: `items[n]` are those that stand at place n of each time. */
export interface RepeatedGroup<Item> {
  readonly times: number;
  readonly items: readonly (readonly Item[])[];
}

/**
 * A list as groups that repeat, greedily from its beginning: of all periods the one that covers most, of those the shortest. So twelve
 * equal layers are one group of 12, layers that alternate one of two layers, 6 times, and a first layer that is unlike the others stands
 * alone.
 */
export function repeatedGroups<Item>(items: readonly Item[], identity: (item: Item) => string): readonly RepeatedGroup<Item>[] {
  const names = items.map(identity);
  const groups: RepeatedGroup<Item>[] = [];
  let at = 0;
  while (at < items.length) {
    const { period, times } = longestRepeat(names, at);
    const start = at;
    groups.push({
      times,
      items: Array.from({ length: period }, (_, place) =>
        items.slice(start, start + period * times).filter((_item, index) => index % period === place),
      ),
    });
    at += period * times;
  }
  return groups;
}

function longestRepeat(names: readonly string[], start: number): { readonly period: number; readonly times: number } {
  let best = { period: 1, times: 1 };
  for (let period = 1; 2 * period <= names.length - start; period++) {
    let end = start + period;
    while (end < names.length && names[end] === names[end - period]) end++;
    const times = Math.floor((end - start) / period);
    if (times > 1 && period * times > best.period * best.times) best = { period, times };
  }
  return best;
}
