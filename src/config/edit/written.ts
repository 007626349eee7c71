import { isMapping } from '../mapping';
import type { ConfigValue } from '../remedy';
import type { KeyPath } from '../yamlTree';

/** How text is quoted where it needs not be. */
export type Quote = 'plain' | 'single' | 'double';

/** Longest line that a mapping or a list is written in. */
const lineWidth = 100;

/** Sections that read better with a key a line, however short they are. */
const blockSections: ReadonlySet<string> = new Set(['', 'model', 'model.moe', 'train', 'data', 'lint', 'sweep']);

/** Text that YAML takes for text, alone and inside brackets. */
const plainText = /^[A-Za-z_./][\w./*+-]*(?: [A-Za-z_./(][\w./*+()=-]*)*$/;
/** What YAML, of 1.1 or 1.2, takes for something else than text. */
const words = /^(?:true|false|yes|no|on|off|y|n|null|~|[-+]?\.(?:inf|nan))$/i;

export function writtenText(text: string, quote: Quote = 'plain'): string {
  if (quote === 'plain' && plainText.test(text) && !words.test(text) && !/^\.?[\d.]/.test(text)) return text;
  // Without anything that single quotes cannot say.
  if (quote === 'single' && /^[\x20-\x7e]*$/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  return JSON.stringify(text);
}

/** `0.001`, `1.0e-8`: as YAML 1.1 and 1.2 both read it. */
function writtenNumber(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', exponent] = String(value).split('e');
  return exponent === undefined ? digits : `${digits.includes('.') ? digits : `${digits}.0`}e${exponent}`;
}

/** In one line, as inside brackets. What moves along may hold keys without a value. */
export function inOneLine(value: ConfigValue | null, quote: Quote = 'plain'): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return writtenText(value, quote);
  if (typeof value === 'number') return writtenNumber(value);
  if (typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map((entry) => inOneLine(entry, quote)).join(', ')}]`;
  const entries = Object.entries(value).map(([key, inner]) => `${writtenText(key, quote)}: ${inOneLine(inner, quote)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** A key and its value as lines without the indentation of the first; `path` is that of the key. */
export function asLines(path: KeyPath, value: ConfigValue, step: string): readonly string[] {
  const key = writtenText(String(path.at(-1) ?? ''));
  const line = `${key}: ${inOneLine(value)}`;
  if (isList(value)) {
    if (line.length <= lineWidth || value.length === 0) return [line];
    return [`${key}:`, ...value.map((entry) => `${step}- ${inOneLine(entry)}`)];
  }
  if (!isMapping(value) || Object.keys(value).length === 0) return [line];
  const nested = Object.values(value).some((inner) => isMapping(inner));
  if (!nested && !blockSections.has(path.join('.')) && line.length <= lineWidth) return [line];
  return [
    `${key}:`,
    ...Object.entries(value).flatMap(([inner, part]) => asLines([...path, inner], part, step).map((text) => `${step}${text}`)),
  ];
}

export function isList(value: ConfigValue): value is readonly ConfigValue[] {
  return Array.isArray(value);
}
