import { deepMerged } from './extendsChain';
import { atValue } from './pathFinding';
import type { PathFinding } from './pathFinding';
import type { Experiment } from './schema';
import type { Steps } from './steps';
import { pathOfSweptKey } from './sweep';
import type { PlannedMember } from './sweep';
import type { KeyPath } from './yamlTree';

/** What became of a value that was read as a config. */
export interface Validated {
  readonly experiment: Experiment | undefined;
  readonly findings: readonly PathFinding[];
}

export interface TriedMembers {
  /** One for each planned member; undefined where it has errors, or is an earlier one once more. */
  readonly experiments: readonly (Experiment | undefined)[];
  /** Errors, and warnings of rules that the config itself gives none for, each where the sweep lists what causes it. */
  readonly findings: readonly PathFinding[];
}

/**
 * Reads the config once for each member, with its changes: a step each. `value` is the config as a value, known to be without errors;
 * `name` what it is called, and
 * `warned` the codes of the warnings that it has.
 */
export function* tryMembers(
  planned: readonly PlannedMember[],
  value: unknown,
  name: string,
  warned: ReadonlySet<string>,
  validate: (value: unknown) => Validated,
): Steps<TriedMembers> {
  const findings = new Map<string, PathFinding>();
  const first = new Map<string, PlannedMember>();
  const tried = (member: PlannedMember): Experiment | undefined => {
    const { experiment, findings: own } = validate(withChanges(value, member.changes));
    const errors = own.filter(({ severity }) => severity === 'error');
    const warnings = errors.length > 0 ? [] : own.filter(({ severity, code }) => severity === 'warning' && !warned.has(code));
    for (const found of [...errors, ...warnings]) {
      const finding = ofMember(member, found);
      // Every combination with a wrong value has the same error: once is enough. A warning may have other figures in each of them.
      const key = JSON.stringify([finding.spots, found.code, found.severity === 'error' ? found.message : '']);
      if (!findings.has(key)) findings.set(key, finding);
    }
    if (errors.length > 0 || experiment === undefined) return undefined;
    const content = JSON.stringify(experiment);
    const earlier = first.get(content);
    if (earlier === undefined) first.set(content, member);
    else if (!member.isListedBefore) findings.set(`${content} ${member.name}`, sameExperiment(member, earlier));
    return earlier === undefined ? { ...experiment, name: `${name}, ${member.name}` } : undefined;
  };
  const experiments: (Experiment | undefined)[] = [];
  for (const member of planned) {
    experiments.push(tried(member));
    yield;
  }
  return { experiments, findings: [...findings.values()] };
}

/** Other words for what an earlier member says: a key within another that is listed too, or the value that the config has anyway. */
function sameExperiment(member: PlannedMember, earlier: PlannedMember): PathFinding {
  const change = Object.keys(member.changes).findLast(
    (key) => JSON.stringify(member.changes[key]) !== JSON.stringify(earlier.changes[key]),
  );
  const place = (change === undefined ? undefined : member.places[change]) ?? member.place;
  return {
    spots: [atValue(...place)],
    severity: 'error',
    code: 'sweep-member',
    message: `${member.name}: this is the same experiment as ${earlier.name}, and each is trained once; remove one of them, or the key that takes away their difference.`,
  };
}

/** A config with changes by dotted keys: mappings are merged, anything else replaced, as by `extends`. */
function withChanges(value: unknown, changes: Readonly<Record<string, unknown>>): unknown {
  return Object.entries(changes).reduce<unknown>(
    (config, [key, change]) => deepMerged(config, nested(pathOfSweptKey(key) ?? [key], change)),
    value,
  );
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** An error is the sweep's; a warning stays its rule's, to be looked up and suppressed as such. */
function ofMember(member: PlannedMember, { spots, message, severity, code }: PathFinding): PathFinding {
  const cause = causeOf(
    member,
    spots.map(({ path }) => path),
  );
  // A member of a list goes whole: without one of its keys it would be another one.
  const path = typeof cause[1] === 'number' ? cause.slice(0, 2) : cause;
  return {
    spots: [atValue(...cause)],
    severity,
    code: severity === 'error' ? 'sweep-member' : code,
    message: `${member.name}: ${message}`,
    remedies: [{ title: 'Remove it from the sweep', changes: [{ kind: 'remove', path }] }],
  };
}

/** The change that an error points at, else the last: the one that differs from the member before. */
function causeOf({ places, place }: PlannedMember, paths: readonly KeyPath[]): KeyPath {
  const changed = Object.keys(places);
  const named = paths
    .map((path) => changed.find((key) => path.join('.') === key || path.join('.').startsWith(`${key}.`)))
    .find((key) => key !== undefined);
  const key = named ?? changed.at(-1);
  return (key === undefined ? undefined : places[key]) ?? place;
}
