import * as vscode from 'vscode';
import type { ConfigFinding } from '../../config/configFile';
import type { FindingBoard } from '../../language/findingBoard';
import { saidByYamlExtension, YAML_EXTENSION } from '../../language/besideYaml';
import { openDocument } from './configDocuments';
import { toRange } from './ranges';
import { rulePage } from './rulePage';

export const DIAGNOSTIC_SOURCE = 'MoE Lab';

const severities: Readonly<Record<ConfigFinding['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

/**
 * Shows a board of findings as problems, file by file: only those files are told anew that are named. A finding in a base is shown in the
 * base.
 */
export class Diagnostics implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('moe-lab');

  constructor(
    private readonly board: FindingBoard,
    private readonly extensionUri: vscode.Uri,
  ) {}

  publish(files: Iterable<string>): void {
    for (const file of files) {
      const open = openDocument(file);
      // An open document may be untitled: its findings belong to its own address, not to a file of that name.
      const uri = open?.uri ?? vscode.Uri.file(file);
      const findings = this.board.of(file);
      // What the YAML extension says of a document it says only while it is open.
      const ours =
        open !== undefined && besideYaml(open) ? findings.filter((finding) => !saidByYamlExtension(finding, open.getText())) : findings;
      this.collection.set(uri, ours.length === 0 ? undefined : ours.map((finding) => this.diagnosticOf(finding)));
    }
  }

  private diagnosticOf({ range, message, severity, code }: ConfigFinding): vscode.Diagnostic {
    const diagnostic = new vscode.Diagnostic(toRange(range), message, severities[severity]);
    diagnostic.source = DIAGNOSTIC_SOURCE;
    diagnostic.code = { value: code, target: rulePage(this.extensionUri, code) };
    return diagnostic;
  }

  /** An untitled document is closed, or saved under a name: its address is gone. */
  clear(uri: vscode.Uri): void {
    this.collection.delete(uri);
  }

  dispose(): void {
    this.collection.dispose();
  }
}

/** Whether the YAML extension validates a document by the schema. */
function besideYaml(document: vscode.TextDocument): boolean {
  return (
    vscode.extensions.getExtension(YAML_EXTENSION) !== undefined &&
    vscode.workspace.getConfiguration('yaml', document).get<boolean>('validate', true)
  );
}
