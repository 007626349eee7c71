import * as vscode from 'vscode';
import { FindingBoard } from '../../language/findingBoard';
import { WorkspaceCheck } from '../../language/workspaceCheck';
import { coalesced } from '../coalesced';
import { CONFIG_SUFFIX, Setting } from '../contributions';
import { setting } from '../settings';
import { foldersOnDisk } from '../workspaceFolders';
import type { ConfigAnalyses } from './configAnalyses';
import { isBlankDraft, isConfigDocument } from './configDocuments';
import { Diagnostics } from './diagnostics';

/** After the last keystroke, in milliseconds: a word that is half typed is no finding. */
const TYPING_PAUSE = 100;
/** Of all folders together. */
const MOST_CONFIGS = 2000;

/**
 * Keeps the findings of every config in the Problems view: of those that are open, and of all in the folders of the workspace. What changes
 * is checked again with all that reads it, in slices that leave the thread to others.
 */
export class WorkspaceConfigs implements vscode.Disposable {
  readonly board = new FindingBoard();
  private readonly diagnostics: Diagnostics;
  private readonly check: WorkspaceCheck;
  private readonly subscriptions: vscode.Disposable[];
  private readonly typed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private inFolders: readonly string[] = [];
  private saidCapped = false;

  constructor(
    private readonly analyses: ConfigAnalyses,
    private readonly log: vscode.LogOutputChannel,
    extensionUri: vscode.Uri,
  ) {
    this.diagnostics = new Diagnostics(this.board, extensionUri);
    this.check = new WorkspaceCheck(
      { steps: (file) => analyses.steps(file), forget: (file) => analyses.forget(file) },
      ({ file, findings }) => this.diagnostics.publish(this.board.put(file, isBlankDraft(file) ? [] : findings)),
    );
    const watcher = vscode.workspace.createFileSystemWatcher(`**/*${CONFIG_SUFFIX}`);
    const opened = (document: vscode.TextDocument): void => this.openedOrClosed(document);
    this.subscriptions = [
      this.diagnostics,
      watcher,
      watcher.onDidChange((uri) => analyses.outdate(uri.fsPath)),
      // A new file may be what a config has missed; whether it is to be checked the search says.
      watcher.onDidCreate((uri) => this.changedOnDisk(uri)),
      watcher.onDidDelete((uri) => this.changedOnDisk(uri)),
      analyses.onDidChange(({ configs, edited }) => (edited === undefined ? this.check.again(configs) : this.soon(configs))),
      vscode.workspace.onDidOpenTextDocument(opened),
      vscode.workspace.onDidCloseTextDocument(opened),
      vscode.workspace.onDidChangeWorkspaceFolders(() => void this.search()),
      vscode.extensions.onDidChange(() => this.diagnostics.publish(openConfigs().map(({ uri }) => uri.fsPath))),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(Setting.checkWorkspace) || event.affectsConfiguration('files.exclude')) void this.search();
        if (event.affectsConfiguration('yaml.validate')) this.diagnostics.publish(openConfigs().map(({ uri }) => uri.fsPath));
      }),
    ];
    this.take();
    void this.search();
  }

  private openedOrClosed(document: vscode.TextDocument): void {
    if (!isConfigDocument(document)) return;
    this.take();
    if (document.isClosed && document.uri.scheme !== 'file') this.diagnostics.clear(document.uri);
    this.check.again([document.uri.fsPath]);
    // What the YAML extension says comes and goes with the document.
    this.diagnostics.publish([document.uri.fsPath]);
  }

  private changedOnDisk({ fsPath }: vscode.Uri): void {
    this.analyses.outdate(fsPath);
    void this.search();
  }

  private soon(configs: readonly string[]): void {
    for (const config of configs) this.typed.add(config);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const again = [...this.typed];
      this.typed.clear();
      this.check.again(again);
    }, TYPING_PAUSE);
  }

  /** Looks for configs in the folders of the workspace, but for what is hidden in them. */
  private readonly search = coalesced(async () => {
    try {
      const wanted = setting(Setting.checkWorkspace) && foldersOnDisk().length > 0;
      const found = wanted
        ? await vscode.workspace.findFiles(`**/*${CONFIG_SUFFIX}`, '**/{node_modules,.moe-lab,.git}/**', MOST_CONFIGS + 1)
        : [];
      this.inFolders = found
        .filter(({ scheme }) => scheme === 'file')
        .map(({ fsPath }) => fsPath)
        .slice(0, MOST_CONFIGS);
      this.capped(found.length > MOST_CONFIGS);
      this.take();
    } catch (error) {
      this.log.error('Looking for configs in the workspace failed.', error);
    }
  });

  /** Said once in a window. */
  private capped(isCapped: boolean): void {
    if (!isCapped || this.saidCapped) return;
    this.saidCapped = true;
    const message = `This workspace has more than ${MOST_CONFIGS} configs: ${MOST_CONFIGS} are checked, and every one that is open. Leave folders out with files.exclude.`;
    this.log.warn(message);
    void vscode.window.showInformationMessage(message);
  }

  /** What is checked from now on. */
  private take(): void {
    const open = openConfigs().map(({ uri }) => uri.fsPath);
    const gone = this.check.setFiles([...this.inFolders, ...open]);
    for (const file of gone) this.diagnostics.publish(this.board.remove(file));
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.check.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}

function openConfigs(): readonly vscode.TextDocument[] {
  return vscode.workspace.textDocuments.filter((document) => !document.isClosed && isConfigDocument(document));
}
