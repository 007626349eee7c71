import { childSchema, dotted } from './describeKey';
import { didYouMean } from './editDistance';
import { mayBeEmpty } from './jsonSchema';
import type { JsonSchema } from './jsonSchema';
import { atKey } from './pathFinding';
import type { PathFinding } from './pathFinding';
import type { KeyPath } from './yamlTree';

export interface KnownValue {
  /** The value without what the schema does not know, and without optional keys that are stated empty. */
  readonly value: unknown;
  readonly findings: readonly PathFinding[];
}

export function keepKnownKeys(root: JsonSchema, value: unknown): KnownValue {
  const findings: PathFinding[] = [];
  const paths = allPaths(root, []);

  function keep(schema: JsonSchema, part: unknown, path: KeyPath): unknown {
    if (!isMapping(part) || !schema.properties) return part;
    return Object.fromEntries(
      Object.entries(part).flatMap(([key, child]) => {
        const inner = childSchema(schema, key);
        if (!inner) {
          findings.push(unknownKey(schema, path, key, paths));
          return [];
        }
        return child === null && mayBeEmpty(schema, key) ? [] : [[key, keep(inner, child, [...path, key])]];
      }),
    );
  }

  return { value: keep(root, value, []), findings };
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(schema: JsonSchema, path: KeyPath, key: string, paths: readonly KeyPath[]): PathFinding {
  const siblings = Object.keys(schema.properties ?? {});
  return {
    spots: [atKey(...path, key)],
    severity: 'error',
    code: 'unknown-key',
    message: `Unknown key \`${dotted([...path, key])}\`; ${advice(key, siblings, path, paths)}`,
  };
}

function advice(key: string, siblings: readonly string[], path: KeyPath, paths: readonly KeyPath[]): string {
  const elsewhere = paths.filter((other) => other.at(-1) === key);
  const only = elsewhere.length === 1 ? elsewhere[0] : undefined;
  if (only) return only.length > 1 ? `it belongs under \`${dotted(only.slice(0, -1))}\`.` : 'it belongs at the top level.';
  const meant = didYouMean(key, siblings);
  if (meant) return `did you mean \`${meant}\`?`;
  return `${path.length ? `\`${dotted(path)}\`` : 'a config'} has the keys ${siblings.join(', ')}.`;
}

function allPaths(schema: JsonSchema, path: KeyPath): readonly KeyPath[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [[...path, key], ...allPaths(child, [...path, key])]);
}
