import { parseAllDocuments } from 'yaml';
import type { ConfigFinding, SourceRange } from '../config/configFile';
import { excessOf } from '../config/textLimits';

/**
 * Red Hat's YAML extension reads the schema that package.json gives it, and shows what it says: descriptions, keys, choices, and what
 * breaks it.
 */
export const YAML_EXTENSION = 'redhat.vscode-yaml';

/** Whether that extension shows a config too. What it says is then not said a second time. */
export type Beside = 'alone' | 'yaml';

/** Codes of findings that come from the YAML or from the schema alone. Their fixes are ours also beside it: it has none for them. */
const codesOfSchema: ReadonlySet<string> = new Set([
  'yaml-syntax',
  'duplicate-key',
  'unknown-key',
  'missing-key',
  'invalid-value',
  'empty-config',
]);

/**
 * Whether the YAML extension shows a finding of the open document `text` too, at the same place. Not where it reads YAML otherwise: it
 * merges `<<`, takes several documents, and requires no key of a config that extends another.
 */
export function saidByYamlExtension({ code, range }: Pick<ConfigFinding, 'code' | 'range'>, text: string): boolean {
  if (!codesOfSchema.has(code)) return false;
  switch (code) {
    case 'yaml-syntax':
      // A limit of our own, or what it takes for several documents.
      if (excessOf(text) !== undefined) return false;
      return parseAllDocuments(text, { logLevel: 'silent', prettyErrors: false }).some(
        ({ errors, warnings }) => errors.length + warnings.length > 0,
      );
    case 'empty-config':
      return text.trim() === '';
    case 'missing-key':
      return !/^\s*["']?extends["']?[ \t]*:/m.test(text) && !/<<["']?[ \t]*:/.test(text) && !hasEmptyKey(text);
    case 'unknown-key':
      return !hasEmptyKey(text) && textAt(text, range) !== '<<';
    case 'invalid-value':
      return isNumberOfSchema(textAt(text, range));
    default:
      return true;
  }
}

/** JSON Schema has no word for what is no number, nor for a whole number that a double cannot hold. */
function isNumberOfSchema(value: string): boolean {
  return !/^[-+]?\.nan$/i.test(value) && !(Math.abs(Number(value)) > Number.MAX_SAFE_INTEGER && Number.isFinite(Number(value)));
}

function hasEmptyKey(text: string): boolean {
  return /(?:^|[{,])[ \t]*:[ \t\r\n]/m.test(text);
}

/** What a range on one line covers. */
function textAt(text: string, { start, end }: SourceRange): string {
  return (text.split(/\r\n|\n|\r/)[start.line] ?? '').slice(start.character, end.character);
}
