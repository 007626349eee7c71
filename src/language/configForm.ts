import { basename } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigFinding, ReadText, SourceRange } from '../config/configFile';
import { childSchema, typePhrase } from '../config/describeKey';
import { readExtendsChain, type ChainLink } from '../config/extendsChain';
import { experimentJsonSchema, type JsonSchema } from '../config/jsonSchema';
import { valueAt } from '../config/keyValues';
import { isMapping } from '../config/mapping';
import type { KeyPath } from '../config/yamlTree';

/** How a value is edited: in a line, as lines, ticked, chosen, or as the YAML that it is. */
export type FieldKind = 'whole' | 'number' | 'text' | 'boolean' | 'choice' | 'choices' | 'numbers' | 'lines' | 'yaml';

/** Who says what a key is: this file (over a base that says it too), a base (its file name), nobody but the schema, or nobody at all. */
export type Origin =
  | { readonly kind: 'stated'; readonly over: string | null }
  | { readonly kind: 'inherited'; readonly from: string }
  | { readonly kind: 'default' }
  | { readonly kind: 'none' };

/** One key of a config, with the value that holds. */
export interface FormField {
  readonly path: readonly string[];
  readonly kind: FieldKind;
  readonly description: string;
  /** As it follows "must be". */
  readonly expects: string;
  /** The words it may be, or may hold. */
  readonly choices: readonly string[];
  readonly required: boolean;
  /** As it is edited: `true`, `8`, `value, output`; one entry a line for `lines`. Empty where there is none. */
  readonly value: string;
  readonly origin: Origin;
}

/** A mapping of the schema with the keys in it that are no mappings themselves. */
export interface FormSection {
  /** Empty for the top of the config. */
  readonly path: readonly string[];
  readonly description: string;
  /** Whether it may be left out: `model.moe`. */
  readonly optional: boolean;
  /** Whether the config has it, by itself or by a base; always, where it is not optional. */
  readonly present: boolean;
  readonly origin: Origin;
  readonly fields: readonly FormField[];
}

/** A config as a form: every key of the schema, in the schema's order. */
export interface ConfigForm {
  readonly sections: readonly FormSection[];
  /** The places of its keys, to show findings at their fields. */
  readonly places: readonly KeyPlace[];
}

/** Where a file of the chain states a key of the form. */
export interface KeyPlace {
  readonly path: readonly string[];
  readonly file: string;
  readonly key: SourceRange;
  readonly value: SourceRange;
  /** Whether findings within the value, whatever it holds, are this field's. */
  readonly whole: boolean;
}

/**
 * The form of a config. Undefined where the text, or that of a base, is no YAML, so that nobody can say what holds: `brokenAt` then says
 * where.
 * `text` is that of `file`.
 */
export function configForm(file: string, text: string, readText: ReadText): ConfigForm | undefined {
  const { links, value } = readExtendsChain(file, text, readText);
  if (value === undefined) return undefined;
  const sections = sectionsBelow(experimentJsonSchema(), [], { links, value, required: true });
  return { sections, places: placesOf(links, sections) };
}

/** What keeps a config from being shown as a form: the first error in the text of the file or of what it extends. */
export function brokenAt(file: string, text: string, readText: ReadText): ConfigFinding | undefined {
  const { findings } = readExtendsChain(file, text, readText);
  return findings.find(({ code, severity }) => severity === 'error' && code !== 'duplicate-key');
}

interface Surroundings {
  readonly links: readonly ChainLink[];
  readonly value: unknown;
  readonly required: boolean;
}

function sectionsBelow(schema: JsonSchema, path: readonly string[], around: Surroundings): FormSection[] {
  const entries = Object.entries(schema.properties ?? {});
  const value = valueAt(around.value, path);
  // A section that has a default of its own is there whatever a config says.
  const optional = !around.required && schema.default === undefined;
  const present = !optional || isMapping(value);
  const fields = entries.filter(([, property]) => !property.properties);
  const own: FormSection = {
    path,
    description: schema.description ?? '',
    optional,
    present,
    origin: path.length === 0 ? { kind: 'none' } : originOf(around.links, path, present),
    fields: present
      ? fields.map(([key, property]) => field([...path, key], property, isRequired(schema, key), valueAt(value, [key]), around.links))
      : [],
  };
  const inner = present ? entries.filter(([, property]) => property.properties) : [];
  return [
    own,
    ...inner.flatMap(([key, property]) => sectionsBelow(property, [...path, key], { ...around, required: isRequired(schema, key) })),
  ];
}

function field(path: readonly string[], schema: JsonSchema, required: boolean, stated: unknown, links: readonly ChainLink[]): FormField {
  const kind = kindOf(schema);
  const value = stated ?? schema.default;
  return {
    path,
    kind,
    description: schema.description ?? '',
    expects: typePhrase(schema),
    choices: (schema.enum ?? itemsOf(schema)?.enum ?? []).map(String),
    required,
    value: value === undefined || value === null ? '' : fieldText(kind, value),
    origin: originOf(links, path, value !== undefined),
  };
}

function kindOf(schema: JsonSchema): FieldKind {
  if (schema.enum?.length) return 'choice';
  switch (schema.type) {
    case 'integer':
      return 'whole';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'text';
    case 'array':
      return listKind(itemsOf(schema) ?? {});
    default:
      return 'yaml';
  }
}

function listKind(items: JsonSchema): FieldKind {
  if (items.enum?.length) return 'choices';
  if (items.type === 'integer' || items.type === 'number') return 'numbers';
  return items.type === 'string' ? 'lines' : 'yaml';
}

/** The schema of a list's entries; of a tuple that of the first. */
function itemsOf(schema: JsonSchema): JsonSchema | undefined {
  return schema.type === 'array' ? childSchema(schema, 0) : undefined;
}

/** A value as it is edited; one that is not what the key may be is shown as the YAML that it is. */
function fieldText(kind: FieldKind, value: unknown): string {
  const isPlain = (one: unknown): one is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof one);
  if (isPlain(value) && kind !== 'yaml') return String(value);
  const plainList = Array.isArray(value) && value.every(isPlain);
  if (plainList && (kind === 'choices' || kind === 'numbers')) return value.join(', ');
  if (plainList && kind === 'lines' && value.every((one) => !String(one).includes('\n'))) return value.join('\n');
  if (isMapping(value) && Object.keys(value).length === 0) return '';
  return stringify(value, { flowCollectionPadding: true, lineWidth: 0 }).trimEnd();
}

function originOf(links: readonly ChainLink[], path: KeyPath, hasValue: boolean): Origin {
  const [own, ...bases] = links;
  // What a base calls itself, what it extends and the family that it is of are its own affair.
  const inherits = path.length !== 1 || !['name', 'extends', 'sweep'].includes(String(path[0]));
  const base = inherits ? bases.find(({ tree }) => tree.statedAt(path)) : undefined;
  const from = base === undefined ? null : basename(base.file);
  if (own?.tree.statedAt(path)) return { kind: 'stated', over: from };
  if (from !== null) return { kind: 'inherited', from };
  return { kind: hasValue ? 'default' : 'none' };
}

function isRequired(schema: JsonSchema, key: string): boolean {
  return schema.required?.includes(key) ?? false;
}

function placesOf(links: readonly ChainLink[], sections: readonly FormSection[]): KeyPlace[] {
  const keys = sections.flatMap(({ path, fields }) => [
    { path, whole: false },
    ...fields.map((one) => ({ path: one.path, whole: ['lines', 'numbers', 'choices', 'yaml'].includes(one.kind) })),
  ]);
  return links.flatMap(({ file, tree }) =>
    keys.flatMap(({ path, whole }) => {
      const place = path.length === 0 ? undefined : tree.statedAt(path);
      return place ? [{ path, file, whole, ...place }] : [];
    }),
  );
}

/**
 * The key of the form that a finding is about: the one whose key or value it underlines, else the list or mapping it is within. Undefined
 * for what the form has no field for, an unknown key among it.
 */
export function keyOfFinding(
  { places }: ConfigForm,
  { file, range }: Pick<ConfigFinding, 'file' | 'range'>,
): readonly string[] | undefined {
  const inFile = places.filter((place) => place.file === file);
  const exact = inFile.findLast(({ key, value }) => same(key, range) || same(value, range));
  if (exact) return exact.path;
  // Keys in the order of the text: within a list or mapping is what comes after its key and before the next.
  const before = inFile
    .filter(({ key }) => !isBefore(range.start, key.start))
    .toSorted((a, b) => (isBefore(a.key.start, b.key.start) ? -1 : 1));
  const last = before.at(-1);
  return last?.whole ? last.path : undefined;
}

function same(one: SourceRange, other: SourceRange): boolean {
  return (
    !isBefore(one.start, other.start) && !isBefore(other.start, one.start) && !isBefore(one.end, other.end) && !isBefore(other.end, one.end)
  );
}

function isBefore(one: SourceRange['start'], other: SourceRange['start']): boolean {
  return one.line < other.line || (one.line === other.line && one.character < other.character);
}
