import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { experimentJsonSchema, publishedJsonSchema } from '../../src/config/jsonSchema';
import { ruleList } from '../../src/language/ruleList';
import type { JsonSchema } from '../../src/config/jsonSchema';
import { load, valid } from './memoryFiles';

interface Key {
  readonly path: readonly string[];
  readonly required: boolean;
}

function keys(schema: JsonSchema, path: readonly string[] = []): readonly Key[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
    { path: [...path, key], required: schema.required?.includes(key) ?? false },
    ...keys(inner, [...path, key]),
  ]);
}

/** The published schema's word on a key: whether null is one of its values. */
function mayBeNull(path: readonly string[]): boolean {
  const schema = path.reduce<JsonSchema | undefined>((part, key) => part?.properties?.[key], publishedJsonSchema(ruleList));
  const byType = schema?.type === undefined || [schema.type].flat().includes('null');
  return schema !== undefined && byType && (schema.enum === undefined || schema.enum.includes(null));
}

/** `{ a: { b: null } }` of `a`, `b`. */
function emptied(path: readonly string[]): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), null);
}

const all = keys(experimentJsonSchema());

describe('a key without a value', () => {
  it('stands for keys of every kind here', () => {
    expect(all.filter(({ required }) => required).length).toBeGreaterThan(10);
    expect(all.filter(({ required }) => !required).length).toBeGreaterThan(50);
  });

  // `extends` itself would be there twice.
  it.each(all.filter(({ path }) => path[0] !== 'extends').map((key) => ({ name: key.path.join('.'), ...key })))(
    '$name: the loader and the published schema agree whether that may be',
    ({ path, required }) => {
      const texts = { 'base.moe.yaml': valid, 'a.moe.yaml': `extends: base.moe.yaml\n${stringify(emptied(path))}` };
      const empty = load(texts).findings.filter(({ message }) => message.includes(`\`${path.join('.')}\` is empty`));
      expect(empty.map(({ code }) => code)).toEqual(required ? ['invalid-value'] : []);
      expect(mayBeNull(path)).toBe(!required);
    },
  );
});
