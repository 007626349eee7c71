import { childSchema, dotted } from './describeKey';
import { didYouMean } from './editDistance';
import { mayBeEmpty } from './jsonSchema';
import type { JsonSchema } from './jsonSchema';
import { isMapping } from './mapping';
import { movedToRouter } from './movedKeys';
import { atKey } from './pathFinding';
import type { PathFinding } from './pathFinding';
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
  const paths = allPaths(root, []);

  function keep(schema: JsonSchema, part: unknown, path: KeyPath): unknown {
    if (!isMapping(part) || !schema.properties) return part;
    return Object.fromEntries(
      Object.entries(part).flatMap(([key, child]) => {
        const inner = childSchema(schema, key);
        if (!inner) {
          const meant = meantBy(schema, path, key, paths);
          if (meant) allMeant.push(meant);
          findings.push(unknownKey(schema, path, key, meant));
          return [];
        }
        return child === null && mayBeEmpty(schema, key) ? [] : [[key, keep(inner, child, [...path, key])]];
      }),
    );
  }

  return { value: keep(root, value, []), findings, meant: allMeant };
}

/** A key that exists in one other place belongs there; else the sibling that is spelt most like it. */
function meantBy(schema: JsonSchema, path: KeyPath, key: string, paths: readonly KeyPath[]): KeyPath | undefined {
  const elsewhere = paths.filter((other) => other.at(-1) === key);
  if (elsewhere.length === 1) return elsewhere[0];
  const sibling = didYouMean(key, Object.keys(schema.properties ?? {}));
  return sibling === undefined ? undefined : [...path, sibling];
}

function unknownKey(schema: JsonSchema, path: KeyPath, key: string, meant: KeyPath | undefined): PathFinding {
  const message =
    dotted(path) === 'model.moe' && movedToRouter.includes(key)
      ? `\`moe.${key}\` is now \`moe.router.${key}\`.`
      : `Unknown key \`${dotted([...path, key])}\`; ${advice(schema, path, key, meant)}`;
  return { spots: [atKey(...path, key)], severity: 'error', code: 'unknown-key', message };
}

function advice(schema: JsonSchema, path: KeyPath, key: string, meant: KeyPath | undefined): string {
  if (!meant) return `${path.length ? `\`${dotted(path)}\`` : 'a config'} has the keys ${Object.keys(schema.properties ?? {}).join(', ')}.`;
  if (meant.at(-1) !== key) return `did you mean \`${meant.at(-1) ?? ''}\`?`;
  return meant.length > 1 ? `it belongs under \`${dotted(meant.slice(0, -1))}\`.` : 'it belongs at the top level.';
}

function allPaths(schema: JsonSchema, path: KeyPath): readonly KeyPath[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [[...path, key], ...allPaths(child, [...path, key])]);
}
