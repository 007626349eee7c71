import { setImmediate } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { ConfigFinding, TextEdit } from '../../config/configFile';
import type { ConfigAnalysis } from '../../language/analysis';
import { offeredFixes, remediesOffered, withSureFixes, type OfferedFix } from '../../language/codeFixes';
import type { FindingBoard } from '../../language/findingBoard';
import { replacedPart } from '../../language/replacedPart';
import { SolvedSizes } from '../../language/solvedSizes';
import { suppressionComment } from '../../language/suppressAction';
import { InternalCommand } from '../contributions';
import type { ConfigAnalyses } from './configAnalyses';
import { configSelector, readOpenOrDisk } from './configDocuments';
import { DIAGNOSTIC_SOURCE } from './diagnostics';
import { toRange } from './ranges';

const fixAll = vscode.CodeActionKind.SourceFixAll.append('moeLab');

/** A fix of a text as it was when the menu was made; its edits are found when it is chosen. */
class FixAction extends vscode.CodeAction {
  constructor(
    readonly uri: vscode.Uri,
    readonly fix: OfferedFix,
  ) {
    super(fix.title, vscode.CodeActionKind.QuickFix);
  }
}

/** Quick fixes at findings, suppression with a reason, the page of the rule, and all sure fixes of a document at once. */
export function provideCodeActions(analyses: ConfigAnalyses, board: FindingBoard): vscode.Disposable {
  // The lightbulb asks at every move of the cursor: edits are tried once per finding, and sizes solved once per content of what is solved.
  const known = new WeakMap<ConfigFinding, readonly OfferedFix[]>();
  const sizes = new SolvedSizes();
  const fixesAt = (finding: ConfigFinding, analysis: ConfigAnalysis): readonly OfferedFix[] => {
    if (!analysis.findings.includes(finding)) return remediesOffered(withoutOwnEdits(finding), analysis.text);
    const fixes = known.get(finding) ?? offeredFixes(finding, analysis, readOpenOrDisk, sizes);
    known.set(finding, fixes);
    return fixes;
  };
  const provider: vscode.CodeActionProvider = {
    async provideCodeActions(document, range, context, token) {
      const { only } = context;
      // On saving, and by command, somebody asks for `source.fixAll` or for this kind of it.
      if (only?.contains(fixAll) === true) return fixAllActions(document, analyses);
      if (only?.contains(vscode.CodeActionKind.QuickFix) === false) return [];
      // Whoever types on has taken this question back by now.
      if (context.triggerKind === vscode.CodeActionTriggerKind.Automatic) await setImmediate();
      if (token.isCancellationRequested) return [];
      const analysis = analyses.get(document);
      const found = findingsIn(analysis, board).filter((finding) => toRange(finding.range).intersection(range) !== undefined);
      const shownAs = (finding: ConfigFinding): vscode.Diagnostic[] => context.diagnostics.filter((shown) => isShown(shown, finding));
      // What mends is listed before what silences and what explains.
      return [
        ...fixActions(document.uri, found, (finding) => fixesAt(finding, analysis), shownAs),
        ...found.flatMap((finding) => suppressAction(document, finding, shownAs(finding))),
        ...found.map((finding) => pageAction(finding, shownAs(finding))),
      ];
    },
    resolveCodeAction(action) {
      if (action instanceof FixAction) action.edit = editOf(action.uri, action.fix.edits() ?? []);
      return action;
    },
  };
  return vscode.languages.registerCodeActionsProvider(configSelector, provider, {
    providedCodeActionKinds: [vscode.CodeActionKind.QuickFix, fixAll],
  });
}

/** Those of the config itself, as its text is now, and what other configs find in it. */
function findingsIn({ file, findings }: ConfigAnalysis, board: FindingBoard): readonly ConfigFinding[] {
  const own = findings.filter((finding) => finding.file === file);
  const looks = ({ code, message, range }: ConfigFinding): string => JSON.stringify([code, message, range]);
  const known = new Set(own.map(looks));
  return [...own, ...board.of(file).filter((finding) => !known.has(looks(finding)))];
}

/** By keys a remedy holds for any text; its own edits are those of the text that it was found in. */
function withoutOwnEdits({ remedies = [], ...finding }: ConfigFinding): ConfigFinding {
  return { ...finding, remedies: remedies.filter(({ edits }) => edits === undefined) };
}

function isShown({ source, code, range }: vscode.Diagnostic, finding: ConfigFinding): boolean {
  const shown = typeof code === 'object' ? code.value : code;
  return source === DIAGNOSTIC_SOURCE && shown === finding.code && range.isEqual(toRange(finding.range));
}

/** Each once: one choice of sizes may mend two findings. */
function fixActions(
  uri: vscode.Uri,
  findings: readonly ConfigFinding[],
  fixesAt: (finding: ConfigFinding) => readonly OfferedFix[],
  shownAs: (finding: ConfigFinding) => readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const actions = new Map<string, vscode.CodeAction>();
  for (const finding of findings) {
    const fixes = fixesAt(finding);
    for (const fix of fixes) {
      const action = actions.get(fix.identity) ?? new FixAction(uri, fix);
      action.isPreferred = action.isPreferred === true || fixes.length === 1 || fix.sure;
      action.diagnostics = [...(action.diagnostics ?? []), ...shownAs(finding)];
      actions.set(fix.identity, action);
    }
  }
  return [...actions.values()];
}

function editOf(uri: vscode.Uri, edits: readonly TextEdit[]): vscode.WorkspaceEdit {
  const edit = new vscode.WorkspaceEdit();
  edit.set(
    uri,
    edits.map(({ range, newText }) => vscode.TextEdit.replace(toRange(range), newText)),
  );
  return edit;
}

/** Leaves the cursor where the reason is to be written. */
function suppressAction(document: vscode.TextDocument, finding: ConfigFinding, diagnostics: vscode.Diagnostic[]): vscode.CodeAction[] {
  const comment = suppressionComment(finding, document.getText());
  if (comment === undefined) return [];
  const action = new vscode.CodeAction(`Suppress ${finding.code} with a comment`, vscode.CodeActionKind.QuickFix);
  const snippet = new vscode.SnippetString().appendText(comment.before).appendPlaceholder('reason').appendText(comment.after);
  const insertion = vscode.SnippetTextEdit.insert(new vscode.Position(comment.position.line, comment.position.character), snippet);
  insertion.keepWhitespace = true;
  action.edit = new vscode.WorkspaceEdit();
  action.edit.set(document.uri, [insertion]);
  action.diagnostics = diagnostics;
  return [action];
}

function pageAction({ code }: ConfigFinding, diagnostics: vscode.Diagnostic[]): vscode.CodeAction {
  const title = `Open the page of ${code}`;
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.command = { title, command: InternalCommand.showRule, arguments: [code] };
  action.diagnostics = diagnostics;
  return action;
}

function fixAllActions(document: vscode.TextDocument, analyses: ConfigAnalyses): vscode.CodeAction[] {
  const edit = replacedPart(document.getText(), withSureFixes(document.uri.fsPath, analyses.sources));
  if (edit === undefined) return [];
  const action = new vscode.CodeAction('Apply all sure fixes of MoE Lab', fixAll);
  action.edit = new vscode.WorkspaceEdit();
  action.edit.replace(document.uri, toRange(edit.range), edit.newText);
  return [action];
}
