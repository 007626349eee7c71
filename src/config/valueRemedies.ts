import { describeKey, schemaAt } from './describeKey';
import { didYouMean } from './editDistance';
import type { JsonSchema } from './jsonSchema';
import type { ConfigValue, Remedy } from './remedy';
import { removing, setting, sure } from './rules/remedies';
import { typicalValue } from './typicalValues';
import type { KeyPath } from './yamlTree';

/** Choices that are offered where none is near to what is written. */
const MOST_CHOICES = 8;

/** What could stand at a key that is not there. `value` is the whole config as it is stated. */
export function remediesOfMissing(path: KeyPath, value: unknown): readonly Remedy[] {
  const parent = path.slice(0, -1);
  // An entry of a list: the list as it is where nobody states it.
  if (typeof path.at(-1) === 'number') return defaultOf(parent);
  const typical = typicalValue(path, value);
  return typical === undefined ? [] : [{ ...setting(path, typical), title: `Add ${path.join('.')}` }];
}

/** What could stand in place of a value that its key cannot have. `list` is the list that it is an entry of, where it is one. */
export function remediesOfInvalid(path: KeyPath, found: unknown, value: unknown, list: readonly unknown[] | undefined): readonly Remedy[] {
  const parent = path.slice(0, -1);
  if (list !== undefined) return remediesOfEntry(path, found, list);
  const schema = schemaAt(path);
  if (schema === undefined) return [];
  const required = describeKey(path)?.required ?? true;
  const near = nearestValues(schema, found, path);
  const typical = near.length === 0 && required ? typicalValue(path, value) : undefined;
  return [
    ...near,
    ...(typical === undefined ? [] : [setting(path, typical)]),
    ...(required || parent.length === 0 || near.some((remedy) => remedy.sure) ? [] : [removing(path)]),
  ];
}

function remediesOfEntry(path: KeyPath, found: unknown, list: readonly unknown[]): readonly Remedy[] {
  const [at, parent] = [Number(path.at(-1)), path.slice(0, -1)];
  const fallback = defaultOf(parent);
  if (fallback.length > 0) return fallback;
  const rest = list.filter((_, index) => index !== at);
  const schema = schemaAt(path);
  const number = schema === undefined ? undefined : nearestNumber(schema, found);
  const changed = (entry: ConfigValue): Remedy =>
    setting(parent, list.map((other, index) => (index === at ? entry : other)) as ConfigValue);
  return [
    ...(number === undefined ? [] : [changed(number)]),
    ...(typeof found === 'number' && schema?.type === 'string' ? [sure(changed(String(found)))] : []),
    ...(rest.length === 0 ? [] : [setting(parent, rest as ConfigValue)]),
  ];
}

function defaultOf(path: KeyPath): readonly Remedy[] {
  const fallback = describeKey(path)?.default;
  return fallback === undefined ? [] : [setting(path, fallback as ConfigValue)];
}

function nearestValues(schema: JsonSchema, found: unknown, path: KeyPath): readonly Remedy[] {
  if (schema.enum) return nearestChoices(schema.enum, found, path);
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const number = nearestNumber(schema, found);
      if (number === undefined) return [];
      // The same number, written as a text.
      return [typeof found === 'string' && Number(found) === number ? sure(setting(path, number)) : setting(path, number)];
    }
    case 'boolean':
      return truths(found, path);
    case 'string':
      return typeof found === 'number' || typeof found === 'boolean' ? [sure(setting(path, String(found)))] : [];
    case 'array': {
      const [items] = [schema.items ?? {}];
      const lone = !('length' in items) && items.type === 'string' && typeof found === 'string' && found !== '';
      return lone ? [sure(setting(path, [found]))] : defaultOf(path);
    }
    default:
      return onlyNumberOf(schema, found, path);
  }
}

function nearestChoices(choices: readonly unknown[], found: unknown, path: KeyPath): readonly Remedy[] {
  const known = choices.filter((choice): choice is string | number => typeof choice === 'string' || typeof choice === 'number');
  const meant = typeof found === 'string' ? didYouMean(found, known.map(String)) : undefined;
  const near = known.filter((choice) => String(choice) === meant);
  const rest = known.filter((choice) => String(choice) !== meant).slice(0, MOST_CHOICES);
  return [...near.map((choice) => sure(setting(path, choice))), ...rest.map((choice) => setting(path, choice))];
}

const yes: readonly unknown[] = ['yes', 'on', 'y', 'true', 1];
const no: readonly unknown[] = ['no', 'off', 'n', 'false', 0];

/** YAML 1.1 had more words for true and false. */
function truths(found: unknown, path: KeyPath): readonly Remedy[] {
  const word = typeof found === 'string' ? found.toLowerCase() : found;
  if (yes.includes(word)) return [sure(setting(path, true))];
  if (no.includes(word)) return [sure(setting(path, false))];
  return [setting(path, true), setting(path, false)];
}

/** `4 layers`, `1,024`, `4.5`, `-1`: the number that is allowed and nearest. Undefined where none is near: above 0 there is no smallest. */
function nearestNumber(schema: JsonSchema, found: unknown): number | undefined {
  const written = typeof found === 'string' ? numberIn(found) : found;
  if (typeof written !== 'number' || !Number.isFinite(written)) return undefined;
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  const rounded = schema.type === 'integer' ? Math.round(written) : written;
  const bounded = Math.min(maximum, Math.max(minimum, rounded));
  return bounded > exclusiveMinimum && bounded < exclusiveMaximum ? bounded : undefined;
}

function numberIn(text: string): number | undefined {
  const plain = text.trim().replaceAll(/(?<=\d)[,_ ](?=\d{3})/g, '');
  return plain.length < 40 && /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(plain) ? Number(plain) : undefined;
}

/** `attention: 4`, `ffn: 684`: where one number is all that a section must have, it is that one. */
function onlyNumberOf(schema: JsonSchema, found: unknown, path: KeyPath): readonly Remedy[] {
  const [key, ...others] = schema.required ?? [];
  if (typeof found !== 'number' || key === undefined || others.length > 0) return [];
  const inner = schema.properties?.[key];
  const number = inner?.type === 'integer' ? nearestNumber(inner, found) : undefined;
  return number === undefined ? [] : [setting(path, { [key]: number })];
}
