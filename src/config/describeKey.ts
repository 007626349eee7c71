import { experimentJsonSchema } from './jsonSchema';
import type { JsonSchema } from './jsonSchema';
import type { KeyPath } from './yamlTree';

/** What a hover, a completion or a message says about a key. */
export interface KeyDescription {
  /** Dotted, for example `model.moe.heads`. */
  readonly path: string;
  readonly description: string;
  /** What the value must be, as it follows "must be": `a whole number of at least 1`. */
  readonly type: string;
  readonly required: boolean;
  /** Undefined where the key has no default. */
  readonly default: unknown;
  /** The words it may be, where it is one of a few. */
  readonly choices: readonly string[];
  /** The keys inside it, in the order of the schema. */
  readonly keys: readonly string[];
}

/** Undefined if the schema has no such key. The empty path is the whole config. */
export function describeKey(path: KeyPath): KeyDescription | undefined {
  let schema: JsonSchema | undefined = experimentJsonSchema();
  let required = true;
  for (const key of path) {
    required = schema?.required?.includes(String(key)) ?? false;
    schema = schema && childSchema(schema, key);
  }
  if (!schema) return undefined;
  return {
    path: dotted(path),
    description: schema.description ?? '',
    type: typePhrase(schema),
    required,
    default: schema.default,
    choices: (schema.enum ?? []).map(String),
    keys: Object.keys(schema.properties ?? {}),
  };
}

/** The schema of the value at a path, undefined if the schema has no such key. */
export function schemaAt(path: KeyPath): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((schema, key) => schema && childSchema(schema, key), experimentJsonSchema());
}

/** The schema of one key or list entry, undefined if it is unknown. */
export function childSchema(schema: JsonSchema, key: string | number): JsonSchema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  if (typeof schema.additionalProperties === 'object') return schema.additionalProperties;
  const items = schema.items;
  if (!items || !Number.isInteger(Number(key))) return undefined;
  return 'length' in items ? items[Number(key)] : items;
}

/** `model.moe.heads`, `data.train[0]`. */
export function dotted(path: KeyPath): string {
  return path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${key}` : key), '');
}

export function typePhrase(schema: JsonSchema): string {
  if (schema.enum) return oneOf(schema.enum.map(String));
  if (schema.anyOf) return schema.anyOf.map(typePhrase).join('; or ');
  switch (schema.type) {
    case 'integer':
    case 'number':
      return `a ${schema.type === 'integer' ? 'whole ' : ''}number${bounds(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return schema.minLength ? 'text that is not empty' : 'text';
    case 'array':
      return listPhrase(schema);
    default:
      if (schema.properties) return `a mapping with ${Object.keys(schema.properties).join(', ')}`;
      if (schema.type === undefined) return 'a value';
      return `a mapping of names, each to ${typeof schema.additionalProperties === 'object' ? typePhrase(schema.additionalProperties) : 'a value'}`;
  }
}

function oneOf(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const lower =
    minimum !== undefined ? `of at least ${digits(minimum)}` : exclusiveMinimum !== undefined ? `above ${digits(exclusiveMinimum)}` : '';
  const upper =
    maximum !== undefined ? `at most ${digits(maximum)}` : exclusiveMaximum !== undefined ? `below ${digits(exclusiveMaximum)}` : '';
  const both = [lower, upper].filter(Boolean).join(' and ');
  return both && ` ${both}`;
}

/** `1,048,576`, `0.001`, `1e-20`. */
function digits(bound: number): string {
  return Number.isInteger(bound) ? bound.toLocaleString('en-US') : String(bound);
}

function listPhrase(schema: JsonSchema): string {
  const items = schema.items ?? {};
  if ('length' in items) return `a list of ${items.length}, each ${typePhrase(items[0] ?? {})}`;
  const atLeast = schema.minItems ? `, at least ${schema.minItems}` : '';
  const atMost = schema.maxItems ? `${atLeast && ' and'} at most ${schema.maxItems}` : '';
  const entries =
    items.type === 'string' ? 'texts' : items.type === 'integer' ? `whole numbers${bounds(items)}` : several(typePhrase(items));
  return `a list of ${entries}${atLeast}${atMost}`;
}

function several(phrase: string): string {
  return phrase.replace(/^a value$/, 'values').replace(/^a mapping\b/, 'mappings');
}
