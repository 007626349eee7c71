import { valueAt } from '../keyValues';
import { isMapping } from '../mapping';
import type { KeyChange } from '../remedy';
import type { KeyPath } from '../yamlTree';

/** A config as a value with changes made to it; undefined if they cannot be made. Every edit of a text is held against this. */
export function changedValue(value: unknown, changes: readonly KeyChange[]): unknown {
  return changes.reduce<unknown>((current, change) => (current === undefined ? undefined : changedOnce(current, change)), value ?? {});
}

function changedOnce(value: unknown, change: KeyChange): unknown {
  switch (change.kind) {
    case 'set':
      return withValue(value, change.path, change.value);
    case 'empty':
      return change.path.length === 0 ? undefined : withValue(value, change.path, null);
    case 'remove':
      return withoutPath(value, change.path) ?? {};
    case 'move': {
      const moved = valueAt(value, change.path);
      if (moved === undefined || valueAt(value, change.to) !== undefined || overlap(change.path, change.to)) return undefined;
      const there = withValue(value, change.to, moved);
      return there === undefined ? undefined : (withoutPath(there, change.path) ?? {});
    }
  }
}

/** Whether one lies in the other. */
function overlap(a: KeyPath, b: KeyPath): boolean {
  const length = Math.min(a.length, b.length);
  return a.slice(0, length).every((key, index) => String(key) === String(b[index]));
}

/** Sections that are not there are made; undefined where something else is in their place. */
function withValue(value: unknown, [key, ...rest]: KeyPath, leaf: unknown): unknown {
  if (key === undefined) return leaf;
  if (Array.isArray(value)) {
    const list = value as readonly unknown[];
    if (typeof key !== 'number' || key > list.length) return undefined;
    const inner = withValue(list[key], rest, leaf);
    return inner === undefined ? undefined : [...list.slice(0, key), inner, ...list.slice(key + 1)];
  }
  const section = value ?? {};
  if (!isMapping(section) || typeof key === 'number') return undefined;
  const inner = withValue(Object.hasOwn(section, key) ? section[key] : undefined, rest, leaf);
  return inner === undefined ? undefined : Object.fromEntries([...Object.entries(section), [key, inner]]);
}

/** Undefined where nothing is left. */
function withoutPath(value: unknown, [key, ...rest]: KeyPath): unknown {
  if (key === undefined) return undefined;
  if (Array.isArray(value)) {
    const list = value as readonly unknown[];
    if (typeof key !== 'number' || key >= list.length) return list;
    const inner = rest.length === 0 ? undefined : withoutPath(list[key], rest);
    const left = [...list.slice(0, key), ...(inner === undefined ? [] : [inner]), ...list.slice(key + 1)];
    return left.length === 0 ? undefined : left;
  }
  if (!isMapping(value) || !Object.hasOwn(value, key)) return value;
  const inner = rest.length === 0 ? undefined : withoutPath(value[String(key)], rest);
  const left = Object.entries(value).flatMap(([name, part]) =>
    name !== String(key) ? [[name, part]] : inner === undefined ? [] : [[name, inner]],
  );
  return left.length === 0 ? undefined : Object.fromEntries(left as [string, unknown][]);
}

/** Equal as YAML sees it: the order of keys says nothing. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((entry, index) => sameValue(entry, b[index]));
  }
  if (!isMapping(a) || !isMapping(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]));
}
