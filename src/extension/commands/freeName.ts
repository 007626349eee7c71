/** `name`, or where that is taken `name-2`, `name-3` and so on. */
export function freeName(name: string, taken: (name: string) => boolean): string {
  if (!taken(name)) return name;
  for (let number = 2; ; number += 1) {
    const candidate = `${name}-${number}`;
    if (!taken(candidate)) return candidate;
  }
}
