import type { LoadedConfig, SweepMember } from '../config/configFile';
import { ConfigRejected } from '../worker/runFailure';
import { WrongUse } from './command';

/**
 * Which members of a config's sweep are to be trained, counted from 0; undefined for a config without a sweep, which is trained itself.
 * `named` is what
 * `--member` says: a number counted from 1, or a name. Throws WrongUse for one that is not there, ConfigRejected where one that is asked for has errors.
 */
export function membersToTrain(
  { file, members, findings }: Pick<LoadedConfig, 'file' | 'members' | 'findings'>,
  named: string | undefined,
): readonly number[] | undefined {
  if (members.length === 0) {
    if (findings.some(({ severity }) => severity === 'error')) throw new ConfigRejected(file, findings);
    if (named !== undefined) throw new WrongUse(`${file} has no sweep, so it has no members; leave --member out.`);
    return undefined;
  }
  const chosen = named === undefined ? members.map((_, index) => index) : [indexOf(members, named)];
  // Before any of them is trained: who starts a family overnight wants to know now.
  if (chosen.some((index) => members[index]?.experiment === undefined)) throw new ConfigRejected(file, findings);
  return chosen;
}

function indexOf(members: readonly SweepMember[], named: string): number {
  const byName = members.findIndex(({ name }) => name === named);
  const byNumber = /^\d+$/.test(named) ? Number(named) - 1 : -1;
  const index = byName >= 0 ? byName : byNumber;
  if (index >= 0 && index < members.length) return index;
  const list = members.map(({ name }, at) => `${at + 1} (${name})`).join(', ');
  throw new WrongUse(`There is no member ${named}; the sweep has ${list}.`);
}
