import * as z from 'zod';
import { keyFacts, keyMarkdown } from './keyFacts/keyFacts';
import { ruleSentence, type RuleCode } from './ruleCodes';
import { experimentSchema } from './schema';

/** The part of JSON Schema draft-07 that the experiment's schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  /** Read by editors of Microsoft's line in place of `description`. */
  readonly markdownDescription?: string;
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly additionalItems?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly not?: JsonSchema;
  readonly if?: JsonSchema;
  readonly then?: JsonSchema;
}

let cached: JsonSchema | undefined;

/** The schema of a config that stands alone, before defaults are filled in; describeKey and the unknown-key rule read it. */
export function experimentJsonSchema(): JsonSchema {
  // zod's type for JSON Schema is wider than what it emits; the committed file is checked against this by a test.
  cached ??= withReadableBounds(z.toJSONSchema(experimentSchema, { target: 'draft-7', io: 'input' }) as JsonSchema);
  return cached;
}

/**
 * The schema other YAML tools get (media/moe.schema.json). A config with `extends` may leave any key to its base, so keys are required only
 * where there is none; and a key that is not required may be empty, which takes away what the base says. `rules` are all that there are:
 * those whose severity can be set are the keys of `lint`, where no other is refused, since that is said by a rule of its own.
 */
export function publishedJsonSchema(rules: readonly RuleCode[]): JsonSchema {
  const schema = experimentJsonSchema();
  const { $schema, ...rest } = withRules(relaxed(schema, []), rules);
  return {
    ...($schema === undefined ? {} : { $schema }),
    title: 'MoE Lab experiment',
    ...rest,
    if: { not: { required: ['extends'] } },
    then: requiredKeys(schema) ?? {},
  };
}

/**
 * A key that is not required may be stated without a value, which is the same as stating it nowhere: its default holds, where it has one.
 */
export function mayBeEmpty(parent: JsonSchema, key: string): boolean {
  return parent.properties?.[key] !== undefined && !(parent.required ?? []).includes(key);
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/** Whole numbers: drops the bound of what a double can hold and says "at least 1" instead of "above 0". */
function withReadableBounds(schema: JsonSchema): JsonSchema {
  const { maximum, exclusiveMinimum, properties, items, additionalProperties, anyOf, ...rest } = schema;
  const whole = schema.type === 'integer';
  return {
    ...rest,
    ...(anyOf ? unionOf(anyOf) : {}),
    ...(whole && exclusiveMinimum !== undefined ? { minimum: exclusiveMinimum + 1 } : {}),
    ...(!whole && exclusiveMinimum !== undefined ? { exclusiveMinimum } : {}),
    ...(maximum !== undefined && !(whole && maximum === Number.MAX_SAFE_INTEGER) ? { maximum } : {}),
    ...(properties ? { properties: mapValues(properties, withReadableBounds) } : {}),
    ...(items ? { items: isList(items) ? items.map(withReadableBounds) : withReadableBounds(items) } : {}),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties: typeof additionalProperties === 'boolean' ? additionalProperties : withReadableBounds(additionalProperties),
        }),
  };
}

/** Of a few values, or of forms. */
function unionOf(choices: readonly JsonSchema[]): JsonSchema {
  const values = choices.flatMap((choice) => choice.const ?? []);
  return values.length === choices.length ? { enum: values } : { anyOf: choices.map(withReadableBounds) };
}

function isList(items: JsonSchema | readonly JsonSchema[]): items is readonly JsonSchema[] {
  return Array.isArray(items);
}

/**
 * Without what is required, and with what hovers say. Defaults are told in words: the YAML language server would else complete a section
 * with all of them, those included that have no effect there.
 */
function relaxed(schema: JsonSchema, path: readonly string[]): JsonSchema {
  const { required: _required, default: preset, ...plain } = schema;
  const fact = keyFacts[path.join('.')];
  const told = preset === undefined || schema.properties ? '' : ` Default: ${JSON.stringify(preset)}.`;
  const rest: JsonSchema = {
    ...plain,
    ...(schema.description === undefined ? {} : { description: `${schema.description}${told}` }),
    ...(fact === undefined ? {} : { markdownDescription: keyMarkdown(`${schema.description ?? ''}${told}`, fact) }),
  };
  if (!schema.properties) return rest;
  return {
    ...rest,
    properties: mapValues(schema.properties, (property, key) => {
      const inner = relaxed(property, [...path, key]);
      return mayBeEmpty(schema, key) ? orNull(inner) : inner;
    }),
  };
}

function withRules(schema: JsonSchema, rules: readonly RuleCode[]): JsonSchema {
  const { lint } = schema.properties ?? {};
  if (lint === undefined || typeof lint.additionalProperties !== 'object') return schema;
  const severity = lint.additionalProperties;
  const codes = rules.flatMap((rule) => (rule.advisory ? [[rule.code, { ...severity, description: ruleSentence(rule) }] as const] : []));
  return { ...schema, properties: { ...schema.properties, lint: { ...lint, properties: Object.fromEntries(codes) } } };
}

function orNull({ type, enum: choices, anyOf, ...rest }: JsonSchema): JsonSchema {
  return {
    ...rest,
    ...(anyOf ? { anyOf: [...anyOf, { type: 'null' }] } : {}),
    ...(typeof type === 'string' ? { type: [type, 'null'] } : {}),
    ...(choices ? { enum: [...choices, null] } : {}),
  };
}

/** Only what is required, at every level; undefined where nothing is. */
function requiredKeys(schema: JsonSchema): JsonSchema | undefined {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const required = requiredKeys(property);
    return required ? [[key, required] as const] : [];
  });
  if (inner.length === 0 && !schema.required?.length) return undefined;
  return {
    ...(schema.required?.length ? { required: schema.required } : {}),
    ...(inner.length ? { properties: Object.fromEntries(inner) } : {}),
  };
}
