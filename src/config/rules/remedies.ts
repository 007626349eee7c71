import type { KeyPath } from '../keyPath';
import type { ConfigValue, KeyChange, Remedy } from '../remedy';
import type { Violation } from './rule';

/** A finding with what would mend it, best first; of remedies that are undefined there are none. */
export function mended(found: Violation, ...remedies: readonly (Remedy | undefined)[]): Violation {
  const known = remedies.filter((remedy) => remedy !== undefined);
  return known.length === 0 ? found : { ...found, remedies: [...(found.remedies ?? []), ...known] };
}

/** `Set moe.top_k to 8`. */
export function setting(path: KeyPath, value: ConfigValue): Remedy {
  return { title: `Set ${shownKey(path)} to ${shownValue(value)}`, changes: [set(path, value)] };
}

/** `Remove moe.every and moe.router.jitter`. */
export function removing(...paths: readonly KeyPath[]): Remedy {
  return { title: `Remove ${paths.map(shownKey).join(' and ')}`, changes: paths.map(remove) };
}

/** Several changes that only make sense together. */
export function changing(title: string, ...changes: readonly KeyChange[]): Remedy {
  return { title, changes };
}

/** The only sensible remedy: it may be applied without asking. */
export function sure(remedy: Remedy): Remedy {
  return { ...remedy, sure: true };
}

export function set(path: KeyPath, value: ConfigValue): KeyChange {
  return { kind: 'set', path, value };
}

export function remove(path: KeyPath): KeyChange {
  return { kind: 'remove', path };
}

/** `moe.router.balance`, `train.warmup`: as messages name keys, without `model`. */
export function shownKey(path: KeyPath): string {
  return (path[0] === 'model' && path.length > 1 ? path.slice(1) : path).join('.');
}

/** As it would be written. */
function shownValue(value: ConfigValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll(',', ', ').replaceAll('"', '');
}
