import type { ConfigFinding, Position } from '../config/configFile';
import { isSuppressible } from '../config/ruleCodes';
import { parseYamlTree } from '../config/yamlTree';
import { ruleList } from './ruleList';

/** A comment to insert that suppresses a finding; between its two halves stands the reason, which is for a person to give. */
export interface SuppressionComment {
  readonly position: Position;
  readonly before: string;
  readonly after: string;
}

const suppressible: ReadonlySet<string> = new Set(ruleList.filter(isSuppressible).map(({ code }) => code));

/**
 * A line above the finding, indented as its line is, so that a comment that this one has already stays as it is. Undefined for what cannot
 * be suppressed, and where a line more would change what the text says.
 */
export function suppressionComment({ code, range }: Pick<ConfigFinding, 'code' | 'range'>, text: string): SuppressionComment | undefined {
  if (!suppressible.has(code)) return undefined;
  const lines = text.split(/(?<=\r\n|\n|\r(?!\n))/);
  const { line } = range.start;
  const indentation = /^[ \t]*/.exec(lines[line] ?? '')?.[0] ?? '';
  const end = /[\r\n]+$/.exec(lines[0] ?? '')?.[0] ?? '\n';
  const before = `${indentation}# moe-lab-disable-next-line ${code} -- `;
  const changed = [...lines.slice(0, line), `${before}reason${end}`, ...lines.slice(line)].join('');
  return saysTheSame(text, changed) ? { position: { line, character: 0 }, before, after: end } : undefined;
}

function saysTheSame(one: string, other: string): boolean {
  const [before, after] = [parseYamlTree(one), parseYamlTree(other)];
  return after.problems.length === before.problems.length && JSON.stringify(after.value) === JSON.stringify(before.value);
}
