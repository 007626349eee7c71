import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { ConfigAnalysis } from '../../language/analysis';
import { AnalysisStore } from '../../language/analysisStore';
import { isConfigDocument, readOpenOrDisk } from './configDocuments';

/**
 * The analyses of the open configs, for VS Code: an edit of any file, saved or not, outdates what read it, and so does a change of a file on the
 * disk that some open config extends or is held against.
 */
export class ConfigAnalyses implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<readonly string[]>();
  private readonly store = new AnalysisStore({ readText: readOpenOrDisk, environment: () => ({ severities: {}, memory: null }) });
  private readonly watchers = new Map<string, vscode.Disposable>();
  private readonly subscriptions: vscode.Disposable[];

  /** Fires when what an analysis depends on, other than its own document, has changed: with the configs that depend on it. */
  readonly onDidOutdate = this.emitter.event;

  constructor() {
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.outdate(document.uri.fsPath, true)),
      vscode.workspace.onDidOpenTextDocument((document) => this.outdate(document.uri.fsPath, true)),
      vscode.workspace.onDidCloseTextDocument((document) => {
        // Unsaved text of a base is gone: the file on disk holds again.
        this.outdate(document.uri.fsPath, true);
        this.store.forget(document.uri.fsPath);
        this.watchDependencies();
      }),
    ];
  }

  get(document: vscode.TextDocument): ConfigAnalysis {
    const analysis = this.store.get(document.uri.fsPath);
    this.watchDependencies();
    return analysis;
  }

  private outdate(file: string, isDocument: boolean): void {
    const outdated = this.store.outdate(file).filter((config) => !isDocument || config !== file);
    if (outdated.length > 0) this.emitter.fire(outdated);
  }

  /** One watcher per file that some open config reads besides itself, for as long as it does. */
  private watchDependencies(): void {
    const open = vscode.workspace.textDocuments.filter((document) => !document.isClosed && isConfigDocument(document));
    const wanted = new Set(
      open.flatMap(({ uri }) => [...(this.store.known(uri.fsPath)?.files ?? [])].filter((file) => file !== uri.fsPath)),
    );
    for (const [file, watcher] of this.watchers) {
      if (wanted.has(file)) continue;
      watcher.dispose();
      this.watchers.delete(file);
    }
    for (const file of wanted) {
      if (this.watchers.has(file)) continue;
      const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.file(dirname(file)), basename(file)));
      const changed = (): void => this.outdate(file, false);
      this.watchers.set(
        file,
        vscode.Disposable.from(watcher, watcher.onDidChange(changed), watcher.onDidCreate(changed), watcher.onDidDelete(changed)),
      );
    }
  }

  dispose(): void {
    vscode.Disposable.from(this.emitter, ...this.subscriptions, ...this.watchers.values()).dispose();
    this.watchers.clear();
  }
}
