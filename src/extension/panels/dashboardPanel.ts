import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { Command, Panel, type CommandArguments } from '../contributions';
import { ReaderThread } from '../reader/readerThread';
import type { RunSelection } from '../runs/runSelection';
import { readDescription } from '../../runs/readRun';
import { dashboardHtml } from './dashboardHtml';
import { dashboardUiStateSchema, type RunKey } from './dashboard-protocol';
import { DashboardSession, type SessionEnvironment } from './dashboardSession';

/** What the dashboard needs of the rest of the extension. */
export interface DashboardDependencies {
  readonly selection: RunSelection;
  readonly log: vscode.LogOutputChannel;
}

export interface Dashboard extends vscode.Disposable {
  /** Creates or reveals the panel; a run directory, where given, joins the shown runs. */
  open(runDirectory?: RunKey): void;
  /** Takes over a panel that was open before a reload, with the state its webview had kept. */
  restore(panel: vscode.WebviewPanel, state: unknown): void;
}

/**
 * Makes the dashboard available; there is at most one panel in a window. The extension's entry registers the serializer, since it is what
 * `onWebviewPanel:moeLab.dashboard` wakes, and hands panels to `restore`.
 */
export function registerDashboard(context: vscode.ExtensionContext, dependencies: DashboardDependencies): Dashboard {
  let shown: DashboardPanel | null = null;
  const adopt = (panel: vscode.WebviewPanel) => {
    shown?.dispose();
    const adopted = new DashboardPanel(panel, context.extensionUri, dependencies);
    shown = adopted;
    panel.onDidDispose(() => {
      adopted.dispose();
      if (shown === adopted) shown = null;
    });
  };
  return {
    open(runDirectory) {
      if (runDirectory !== undefined) dependencies.selection.set([runDirectory], true);
      if (shown !== null) return shown.reveal();
      adopt(vscode.window.createWebviewPanel(Panel.dashboard, 'MoE Lab Dashboard', vscode.ViewColumn.Beside));
    },
    restore(panel, state) {
      // The selection is kept by the workspace; the panel's own list only fills one that got lost.
      const saved = dashboardUiStateSchema.safeParse(state);
      if (saved.success && dependencies.selection.selected.length === 0) dependencies.selection.set(saved.data.runs, true);
      adopt(panel);
    },
    dispose() {
      shown?.dispose();
    },
  };
}

/** One dashboard in the editor: the page, and a session that talks with it. */
class DashboardPanel implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  private readonly session: DashboardSession;
  private disposed = false;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly extensionUri: vscode.Uri,
    { selection, log }: DashboardDependencies,
  ) {
    const readerScript = vscode.Uri.joinPath(extensionUri, 'dist', 'readerThread.js').fsPath;
    this.session = new DashboardSession({
      send: (message) => void panel.webview.postMessage(message),
      startReader: (events) => new ReaderThread(readerScript, events),
      runs: () => selection.selected,
      isVisible: () => panel.visible,
      perform: (request) => perform(request, selection),
      logError: (error) => log.error(error),
    });
    this.disposables.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.session.receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.session.hidden();
      }),
      selection.onDidChange((runs) => this.session.runsChanged(runs)),
    );
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.png');
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist', 'webview')] };
    panel.webview.html = this.html();
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.session.dispose();
    for (const disposable of this.disposables) disposable.dispose();
    this.panel.dispose();
  }

  private html(): string {
    const { webview } = this.panel;
    const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview', name)).toString();
    const nonce = randomBytes(16).toString('hex');
    return dashboardHtml({ script: file('dashboard.js'), style: file('dashboard.css'), cspSource: webview.cspSource, nonce });
  }
}

async function perform(request: Parameters<SessionEnvironment['perform']>[0], selection: RunSelection): Promise<void> {
  switch (request.kind) {
    case 'stopRun':
      await execute(Command.stopRun, { directory: request.run });
      return;
    case 'toggleRun':
      return selection.toggle(request.run);
    case 'branchWithFix':
      await execute(Command.branchWithFix, { directory: request.run });
      return;
    case 'openConfig':
      return openConfig(request.run);
  }
}

function execute<C extends Command>(command: C, ...args: CommandArguments[C]): Thenable<unknown> {
  return vscode.commands.executeCommand(command, ...args);
}

/** Opens the config file; when it is gone, the text that the run keeps of it. */
async function openConfig(run: RunKey): Promise<void> {
  const description = await readDescription(run);
  if (description === undefined) throw new Error(`There is no readable run.json in ${run}.`);
  try {
    await vscode.window.showTextDocument(vscode.Uri.file(description.configFile), { viewColumn: vscode.ViewColumn.One });
  } catch {
    const document = await vscode.workspace.openTextDocument({ language: 'yaml', content: description.configSource });
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.One });
  }
}
