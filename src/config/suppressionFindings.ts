import type { ConfigFinding, LoadedConfig } from './configFile';
import { didYouMean } from './editDistance';
import { textEdits } from './edit/offsets';
import type { Remedy } from './remedy';
import { isSuppressible } from './ruleCodes';
import type { RuleCode } from './ruleCodes';
import { sourceText } from './sourceText';
import type { SourceText } from './sourceText';
import { withoutCode, withoutComment } from './suppression';
import type { SuppressedCode, Suppression } from './suppression';

/** What is wrong with the suppressions of a config's own file. */
export function suppressionFindings(
  { file, text }: LoadedConfig,
  suppressions: readonly Suppression[],
  rules: readonly RuleCode[],
  isUnused: (code: SuppressedCode) => boolean,
): ConfigFinding[] {
  if (suppressions.length === 0) return [];
  const source = sourceText(text);
  const suppressible = new Map(rules.flatMap((rule) => (isSuppressible(rule) ? [[rule.code, rule]] : [])));
  return suppressions.flatMap((suppression): ConfigFinding[] => {
    const unknown = suppression.codes.filter(({ code }) => !suppressible.has(code));
    if (suppression.codes.length === 0) return [{ file, ...noCode(source, suppression) }];
    if (unknown.length > 0)
      return unknown.map((code) => ({ file, ...unknownCode(source, suppression, code, rules, [...suppressible.keys()]) }));
    if (suppression.reason === '') return [{ file, ...noReason(source, suppression) }];
    const unused = suppression.codes.filter((code) => isUnused(code) && suppressible.get(code.code)?.environment !== true);
    return unused.map((code) => ({ file, ...unusedCode(source, suppression, code) }));
  });
}

type Found = Omit<ConfigFinding, 'file'>;

function removing(title: string, edits: Remedy['edits'], sure: boolean): Remedy {
  return { title, changes: [], ...(edits ? { edits } : {}), sure };
}

function noCode(source: SourceText, suppression: Suppression): Found {
  return {
    range: source.rangeBetween(suppression.start, suppression.end),
    severity: 'warning',
    code: 'suppression-unknown',
    message: 'This suppression names no rule; write the code of one behind it.',
    remedies: [removing('Remove the comment', withoutComment(source.text, suppression), false)],
  };
}

function noReason(source: SourceText, suppression: Suppression): Found {
  return {
    range: source.rangeBetween(suppression.start, suppression.end),
    severity: 'warning',
    code: 'suppression-reason',
    message: 'This suppression gives no reason, and so suppresses nothing; write `--` and the reason behind it.',
    remedies: [removing('Remove the comment', withoutComment(source.text, suppression), false)],
  };
}

function unknownCode(
  source: SourceText,
  suppression: Suppression,
  entry: SuppressedCode,
  rules: readonly RuleCode[],
  suppressible: readonly string[],
): Found {
  const { code, start, end } = entry;
  const rule = rules.find((known) => known.code === code);
  const meant = rule ? undefined : didYouMean(code, suppressible);
  const why = !rule
    ? `There is no rule \`${code}\`; ${meant === undefined ? 'remove it' : `did you mean \`${meant}\`?`}`
    : rule.advisory
      ? `\`${code}\` is about suppressions and cannot be suppressed; \`lint\` can set its severity`
      : `\`${code}\` is an error and cannot be suppressed: without it there is nothing that could be counted or trained`;
  return {
    range: source.rangeBetween(start, end),
    severity: 'warning',
    code: 'suppression-unknown',
    message: why.endsWith('?') ? why : `${why}.`,
    remedies: [
      ...(meant === undefined || suppression.codes.some((other) => other.code === meant)
        ? []
        : [removing(`Change to \`${meant}\``, textEdits(source.text, [{ start, end, newText: meant }]), true)]),
      removing(`Remove \`${code}\` from the comment`, withoutCode(source.text, suppression, entry), false),
    ],
  };
}

function unusedCode(source: SourceText, suppression: Suppression, code: SuppressedCode): Found {
  const where = suppression.scope === 'file' ? 'in this file' : `in line ${(suppression.line ?? 0) + 1}`;
  return {
    range: source.rangeBetween(code.start, code.end),
    severity: 'information',
    code: 'suppression-unused',
    message: `\`${code.code}\` finds nothing ${where}, so this suppresses nothing; remove it.`,
    remedies: [removing(`Remove the suppression of \`${code.code}\``, withoutCode(source.text, suppression, code), true)],
  };
}
