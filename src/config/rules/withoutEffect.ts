import { atKey } from '../pathFinding';
import type { Spot } from '../pathFinding';
import type { KeyPath } from '../yamlTree';
import type { RuleInput, Violation } from './rule';
import { violation } from './rule';

/**
 * One warning about stated keys of one mapping that have no effect. `why` follows "because", `instead` is what would give them one;
 * `elsewhere` is where to show it in a variant that states none of the keys itself, but what takes their effect away.
 */
export function withoutEffect(
  { experiment, states }: RuleInput,
  mapping: KeyPath,
  keys: readonly string[],
  { why, instead, elsewhere }: { readonly why: string; readonly instead: string; readonly elsewhere: readonly Spot[] },
): Violation | undefined {
  const idle = keys.filter((key) => states(...mapping, key));
  if (idle.length === 0) return undefined;
  const shown = mapping[0] === 'model' ? mapping.slice(1) : mapping;
  const names = idle.map((key) => `\`${[...shown, key].join('.')}: ${String(valueAt(experiment, [...mapping, key]))}\``);
  const several = idle.length > 1;
  return violation(
    `${listed(names)} ${several ? 'have' : 'has'} no effect, because ${why}; ${instead}, or remove ${several ? 'them' : 'it'}.`,
    ...idle.map((key) => atKey(...mapping, key)),
    ...elsewhere,
  );
}

/** `a`, `b` and `c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (part, key) => (typeof part === 'object' && part !== null ? (part as Readonly<Record<string, unknown>>)[key] : undefined),
    value,
  );
}
