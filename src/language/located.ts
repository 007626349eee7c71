import type { ConfigFinding, LoadedConfig, SourceRange } from '../config/configFile';
import type { PathFinding } from '../config/pathFinding';

const topOfText: SourceRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/**
 * What is found of a config beside others, in the config itself, also where a base states the key: nothing is wrong with the base, which
 * others extend too. Then it stands at `extends`.
 */
export function located({ spots, ...finding }: PathFinding, { file, rangeOf }: Pick<LoadedConfig, 'file' | 'rangeOf'>): ConfigFinding {
  for (const { path } of spots) {
    const range = rangeOf(path);
    if (range !== undefined) return { file, range, ...finding };
  }
  return { file, range: rangeOf(['extends']) ?? topOfText, ...finding };
}

/** The config's own from top to bottom, then those of its bases, as they come. */
export function inOrder(findings: readonly ConfigFinding[], file: string): ConfigFinding[] {
  const own = findings.filter((finding) => finding.file === file);
  const ofBases = findings.filter((finding) => finding.file !== file);
  return [...own.toSorted(({ range: { start: a } }, { range: { start: b } }) => a.line - b.line || a.character - b.character), ...ofBases];
}
