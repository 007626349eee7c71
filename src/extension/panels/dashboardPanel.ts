import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { Command, Panel, type CommandArguments } from '../contributions';
import { ReaderThread } from '../reader/readerThread';
import type { RunSelection } from '../runs/runSelection';
import { readDescription } from '../../runs/readRun';
import { dashboardHtml } from './dashboardHtml';
import {
  DASHBOARD_PROTOCOL_VERSION,
  dashboardToHostSchema,
  dashboardUiStateSchema,
  type DashboardRequest,
  type DashboardResult,
  type DashboardToHost,
  type DashboardToWebview,
  type RunKey,
} from './dashboard-protocol';

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

/** Host side of one dashboard: hands its messages on between the webview and the reader thread. */
class DashboardPanel implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  private readonly cancelled = new Set<number>();
  private readonly inFlight = new Set<number>();
  private reader: ReaderThread | null = null;
  private disposed = false;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly extensionUri: vscode.Uri,
    private readonly dependencies: DashboardDependencies,
  ) {
    this.disposables.push(
      panel.webview.onDidReceiveMessage((message: unknown) => this.receive(message)),
      panel.onDidChangeViewState(() => {
        // Becoming visible needs nothing here: the webview starts anew and says `ready`.
        if (!panel.visible) this.reader?.post({ type: 'pause' });
      }),
      dependencies.selection.onDidChange((runs) => this.reader?.post({ type: 'runs', runs })),
    );
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon-activity.svg');
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extensionUri, 'dist', 'webview')] };
    panel.webview.html = this.html();
  }

  reveal(): void {
    this.panel.reveal();
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.reader?.dispose();
    for (const disposable of this.disposables) disposable.dispose();
    this.panel.dispose();
  }

  private html(): string {
    const { webview } = this.panel;
    const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(this.extensionUri, 'dist', 'webview', name)).toString();
    const nonce = randomBytes(16).toString('hex');
    return dashboardHtml({ script: file('dashboard.js'), style: file('dashboard.css'), cspSource: webview.cspSource, nonce });
  }

  private receive(raw: unknown): void {
    const parsed = dashboardToHostSchema.safeParse(raw);
    if (!parsed.success) {
      this.dependencies.log.error(`The dashboard sent a message that is not understood: ${parsed.error.message}`);
      return;
    }
    const message: DashboardToHost = parsed.data;
    switch (message.type) {
      case 'ready':
        return this.welcome(message.version);
      case 'view':
        this.startedReader().post({ type: 'view', view: message.view });
        return;
      case 'request':
        void this.answer(message.id, message.request);
        return;
      case 'cancel':
        if (this.inFlight.has(message.id)) this.cancelled.add(message.id);
        return;
    }
  }

  private welcome(version: number): void {
    if (version !== DASHBOARD_PROTOCOL_VERSION) {
      this.send({ type: 'versionMismatch', version: DASHBOARD_PROTOCOL_VERSION });
      return;
    }
    this.send({ type: 'welcome', version });
    const reader = this.startedReader();
    reader.post({ type: 'restart' });
  }

  /** One thread per panel; one that has ended is replaced when the webview next asks for something. */
  private startedReader(): ReaderThread {
    if (this.reader !== null) return this.reader;
    const script = vscode.Uri.joinPath(this.extensionUri, 'dist', 'readerThread.js').fsPath;
    const reader = new ReaderThread(script, {
      update: (update) => {
        if (this.panel.visible) this.send(update);
      },
      failed: (error) => {
        this.reader = null;
        this.dependencies.log.error(error);
        this.send({ type: 'notice', message: `Reading the runs has stopped: ${error.message}`, advice: 'Close and reopen the dashboard.' });
      },
    });
    reader.post({ type: 'runs', runs: this.dependencies.selection.selected });
    this.reader = reader;
    return reader;
  }

  /** Every request gets exactly one answer, unless it was cancelled. */
  private async answer(id: number, request: DashboardRequest): Promise<void> {
    this.inFlight.add(id);
    const reply = await this.perform(request).then(
      (result): DashboardToWebview => ({ type: 'response', id, result }),
      (error: unknown): DashboardToWebview => {
        this.dependencies.log.error(error instanceof Error ? error : String(error));
        const advice = 'The output channel MoE Lab has the details.';
        return { type: 'error', id, message: error instanceof Error ? error.message : String(error), advice };
      },
    );
    this.inFlight.delete(id);
    if (!this.cancelled.delete(id)) this.send(reply);
  }

  private async perform(request: DashboardRequest): Promise<DashboardResult> {
    switch (request.kind) {
      case 'expertsAt':
        return { kind: 'experts', frame: await this.startedReader().expertsAt(request.run, request.step) };
      case 'stopRun':
        await execute(Command.stopRun, { directory: request.run });
        return { kind: 'done' };
      case 'toggleRun':
        this.dependencies.selection.toggle(request.run);
        return { kind: 'done' };
      case 'openConfig':
        await openConfig(request.run);
        return { kind: 'done' };
    }
  }

  private send(message: DashboardToWebview): void {
    if (!this.disposed) void this.panel.webview.postMessage(message);
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
