import type { ConfigFinding, ConfigFix, ReadText } from '../config/configFile';
import { applyEdits } from '../config/edit/keyEdits';
import { fixesOf } from '../config/fixes';
import type { ConfigAnalysis } from './analysis';
import { AnalysisStore, type AnalysisSources } from './analysisStore';
import { solvedFixes } from './solvedFixes';

/**
 * What would mend a finding of an analysis, best first. Only when somebody asks: edits are tried on the text before they are offered, and sizes are
 * solved.
 */
export function fixesFor(finding: ConfigFinding, analysis: ConfigAnalysis, readText: ReadText): readonly ConfigFix[] {
  const text = finding.file === analysis.file ? analysis.text : readText(finding.file);
  if (text === undefined) return [];
  return distinct([...fixesOf(finding, text), ...solvedFixes(finding, analysis)]);
}

/** Two remedies may come to the same edits. */
function distinct(fixes: readonly ConfigFix[]): readonly ConfigFix[] {
  const byEdits = new Map<string, ConfigFix>();
  for (const fix of fixes) {
    const edits = JSON.stringify(fix.edits);
    if (!byEdits.has(edits)) byEdits.set(edits, fix);
  }
  return [...byEdits.values()];
}

/** A fix may bring up a finding that another mends; more rounds than this would be a game of two rules against each other. */
const ROUNDS = 20;

/**
 * The text of a file with every sure fix applied, and those of what that brings to light, as the rename of a section does; the text itself where there is none.
 * Fixes that overlap others wait for the next round.
 */
export function withSureFixes(file: string, sources: AnalysisSources): string {
  let text = sources.readText(file) ?? '';
  const store = new AnalysisStore({ ...sources, readText: (path) => (path === file ? text : sources.readText(path)) });
  const seen = new Set<string>();
  while (!seen.has(text) && seen.size < ROUNDS) {
    seen.add(text);
    store.outdate(file);
    const sure = store
      .get(file)
      .findings.filter((finding) => finding.file === file)
      .flatMap((finding) =>
        fixesOf(finding, text)
          .filter((fix) => fix.sure)
          .slice(0, 1),
      );
    text = applyEdits(
      text,
      apart(sure).flatMap(({ edits }) => edits),
    );
  }
  return text;
}

/** The first of those that overlap. */
function apart(fixes: readonly ConfigFix[]): readonly ConfigFix[] {
  const taken: ConfigFix[] = [];
  for (const fix of fixes) if (!taken.some((other) => overlap(fix, other))) taken.push(fix);
  return taken;
}

/** Insertions at one place overlap too: their order would be chance. */
function overlap(one: ConfigFix, other: ConfigFix): boolean {
  return one.edits.some(({ range: a }) => other.edits.some(({ range: b }) => !(isBefore(a.end, b.start) || isBefore(b.end, a.start))));
}

function isBefore(one: { readonly line: number; readonly character: number }, other: typeof one): boolean {
  return one.line < other.line || (one.line === other.line && one.character < other.character);
}
