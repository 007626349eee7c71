import type { ConfigFinding } from '../../config/configFile';

/**
 * The findings of each file, from the findings of every open config: a base that two variants extend is reported once, not twice, and
 * a file without findings is absent.
 */
export function collectFindings(analyses: Iterable<readonly ConfigFinding[]>): Map<string, ConfigFinding[]> {
  const byFile = new Map<string, ConfigFinding[]>();
  const seen = new Set<string>();
  for (const findings of analyses) {
    for (const finding of findings) {
      const { file, range, code, message } = finding;
      const identity = JSON.stringify([file, range, code, message]);
      if (seen.has(identity)) continue;
      seen.add(identity);
      const list = byFile.get(file);
      if (list) list.push(finding);
      else byFile.set(file, [finding]);
    }
  }
  return byFile;
}
