import * as vscode from 'vscode';
import { familyTable } from '../../language/familyTable';
import { CONFIG_SUFFIX } from '../contributions';
import type { ConfigAnalyses } from './configAnalyses';
import { countReport } from './countReport';

const SCHEME = 'moe-lab-count';

/** A read-only document with all figures of a config, kept true while the config is edited. Its query is the config's address. */
export class CountDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable;

  readonly onDidChange = this.changed.event;

  constructor(private readonly analyses: ConfigAnalyses) {
    this.subscriptions = vscode.Disposable.from(
      this.changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.update((config) => config === document.uri.toString())),
      analyses.onDidOutdate(() => this.update(() => true)),
    );
  }

  async show(config: vscode.Uri): Promise<void> {
    const name = config.path.split('/').at(-1) ?? '';
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name.replace(CONFIG_SUFFIX, '')}.count.txt`, query: config.toString() });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true, preserveFocus: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const config = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri.query));
    const analysis = this.analyses.get(config);
    const family = familyTable(analysis);
    return countReport(config.uri.fsPath, analysis, { experiment: analysis.loaded.experiment, needs: analysis.needs, family });
  }

  private update(concerns: (config: string) => boolean): void {
    for (const { uri, isClosed } of vscode.workspace.textDocuments) {
      if (!isClosed && uri.scheme === SCHEME && concerns(uri.query)) this.changed.fire(uri);
    }
  }

  dispose(): void {
    this.subscriptions.dispose();
  }
}
