import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import type { LoadedConfig, ReadText } from '../../config/configFile';
import { loadConfig } from '../../config/loadConfig';
import { compareWithBaseline, type CountedConfig } from '../../parity/compareWithBaseline';
import { documentReader, isConfigDocument } from './configDocuments';

/** What is known about one version of an open config. */
export interface ConfigAnalysis {
  readonly version: number;
  readonly loaded: LoadedConfig;
  readonly counted: CountedConfig;
  /** Every file the analysis depends on, its own included. */
  readonly files: ReadonlySet<string>;
}

/**
 * The analyses of the open configs, each made once per document version by whoever asks first. They are outdated by an edit, saved or
 * not, of any file they read: what they extend and their baseline.
 */
export class ConfigAnalyses implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  private readonly cache = new Map<string, ConfigAnalysis>();
  private readonly watchers = new Map<string, vscode.Disposable>();
  private readonly subscriptions: vscode.Disposable[];

  /** Fires when what an analysis depends on, other than its own document, has changed. */
  readonly onDidOutdate = this.emitter.event;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.outdate(document.uri.fsPath, document)),
      vscode.workspace.onDidOpenTextDocument((document) => this.outdate(document.uri.fsPath, document)),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.cache.delete(document.uri.toString());
        // Unsaved text of a base is gone: the file on disk holds again.
        this.outdate(document.uri.fsPath, document);
        this.watchDependencies();
      }),
    ];
  }

  get(document: vscode.TextDocument): ConfigAnalysis {
    const key = document.uri.toString();
    const known = this.cache.get(key);
    if (known?.version === document.version) return known;
    const files = new Set<string>();
    const readText = documentReader(document, files);
    const loaded = loadConfig(document.uri.fsPath, readText);
    const analysis = { version: document.version, loaded, counted: this.count(loaded, readText), files };
    this.cache.set(key, analysis);
    this.watchDependencies();
    return analysis;
  }

  /** A config without errors can be counted; should counting fail nevertheless, the findings still stand. */
  private count(loaded: LoadedConfig, readText: ReadText): CountedConfig {
    try {
      return compareWithBaseline(loaded, readText);
    } catch (error) {
      this.log.error(`Counting ${loaded.file} failed.`, error);
      return { count: undefined, parity: null, causality: undefined, findings: loaded.findings };
    }
  }

  private outdate(file: string, cause: vscode.TextDocument | undefined): void {
    const own = cause?.uri.toString();
    const outdated = [...this.cache].filter(([key, { files }]) => key !== own && files.has(file));
    for (const [key] of outdated) this.cache.delete(key);
    if (outdated.length > 0) this.emitter.fire();
  }

  /** One watcher per file that some open config reads besides itself, for as long as it does. */
  private watchDependencies(): void {
    const open = vscode.workspace.textDocuments.filter(isConfigDocument);
    const wanted = new Set(
      open.flatMap((document) =>
        [...(this.cache.get(document.uri.toString())?.files ?? [])].filter((file) => file !== document.uri.fsPath),
      ),
    );
    for (const [file, watcher] of this.watchers) {
      if (wanted.has(file)) continue;
      watcher.dispose();
      this.watchers.delete(file);
    }
    for (const file of wanted) {
      if (this.watchers.has(file)) continue;
      const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.file(dirname(file)), basename(file)));
      const changed = (): void => this.outdate(file, undefined);
      this.watchers.set(
        file,
        vscode.Disposable.from(watcher, watcher.onDidChange(changed), watcher.onDidCreate(changed), watcher.onDidDelete(changed)),
      );
    }
  }

  dispose(): void {
    vscode.Disposable.from(this.emitter, ...this.subscriptions, ...this.watchers.values()).dispose();
    this.watchers.clear();
    this.cache.clear();
  }
}
