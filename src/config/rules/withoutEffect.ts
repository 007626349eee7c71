import { valueAt } from '../keyValues';
import { atKey } from '../pathFinding';
import type { Spot } from '../pathFinding';
import type { KeyPath } from '../yamlTree';
import type { RuleInput, Violation } from './rule';
import type { Remedy } from '../remedy';
import { mended, removing, sure } from './remedies';
import { violation } from './rule';

export interface Idleness {
  /** Follows "because". */
  readonly why: string;
  /** What would give the keys an effect. */
  readonly instead: string;
  /** Where to show it in a variant that states none of the keys itself, but what takes their effect away. */
  readonly elsewhere: readonly Spot[];
  /** What somebody who states such keys may have meant; without any, that they go is the only sensible remedy. */
  readonly remedies?: readonly (Remedy | undefined)[];
}

/** One warning about stated keys of one mapping that have no effect. */
export function withoutEffect(
  { experiment, states }: RuleInput,
  mapping: KeyPath,
  keys: readonly string[],
  { why, instead, elsewhere, remedies = [] }: Idleness,
): Violation | undefined {
  const idle = keys.filter((key) => states(...mapping, key));
  if (idle.length === 0) return undefined;
  const shown = mapping[0] === 'model' ? mapping.slice(1) : mapping;
  const names = idle.map((key) => `\`${[...shown, key].join('.')}: ${String(valueAt(experiment, [...mapping, key]))}\``);
  const several = idle.length > 1;
  const others = remedies.filter((remedy) => remedy !== undefined);
  const removal = removing(...idle.map((key) => [...mapping, key]));
  const found = violation(
    `${listed(names)} ${several ? 'have' : 'has'} no effect, because ${why}; ${instead}, or remove ${several ? 'them' : 'it'}.`,
    ...idle.map((key) => atKey(...mapping, key)),
    ...elsewhere,
  );
  return mended(found, ...others, others.length === 0 ? sure(removal) : removal);
}

/** `a`, `b` and `c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
