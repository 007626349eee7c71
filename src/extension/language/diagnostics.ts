import * as vscode from 'vscode';
import type { ConfigFinding } from '../../config/configFile';
import { collectFindings } from './collectFindings';
import type { ConfigAnalyses } from './configAnalyses';
import { isConfigDocument, openDocument } from './configDocuments';
import { toRange } from './ranges';

/** After the last keystroke. */
const DEBOUNCE_MILLISECONDS = 200;

const severities: Readonly<Record<ConfigFinding['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

/** Keeps the findings of every open config in the Problems view. A finding in a base is shown in the base. */
export function publishDiagnostics(analyses: ConfigAnalyses): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('moe-lab');
  let timer: NodeJS.Timeout | undefined;

  const publish = (): void => {
    const open = vscode.workspace.textDocuments.filter((document) => !document.isClosed && isConfigDocument(document));
    const byFile = collectFindings(open.map((document) => analyses.get(document).findings));
    const entries = [...byFile].map(([file, findings]): [vscode.Uri, vscode.Diagnostic[]] => {
      // An open document may be untitled: its findings belong to its own address, not to a file of that name.
      const uri = openDocument(file)?.uri ?? vscode.Uri.file(file);
      return [uri, findings.map(toDiagnostic)];
    });
    const kept = new Set(entries.map(([uri]) => uri.toString()));
    const gone: vscode.Uri[] = [];
    collection.forEach((uri) => {
      if (!kept.has(uri.toString())) gone.push(uri);
    });
    collection.set([...gone.map((uri): [vscode.Uri, undefined] => [uri, undefined]), ...entries]);
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = setTimeout(publish, DEBOUNCE_MILLISECONDS);
  };
  const scheduleFor = (document: vscode.TextDocument): void => {
    if (isConfigDocument(document)) schedule();
  };

  publish();
  return vscode.Disposable.from(
    collection,
    vscode.workspace.onDidOpenTextDocument(scheduleFor),
    vscode.workspace.onDidCloseTextDocument(scheduleFor),
    vscode.workspace.onDidChangeTextDocument(({ document }) => scheduleFor(document)),
    analyses.onDidOutdate(schedule),
    new vscode.Disposable(() => clearTimeout(timer)),
  );
}

function toDiagnostic({ range, message, severity, code }: ConfigFinding): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(toRange(range), message, severities[severity]);
  diagnostic.source = 'MoE Lab';
  diagnostic.code = code;
  return diagnostic;
}
