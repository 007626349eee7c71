import { dirname } from 'node:path';
import type { ConfigFinding, ConfigFix, ReadText } from '../../config/configFile';
import type { RuleSeverities } from '../../config/lintSchema';
import { experimentOverlap } from '../../data/experimentOverlap';
import type { TextOverlap } from '../../data/textOverlap';
import type { AnalysisEnvironment, ConfigAnalysis } from '../../language/analysis';
import { AnalysisStore } from '../../language/analysisStore';
import { fixesFor } from '../../language/codeFixes';
import { FindingBoard } from '../../language/findingBoard';
import { SolvedSizes } from '../../language/solvedSizes';

export interface CheckOptions {
  readonly readText: ReadText;
  readonly severities: RuleSeverities;
  readonly memory: AnalysisEnvironment['memory'];
  readonly signal?: AbortSignal;
}

export interface CheckedFinding {
  readonly finding: ConfigFinding;
  readonly fixes: readonly ConfigFix[];
}

export interface Checked {
  /** The configs that were asked for, absolute. */
  readonly files: readonly string[];
  /** In the order of the configs, those of a file from top to bottom, each once: two configs may have the same base. */
  readonly findings: readonly CheckedFinding[];
}

/** What an editor would show of these configs, with everything that it looks for in the background. */
export async function checkFiles(files: readonly string[], { readText, severities, memory, signal }: CheckOptions): Promise<Checked> {
  const overlaps = new Map<string, readonly TextOverlap[]>();
  const environment = { severities, memory, overlaps: ({ file }: { readonly file: string }) => overlaps.get(file) };
  const store = new AnalysisStore({ readText, environment: () => environment });
  const board = new FindingBoard();
  const analyses: ConfigAnalysis[] = [];
  for (const file of files) {
    const found = await overlapsOf(store.get(file), signal);
    if (found.length > 0) {
      overlaps.set(file, found);
      store.forget(file);
    }
    const analysis = store.get(file);
    analyses.push(analysis);
    board.put(file, analysis.findings);
  }
  const finders = new Map(analyses.flatMap((analysis) => analysis.findings.map((finding) => [finding, analysis] as const)));
  const inFiles = new Set(analyses.flatMap((analysis) => [analysis.file, ...analysis.findings.map(({ file }) => file)]));
  const sizes = new SolvedSizes();
  const findings = [...inFiles]
    .flatMap((file) => board.of(file))
    .map((finding): CheckedFinding => {
      const analysis = finders.get(finding);
      return { finding, fixes: analysis === undefined ? [] : fixesFor(finding, analysis, readText, sizes) };
    });
  return { files, findings };
}

/** Reads the training text of the config once. */
async function overlapsOf(
  { file, loaded: { experiment } }: ConfigAnalysis,
  signal: AbortSignal | undefined,
): Promise<readonly TextOverlap[]> {
  const data = experiment?.data;
  return data === undefined ? [] : experimentOverlap({ data, folder: dirname(file) }, signal);
}
