import type { ConfigFinding, ConfigFix, ReadText, TextEdit } from '../config/configFile';
import { applyEdits, editsFor } from '../config/edit/keyEdits';
import { fixesOf } from '../config/fixes';
import type { ConfigAnalysis } from './analysis';
import { AnalysisStore, type AnalysisSources } from './analysisStore';
import { solvedRemedies } from './solvedFixes';
import { SolvedSizes } from './solvedSizes';

/** A fix that a menu can show before anybody knows what it writes. */
export interface OfferedFix {
  readonly title: string;
  readonly sure: boolean;
  /** Of fixes of one file those with the same one do the same. */
  readonly identity: string;
  /** Undefined if the text cannot be edited so without risk. */
  edits(): readonly TextEdit[] | undefined;
}

/**
 * What would mend a finding of an analysis, best first. Only when somebody asks: edits are tried on the text before they are offered, and
 * sizes are solved. Of solved sizes the edits wait until one of them is chosen, as the others are never written.
 */
export function offeredFixes(
  finding: ConfigFinding,
  analysis: ConfigAnalysis,
  readText: ReadText,
  sizes: SolvedSizes,
): readonly OfferedFix[] {
  const text = finding.file === analysis.file ? analysis.text : readText(finding.file);
  if (text === undefined) return [];
  // Whether keys can be written depends on where they stand, and not on their values.
  const writable = new Map<string, boolean>();
  const solved = solvedRemedies(finding, analysis, sizes).flatMap(({ title, changes }): readonly OfferedFix[] => {
    const keys = JSON.stringify(changes.map(({ path }) => path));
    const edits = (): readonly TextEdit[] | undefined => editsFor(text, changes);
    const isWritable = writable.get(keys) ?? (edits()?.length ?? 0) > 0;
    writable.set(keys, isWritable);
    return isWritable ? [{ title, sure: false, identity: JSON.stringify(changes), edits }] : [];
  });
  return distinct([...remediesOffered(finding, text), ...solved]);
}

/** Those that the finding itself brings along. */
export function remediesOffered(finding: ConfigFinding, text: string): readonly OfferedFix[] {
  return fixesOf(finding, text).map(({ title, sure, edits }) => ({ title, sure, identity: JSON.stringify(edits), edits: () => edits }));
}

/** All fixes with their edits. */
export function fixesFor(
  finding: ConfigFinding,
  analysis: ConfigAnalysis,
  readText: ReadText,
  sizes: SolvedSizes = new SolvedSizes(),
): readonly ConfigFix[] {
  return offeredFixes(finding, analysis, readText, sizes).flatMap(({ title, sure, edits }) => {
    const written = edits();
    return written === undefined ? [] : [{ title, sure, edits: written }];
  });
}

/** Two remedies may come to the same edits. */
function distinct(fixes: readonly OfferedFix[]): readonly OfferedFix[] {
  const known = new Set<string>();
  return fixes.filter(({ identity }) => {
    const isNew = !known.has(identity);
    known.add(identity);
    return isNew;
  });
}

/** A fix may bring up a finding that another mends; more rounds than this would be a game of two rules against each other. */
const ROUNDS = 20;

/**
 * The text of a file with every sure fix applied, and those of what that brings to light, as the rename of a section does; the text itself
 * where there is none. Fixes that overlap others wait for the next round.
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
