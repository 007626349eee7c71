import type { ConfigFinding, LoadedConfig, ReadText } from './configFile';
import { lintFindings } from './lintFindings';
import type { RuleSeverities } from './lintSchema';
import { isSuppressible } from './ruleCodes';
import type { RuleCode } from './ruleCodes';
import { suppressionFindings } from './suppressionFindings';
import { suppressionsIn } from './suppression';
import type { SuppressedCode, Suppression } from './suppression';

export type { RuleSeverities, RuleSeverity } from './lintSchema';

export interface Adjustment {
  /** The config that was looked at: its `lint` key holds, and what is wrong with that and with suppressions in its file is found. */
  readonly loaded: LoadedConfig;
  /** Of the setting or the command line; what `lint` says wins. */
  readonly severities: RuleSeverities;
  /** The text of a file that findings are in. */
  readonly texts: ReadText;
  /** Every rule that there is. */
  readonly codes: readonly RuleCode[];
}

/**
 * Findings as they are shown: with the severities asked for, without those that are off or suppressed in the file that they are in, and
 * with what is wrong with either. By file, then from top to bottom.
 */
export function adjusted(findings: readonly ConfigFinding[], { loaded, severities, texts, codes }: Adjustment): ConfigFinding[] {
  const advisory = new Set(codes.flatMap((rule) => (rule.advisory ? [rule.code] : [])));
  const suppressible = new Set(codes.flatMap((rule) => (isSuppressible(rule) ? [rule.code] : [])));
  const asked: RuleSeverities = { ...severities, ...loaded.lint };
  const used = new Set<SuppressedCode>();
  const suppressions = new Map<string, readonly Suppression[]>();
  const of = (file: string): readonly Suppression[] => {
    const known = suppressions.get(file) ?? suppressionsIn((file === loaded.file ? loaded.text : texts(file)) ?? '');
    suppressions.set(file, known);
    return known;
  };
  const shown = (finding: ConfigFinding): ConfigFinding[] => {
    if (!advisory.has(finding.code)) return [finding];
    const severity = (Object.hasOwn(asked, finding.code) ? asked[finding.code] : undefined) ?? finding.severity;
    return severity === 'off' ? [] : [severity === finding.severity ? finding : { ...finding, severity }];
  };
  const ofLint = lintFindings(loaded, codes);
  const left = [...findings, ...ofLint].flatMap(shown).filter((finding) => {
    if (!suppressible.has(finding.code)) return true;
    const suppressing = of(finding.file).flatMap((suppression) => codesFor(suppression, finding));
    for (const code of suppressing) used.add(code);
    return suppressing.length === 0;
  });
  // With an error in it not every rule could look at the config.
  const complete = findings.every((finding) => finding.severity !== 'error');
  const isUnused = (code: SuppressedCode): boolean => complete && !used.has(code) && asked[code.code] !== 'off';
  // What is a comment is not known of a text that is no YAML.
  const isYaml = findings.every(({ file, code, severity }) => file !== loaded.file || code !== 'yaml-syntax' || severity !== 'error');
  const ofSuppressions = isYaml ? suppressionFindings(loaded, of(loaded.file), codes, isUnused).flatMap(shown) : [];
  return ofLint.length + ofSuppressions.length === 0 ? left : inOrder([...left, ...ofSuppressions], loaded.file);
}

/** The code by which a suppression, if it has a reason, suppresses a finding of its file. */
function codesFor({ line, codes, reason }: Suppression, finding: ConfigFinding): SuppressedCode[] {
  if (reason === '' || (line !== undefined && line !== finding.range.start.line)) return [];
  return codes.filter(({ code }) => code === finding.code);
}

function inOrder(findings: readonly ConfigFinding[], first: string): ConfigFinding[] {
  const files = [...new Set([first, ...findings.map(({ file }) => file)])];
  return findings.toSorted(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      a.range.start.line - b.range.start.line ||
      a.range.start.character - b.range.start.character,
  );
}
