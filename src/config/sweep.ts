import { childSchema } from './describeKey';
import { didYouMean } from './editDistance';
import { experimentJsonSchema } from './jsonSchema';
import type { JsonSchema } from './jsonSchema';
import { isMapping } from './mapping';
import { atKey, atValue } from './pathFinding';
import type { PathFinding } from './pathFinding';
import type { KeyPath } from './yamlTree';

/**
 * `sweep:` as it is written, before its members are tried: a mapping of dotted keys to lists of values, whose members are all combinations, or a
 * list of mappings of dotted keys to values, for keys that must move together. Keys are dotted as in `model.moe.top_k`.
 */

/** More trainings than anybody starts at once; a table of more is no longer read. */
export const mostMembers = 64;

/** What a member changes, and where the sweep says it. */
export interface PlannedMember {
  /** `top_k=2, learning_rate=0.001`. */
  readonly name: string;
  /**
   * By dotted keys; null takes away what the config says, as an empty key does. Mappings are merged into what is there, as by `extends`.
   */
  readonly changes: Readonly<Record<string, unknown>>;
  /** Where the value of each change stands. */
  readonly places: Readonly<Record<string, KeyPath>>;
  /** Where the member stands; where it is a combination, the value of its first key. */
  readonly place: KeyPath;
  /** Whether an earlier one has the same changes, which a finding of the plan says. */
  readonly isListedBefore: boolean;
}

export interface SweepPlan {
  /** In the order of training: the first key of a mapping varies slowest. None where the sweep is not understood or too large. */
  readonly members: readonly PlannedMember[];
  readonly findings: readonly PathFinding[];
}

/** A value of the key `sweep`, undefined where there is none; `stated` is the config, to say where a key that was cut short belongs. */
export function planSweep(value: unknown, stated: unknown): SweepPlan {
  if (value === undefined) return { members: [], findings: [] };
  if (Array.isArray(value)) return ofList(value, stated);
  if (isMapping(value)) return ofCombinations(value, stated);
  return refused([
    invalid(['sweep'], 'must be a mapping of dotted keys to lists of values, or a list of mappings of dotted keys to values'),
  ]);
}

function refused(findings: readonly PathFinding[]): SweepPlan {
  return { members: [], findings };
}

/** One value of a swept key, and where it stands. */
interface PlacedValue {
  readonly key: string;
  readonly value: unknown;
  readonly place: KeyPath;
}

function ofCombinations(mapping: Readonly<Record<string, unknown>>, stated: unknown): SweepPlan {
  const findings: PathFinding[] = [];
  const axes: PlacedValue[][] = [];
  for (const [key, values] of Object.entries(mapping)) {
    const path = ['sweep', key];
    const wrong = wrongKey(key, path, stated);
    if (wrong) findings.push(wrong);
    else if (!Array.isArray(values)) findings.push(noList(path, values));
    else if (values.length === 0) findings.push(size(atKey(...path), `\`${key}\` has no values, so the sweep has no members; list some.`));
    else axes.push(values.map((value: unknown, index) => ({ key, value, place: [...path, index] })));
  }
  if (findings.length > 0) return refused(findings);
  if (axes.length === 0)
    return refused([size(atKey('sweep'), 'The sweep has no keys; list values for some, as in `model.moe.top_k: [1, 2]`.')]);
  const members = axes.reduce((product, axis) => product * axis.length, 1);
  if (members > mostMembers) {
    const factors = axes.map((axis) => axis.length).join(' x ');
    return refused([
      size(
        atKey('sweep'),
        `The sweep has ${axes.length > 1 ? `${factors} = ` : ''}${members.toLocaleString('en-US')} members; at most ${mostMembers} are trained as one family. List fewer values, or only the members that matter.`,
      ),
    ]);
  }
  const combinations = axes.reduce<PlacedValue[][]>((all, axis) => all.flatMap((one) => axis.map((placed) => [...one, placed])), [[]]);
  return named(combinations.map((placed) => ({ placed, place: placed[0]?.place ?? ['sweep'] })));
}

function ofList(list: readonly unknown[], stated: unknown): SweepPlan {
  if (list.length === 0) return refused([size(atKey('sweep'), 'The sweep has no members; list some, as in `- model.moe.top_k: 2`.')]);
  if (list.length > mostMembers)
    return refused([size(atKey('sweep'), `The sweep has ${list.length} members; at most ${mostMembers} are trained as one family.`)]);
  const findings: PathFinding[] = [];
  const members = list.map((entry, index) => {
    const place = ['sweep', index];
    if (!isMapping(entry)) {
      findings.push(invalid(place, 'must be a mapping of dotted keys to values, as in `{ model.moe.top_k: 2, model.moe.experts: 16 }`'));
      return { placed: [], place };
    }
    const placed = Object.entries(entry).map(([key, value]): PlacedValue => ({ key, value, place: [...place, key] }));
    findings.push(...placed.flatMap(({ key, place: at }) => wrongKey(key, at, stated) ?? []));
    return { placed, place };
  });
  return findings.length > 0 ? refused(findings) : named(members);
}

function named(members: readonly { readonly placed: readonly PlacedValue[]; readonly place: KeyPath }[]): SweepPlan {
  const keys = [...new Set(members.flatMap(({ placed }) => placed.map(({ key }) => key)))];
  const short = shortNames(keys);
  const findings: PathFinding[] = [];
  const first = new Map<string, number>();
  const planned = members.map(({ placed, place }, index): PlannedMember => {
    const changes = Object.fromEntries(placed.map(({ key, value }) => [key, value]));
    const same = json(keys.map((key) => (Object.hasOwn(changes, key) ? [changes[key]] : [])));
    const earlier = first.get(same);
    // Of combinations the value that is listed again, as each of them stands nowhere by itself.
    const at = (): KeyPath =>
      (typeof place[1] === 'number' ? undefined : placed.findLast(({ key, place: own }) => isRepeated(members, key, own))?.place) ?? place;
    if (earlier === undefined) first.set(same, index);
    else findings.push(repeated(at(), index, earlier));
    return {
      name: placed.map(({ key, value }) => `${short.get(key) ?? key}=${valueText(value)}`).join(', ') || 'unchanged',
      changes,
      places: Object.fromEntries(placed.map(({ key, place: own }) => [key, own])),
      place,
      isListedBefore: earlier !== undefined,
    };
  });
  return { members: planned, findings: onePerPlace(findings) };
}

/** Whether the same key has the same value at an earlier place. */
function isRepeated(members: readonly { readonly placed: readonly PlacedValue[] }[], key: string, place: KeyPath): boolean {
  const values = members.flatMap(({ placed }) => placed.filter((one) => one.key === key));
  const own = values.find((one) => one.place.join('\0') === place.join('\0'));
  const firstSame = values.find((one) => json(one.value) === json(own?.value));
  return firstSame !== undefined && firstSame.place.join('\0') !== place.join('\0');
}

function repeated(place: KeyPath, index: number, earlier: number): PathFinding {
  const message = `Member ${index + 1} of the sweep is member ${earlier + 1} once more; each is trained once, so remove one.`;
  return {
    spots: [atValue(...place)],
    severity: 'error',
    code: 'sweep-member',
    message,
    remedies: [{ title: 'Remove the repeated value', changes: [{ kind: 'remove', path: place }], sure: true }],
  };
}

function onePerPlace(findings: readonly PathFinding[]): readonly PathFinding[] {
  const seen = new Set<string>();
  return findings.filter(({ spots }) => {
    const key = JSON.stringify(spots);
    return seen.has(key) ? false : Boolean(seen.add(key));
  });
}

/** The shortest end of each dotted key that no other has: `top_k`; `moe.heads` beside `attention.heads`. */
export function shortNames(keys: readonly string[]): ReadonlyMap<string, string> {
  const end = (key: string, parts: number): string => key.split('.').slice(-parts).join('.');
  return new Map(
    keys.map((key) => {
      const others = keys.filter((other) => other !== key);
      const length = key.split('.').length;
      const parts = Array.from({ length }, (_, index) => index + 1).find((count) =>
        others.every((other) => end(other, count) !== end(key, count)),
      );
      return [key, end(key, parts ?? length)];
    }),
  );
}

/** Infinity and what is no number have no JSON, and are not null. */
function json(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' && !Number.isFinite(part) ? String(part) : part));
}

const longestValue = 40;

/** A value as a name or a table shows it. */
export function valueText(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : value === null ? 'none' : json(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}...` : text;
}

/** Keys that say what a family is, and not what its members differ in. */
const ofTheFamily = ['name', 'extends', 'parity', 'sweep', 'lint'];

/** Every dotted key that a sweep may list. */
export function sweepableKeys(): readonly string[] {
  return keysBelow(experimentJsonSchema(), []).filter((key) => !ofTheFamily.includes(key.split('.')[0] ?? ''));
}

function keysBelow(schema: JsonSchema, path: readonly string[]): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [[...path, key].join('.'), ...keysBelow(child, [...path, key])]);
}

/** The path of a dotted key, undefined where no config has such a key. */
export function pathOfSweptKey(key: string): readonly string[] | undefined {
  const path = key.split('.');
  let schema: JsonSchema | undefined = experimentJsonSchema();
  for (const part of path) schema = schema && childSchema(schema, part);
  return schema === undefined ? undefined : path;
}

function wrongKey(key: string, place: KeyPath, stated: unknown): PathFinding | undefined {
  const [top = ''] = key.split('.');
  const spots = [atKey(...place)];
  if (ofTheFamily.includes(top)) {
    const message = `\`${top}\` is the same for all members of a sweep; remove it from \`sweep\`.`;
    const remedies = [{ title: `Remove ${key} from the sweep`, changes: [{ kind: 'remove' as const, path: place }], sure: true }];
    return { spots, severity: 'error', code: 'sweep-key', message, remedies };
  }
  if (pathOfSweptKey(key) !== undefined) return undefined;
  const meant = meantBy(key, stated);
  const advice =
    meant.length > 0
      ? `did you mean ${meant.map((one) => `\`${one}\``).join(' or ')}?`
      : 'keys are dotted from the top, as in `model.moe.top_k`.';
  const remedies = meant.map((to) => ({
    title: `Change to ${to}`,
    changes: [{ kind: 'move' as const, path: place, to: [...place.slice(0, -1), to] }],
    sure: meant.length === 1,
  }));
  return {
    spots,
    severity: 'error',
    code: 'sweep-key',
    message: `No config has the key \`${key}\`; ${advice}`,
    ...(remedies.length > 0 ? { remedies } : {}),
  };
}

/** A key that was cut short, in the sections that the config states else in all; or the one that is spelt most like it. */
function meantBy(key: string, stated: unknown): readonly string[] {
  const all = sweepableKeys();
  const ends = all.filter((one) => one.endsWith(`.${key}`));
  const inStated = ends.filter((one) => statesSection(stated, one.split('.').slice(0, -1)));
  if (ends.length > 0) return inStated.length > 0 ? inStated : ends;
  const parent = key.split('.').slice(0, -1).join('.');
  const siblings = all.filter((one) => one.split('.').slice(0, -1).join('.') === parent);
  const close = didYouMean(key, siblings) ?? didYouMean(key, all);
  return close === undefined ? [] : [close];
}

function statesSection(value: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  return isMapping(value) && Object.hasOwn(value, key) && statesSection(value[key], rest);
}

function noList(path: KeyPath, value: unknown): PathFinding {
  const found = invalid(path, 'must be a list of values');
  if (value === null || typeof value === 'object') return found;
  const list = [value as string | number | boolean];
  return { ...found, remedies: [{ title: 'Make it a list', changes: [{ kind: 'set', path, value: list }], sure: true }] };
}

function invalid(path: KeyPath, mustBe: string): PathFinding {
  const last = path.at(-1);
  const name =
    path.length === 1 ? '`sweep`' : typeof last === 'number' ? `Member ${last + 1} of \`sweep\`` : `\`${last ?? ''}\` of \`sweep\``;
  return { spots: [atValue(...path)], severity: 'error', code: 'invalid-value', message: `${name} ${mustBe}.` };
}

function size(spot: PathFinding['spots'][number], message: string): PathFinding {
  return { spots: [spot], severity: 'error', code: 'sweep-size', message };
}
