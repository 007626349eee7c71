import { isAbsolute, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { version } from '../../../package.json';
import type { ConfigFinding, ConfigFix, SourceRange } from '../../config/configFile';
import { ruleSentence, type RuleCode } from '../../config/ruleCodes';
import { ruleList } from '../../language/ruleList';
import type { Checked } from './checkFiles';
import { rulePage } from './rulePage';

const levels: Readonly<Record<ConfigFinding['severity'], string>> = { error: 'error', warning: 'warning', information: 'note' };

/** Findings as SARIF 2.1.0 (OASIS), which code hosts show at the lines of a change. Rules that found something come with their pages. */
export function sarif({ findings }: Checked, cwd: string): object {
  const found = new Set(findings.map(({ finding }) => finding.code));
  const rules = ruleList.filter(({ code }) => found.has(code));
  const location = (file: string): object => artifactLocation(file, cwd);
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'MoE Lab', version, semanticVersion: version, rules: rules.map(reportingDescriptor) } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { CHECKED: { uri: pathToFileURL(cwd.endsWith(sep) ? cwd : cwd + sep).href } },
        results: findings.map(({ finding: { file, range, severity, code, message }, fixes }) => ({
          ruleId: code,
          ruleIndex: rules.findIndex((rule) => rule.code === code),
          level: levels[severity],
          message: { text: message },
          locations: [{ physicalLocation: { artifactLocation: location(file), region: region(range) } }],
          ...(fixes.length === 0 ? {} : { fixes: fixes.map((fix) => sarifFix(fix, location(file))) }),
        })),
      },
    ],
  };
}

function reportingDescriptor(rule: RuleCode): object {
  const { code, severity } = rule;
  const page = rulePage(code);
  return {
    id: code,
    shortDescription: { text: ruleSentence(rule) },
    defaultConfiguration: { level: levels[severity] },
    ...(page === undefined ? {} : { help: { text: page, markdown: page } }),
  };
}

function sarifFix({ title, edits }: ConfigFix, artifact: object): object {
  return {
    description: { text: title },
    artifactChanges: [
      {
        artifactLocation: artifact,
        replacements: edits.map(({ range, newText }) => ({ deletedRegion: region(range), insertedContent: { text: newText } })),
      },
    ],
  };
}

/** One-based; the end is behind the last character. */
function region({ start, end }: SourceRange): object {
  return { startLine: start.line + 1, startColumn: start.character + 1, endLine: end.line + 1, endColumn: end.character + 1 };
}

function artifactLocation(file: string, cwd: string): object {
  const near = relative(cwd, file);
  if (near === '' || near.startsWith('..') || isAbsolute(near)) return { uri: pathToFileURL(file).href };
  return { uri: near.split(sep).map(encodeURIComponent).join('/'), uriBaseId: 'CHECKED' };
}
