import { childSchema, dotted } from './describeKey';
import { didYouMean } from './editDistance';
import { mayBeEmpty } from './jsonSchema';
import type { JsonSchema } from './jsonSchema';
import { isMapping } from './mapping';
import { movedToRouter } from './movedKeys';
import { atKey } from './pathFinding';
import type { PathFinding } from './pathFinding';
import type { Remedy } from './remedy';
import { changing, removing, shownKey, sure } from './rules/remedies';
import type { KeyPath } from './yamlTree';

export interface KnownValue {
  /** The value without what the schema does not know, and without keys that are stated empty and need not be there. */
  readonly value: unknown;
  readonly findings: readonly PathFinding[];
  /** The keys that misspelt ones were probably meant to be: that these are missing needs no word of its own. */
  readonly meant: readonly KeyPath[];
}

export function keepKnownKeys(root: JsonSchema, value: unknown): KnownValue {
  const findings: PathFinding[] = [];
  const allMeant: KeyPath[] = [];
  // Only where a key is unknown: most configs have none, and each member of a sweep is asked about.
  let paths: readonly KeyPath[] | undefined;

  /** Where the schema has a key: in the sections that the config states, else in all. */
  function places(key: string): readonly KeyPath[] {
    paths ??= allPaths(root, []);
    const all = paths.filter((other) => other.at(-1) === key);
    const stated = all.filter((other) => states(value, other.slice(0, -1)));
    return stated.length > 0 ? stated : all;
  }

  function keep(schema: JsonSchema, part: unknown, path: KeyPath): unknown {
    if (!isMapping(part) || !schema.properties) return part;
    return Object.fromEntries(
      Object.entries(part).flatMap(([key, child]) => {
        const inner = childSchema(schema, key);
        if (!inner) {
          const meant = meantBy(schema, path, key, places(key));
          if (meant.length === 1) allMeant.push(...meant);
          const only = meant.length === 1 && meant.every((to) => mayBegin(root, value, to) && !states(value, to));
          const moves = meant.filter((to) => mayBegin(root, value, to)).map((to) => moving([...path, key], to));
          const found = unknownKey(schema, path, key, meant);
          // Where it was meant to be; where that is not known, or taken, away.
          findings.push({ ...found, remedies: only ? moves.map(sure) : [...moves, removing([...path, key])] });
          return [];
        }
        return child === null && mayBeEmpty(schema, key) ? [] : [[key, keep(inner, child, [...path, key])]];
      }),
    );
  }

  return { value: keep(root, value, []), findings, meant: allMeant };
}

/** A key that exists in one other place belongs there; else it is the sibling that is spelt most like it, or one of several places. */
function meantBy(schema: JsonSchema, path: KeyPath, key: string, elsewhere: readonly KeyPath[]): readonly KeyPath[] {
  if (elsewhere.length === 1) return elsewhere;
  const sibling = didYouMean(key, Object.keys(schema.properties ?? {}));
  return sibling === undefined ? elsewhere : [[...path, sibling]];
}

function states(value: unknown, [key, ...rest]: KeyPath): boolean {
  if (key === undefined) return true;
  return isMapping(value) && Object.hasOwn(value, key) && states(value[String(key)], rest);
}

/** Whether a key can be put where its section is not: not where that then lacks others. */
function mayBegin(root: JsonSchema, value: unknown, to: KeyPath): boolean {
  return to.every((key, depth) => {
    const parent = to.slice(0, depth);
    if (states(value, parent)) return true;
    const schema = parent.reduce<JsonSchema | undefined>((inner, step) => inner && childSchema(inner, step), root);
    return (schema?.required ?? []).every((required) => required === key);
  });
}

function unknownKey(schema: JsonSchema, path: KeyPath, key: string, meant: readonly KeyPath[]): PathFinding {
  const message =
    dotted(path) === 'model.moe' && movedToRouter.includes(key)
      ? `\`moe.${key}\` is now \`moe.router.${key}\`.`
      : `Unknown key \`${dotted([...path, key])}\`; ${advice(schema, path, key, meant)}`;
  return {
    spots: [atKey(...path, key)],
    severity: 'error',
    code: 'unknown-key',
    message,
  };
}

function moving(path: KeyPath, to: KeyPath): Remedy {
  const renamed = to.slice(0, -1).join('.') === path.slice(0, -1).join('.');
  const title = renamed ? `Rename ${path.at(-1) ?? ''} to ${to.at(-1) ?? ''}` : `Move it to ${shownKey(to)}`;
  return changing(title, { kind: 'move', path, to });
}

function advice(schema: JsonSchema, path: KeyPath, key: string, places: readonly KeyPath[]): string {
  const [meant] = places;
  if (!meant) return `${path.length ? `\`${dotted(path)}\`` : 'a config'} has the keys ${Object.keys(schema.properties ?? {}).join(', ')}.`;
  if (meant.at(-1) !== key) return `did you mean \`${meant.at(-1) ?? ''}\`?`;
  return `it belongs ${orList(places.map((place) => (place.length > 1 ? `under \`${dotted(place.slice(0, -1))}\`` : 'at the top level')))}.`;
}

function allPaths(schema: JsonSchema, path: KeyPath): readonly KeyPath[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [[...path, key], ...allPaths(child, [...path, key])]);
}

function orList(places: readonly string[]): string {
  return places.length < 2 ? places.join('') : `${places.slice(0, -1).join(', ')} or ${places.at(-1) ?? ''}`;
}
