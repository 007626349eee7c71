import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { SourceRange, TextEdit } from '../../config/configFile';
import { InternalCommand } from '../contributions';
import type { ConfigAnalyses } from '../language/configAnalyses';
import { documentReader, openDocument } from '../language/configDocuments';
import { toRange } from '../language/ranges';
import { configEditorHtml } from './configEditorHtml';
import { ConfigEditorSession } from './configEditorSession';

/** The config editors of a window: forms over text documents, which VS Code keeps, saves and undoes. */
export class ConfigEditors {
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly analyses: ConfigAnalyses,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  open(document: vscode.TextDocument, panel: vscode.WebviewPanel): void {
    const file = document.uri.fsPath;
    const session = new ConfigEditorSession({
      send: (message) => void panel.webview.postMessage(message),
      document: () => ({ file, version: document.version, text: document.getText(), readOnly: isReadOnly(document) }),
      analysis: () => this.analyses.get(document),
      readText: documentReader(document),
      apply: (edits) => apply(document, edits),
      reveal: (path, range) => reveal(path === file ? document.uri : (openDocument(path)?.uri ?? vscode.Uri.file(path)), range),
      showRule: async (code) => {
        await vscode.commands.executeCommand(InternalCommand.showRule, code);
      },
      isVisible: () => panel.visible,
      logError: (error) => this.log.error(error),
    });
    const subscriptions = vscode.Disposable.from(
      panel.webview.onDidReceiveMessage((message: unknown) => session.receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) session.hidden();
      }),
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document === document && event.contentChanges.length > 0) session.changed();
      }),
      this.analyses.onDidOutdate((configs) => {
        if (configs.includes(file)) session.changed();
      }),
    );
    panel.onDidDispose(() => {
      session.dispose();
      subscriptions.dispose();
    });
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview')] };
    panel.webview.html = this.html(panel.webview);
  }

  private html(webview: vscode.Webview): string {
    const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview', name)).toString();
    const nonce = randomBytes(16).toString('hex');
    return configEditorHtml({ script: file('configEditor.js'), style: file('configEditor.css'), cspSource: webview.cspSource, nonce });
  }
}

/** One edit of the workspace is one undo step. VS Code refuses it where the document has changed since. */
function apply(document: vscode.TextDocument, edits: readonly TextEdit[]): Promise<boolean> {
  const edit = new vscode.WorkspaceEdit();
  edit.set(
    document.uri,
    edits.map(({ range, newText }) => vscode.TextEdit.replace(toRange(range), newText)),
  );
  return Promise.resolve(vscode.workspace.applyEdit(edit));
}

function isReadOnly(document: vscode.TextDocument): boolean {
  return vscode.workspace.fs.isWritableFileSystem(document.uri.scheme) === false;
}

/** Shows a file as text where it is shown already, else beside the form. */
async function reveal(uri: vscode.Uri, range: SourceRange | undefined): Promise<void> {
  const shown = vscode.window.tabGroups.all.find(({ tabs }) =>
    tabs.some(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString()),
  );
  await vscode.window.showTextDocument(uri, {
    viewColumn: shown?.viewColumn ?? vscode.ViewColumn.Beside,
    ...(range && { selection: toRange(range) }),
  });
}
