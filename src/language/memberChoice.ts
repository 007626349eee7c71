import type { LoadedConfig } from '../config/configFile';

/** What can be started of a config with a sweep. */
export interface MemberChoice {
  readonly label: string;
  readonly detail: string;
  /** Members counted from 0, in the order of training; empty for the config as it is without its sweep. */
  readonly members: readonly number[];
}

/**
 * All members in turn first, then each alone, then the config itself; members with errors are left out. Undefined for a config without a
 * sweep.
 */
export function memberChoices({ members }: Pick<LoadedConfig, 'members'>): readonly MemberChoice[] | undefined {
  const right = members.flatMap(({ experiment }, index) => (experiment === undefined ? [] : [index]));
  if (members.length === 0) return undefined;
  const whole: MemberChoice[] =
    right.length === members.length && right.length > 1
      ? [{ label: `All ${members.length} members`, detail: 'One after the other, each a run', members: right }]
      : [];
  const each = right.map((index) => ({
    label: members[index]?.name ?? '',
    detail: `Member ${index + 1} of ${members.length}`,
    members: [index],
  }));
  return [...whole, ...each, { label: 'Only the config itself', detail: 'As it is without its sweep', members: [] }];
}
