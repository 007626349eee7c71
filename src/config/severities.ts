import type { ConfigFinding, LoadedConfig, ReadText } from './configFile';
import type { RuleSeverities } from './lintSchema';
import type { RuleCode } from './ruleCodes';
import { sourceText } from './sourceText';
import { suppressionsIn } from './suppression';

export type { RuleSeverities, RuleSeverity } from './lintSchema';

export interface Adjustment {
  /** The config that was looked at: its `lint` key holds, and what is wrong with it and with suppressions in this file is found. */
  readonly loaded: LoadedConfig;
  /** Of the setting or the command line; what the config's own `lint` says wins. */
  readonly severities: RuleSeverities;
  /** The text of a file that findings are in. */
  readonly texts: ReadText;
  /** Every rule that there is. */
  readonly codes: readonly RuleCode[];
}

/** Findings as they are shown: with the severities asked for, without those that are off or suppressed. */
export function adjusted(findings: readonly ConfigFinding[], { severities, texts, codes }: Adjustment): ConfigFinding[] {
  const advisory = new Set(codes.filter((rule) => rule.advisory).map(({ code }) => code));
  return findings.flatMap((finding) => {
    if (!advisory.has(finding.code)) return [finding];
    const severity = severities[finding.code] ?? finding.severity;
    if (severity === 'off' || isSuppressed(finding, texts(finding.file) ?? '')) return [];
    return [{ ...finding, severity }];
  });
}

function isSuppressed({ code, range }: ConfigFinding, text: string): boolean {
  const source = sourceText(text);
  return suppressionsIn(text).some(({ scope, codes, reason, start, end }) => {
    if (reason === '' || !codes.some((entry) => entry.code === code)) return false;
    const { line } = source.rangeBetween(start, end).start;
    return scope === 'file' || range.start.line === (scope === 'line' ? line : line + 1);
  });
}
