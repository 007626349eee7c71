import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';

/** One watcher per file that some config reads besides itself, for as long as it does. */
export class DependencyWatchers implements vscode.Disposable {
  private readonly watchers = new Map<string, { readonly watcher: vscode.Disposable; readonly readers: Set<string> }>();
  private readonly read = new Map<string, ReadonlySet<string>>();

  constructor(private readonly changed: (file: string) => void) {}

  /** From now on a config reads these files. */
  update(config: string, files: ReadonlySet<string>): void {
    const before = this.read.get(config);
    if (before === files) return;
    for (const file of files) if (file !== config) this.watch(file, config);
    for (const file of before ?? []) if (!files.has(file)) this.unwatch(file, config);
    this.read.set(config, files);
  }

  remove(config: string): void {
    for (const file of this.read.get(config) ?? []) this.unwatch(file, config);
    this.read.delete(config);
  }

  private watch(file: string, config: string): void {
    const known = this.watchers.get(file);
    if (known !== undefined) {
      known.readers.add(config);
      return;
    }
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.file(dirname(file)), basename(file)));
    const changed = (): void => this.changed(file);
    this.watchers.set(file, {
      watcher: vscode.Disposable.from(watcher, watcher.onDidChange(changed), watcher.onDidCreate(changed), watcher.onDidDelete(changed)),
      readers: new Set([config]),
    });
  }

  private unwatch(file: string, config: string): void {
    const known = this.watchers.get(file);
    if (known === undefined) return;
    known.readers.delete(config);
    if (known.readers.size > 0) return;
    known.watcher.dispose();
    this.watchers.delete(file);
  }

  dispose(): void {
    for (const { watcher } of this.watchers.values()) watcher.dispose();
    this.watchers.clear();
    this.read.clear();
  }
}
