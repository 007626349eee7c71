import * as vscode from 'vscode';
import { Command, CONFIG_SUFFIX, CustomEditor, InternalCommand, Panel, View } from './contributions';
import type { MoeLab } from './main';
import type { RunNode } from './runs/runItems';

/**
 * What activation costs everybody who opens a YAML file: this file. It only hangs up the doors (commands, the run explorer, the panel to
 * restore); the first one that is used, or the first `*.moe.yaml`, loads the rest.
 */
export function activate(context: vscode.ExtensionContext): void {
  const treeChanged = new vscode.EventEmitter<RunNode[] | undefined>();
  let lab: Promise<MoeLab> | undefined;
  const load = (): Promise<MoeLab> => {
    // A failed load is tried again by the next door.
    lab ??= import('./main').then(
      ({ start }) => start(context, { tree, treeChanged }),
      (error: unknown) => {
        lab = undefined;
        throw error;
      },
    );
    return lab;
  };

  const tree = vscode.window.createTreeView<RunNode>(View.runs, {
    manageCheckboxStateManually: true,
    treeDataProvider: {
      onDidChangeTreeData: treeChanged.event,
      getChildren: async (parent) => (await load()).runTree.getChildren(parent),
      getTreeItem: async (node) => (await load()).runTree.getTreeItem(node),
      resolveTreeItem: async (item, node) => (await load()).runTree.resolveTreeItem(item, node),
    },
  });
  context.subscriptions.push(treeChanged, tree);

  for (const command of [...Object.values(Command), ...Object.values(InternalCommand)]) {
    context.subscriptions.push(
      vscode.commands.registerCommand(command, async (...given: unknown[]) => (await load()).runCommand(command, given)),
    );
  }
  context.subscriptions.push(
    vscode.window.registerWebviewPanelSerializer(Panel.dashboard, {
      deserializeWebviewPanel: async (panel, state: unknown) => (await load()).restoreDashboard(panel, state),
    }),
    vscode.window.registerCustomEditorProvider(
      CustomEditor.config,
      { resolveCustomTextEditor: async (document, panel) => (await load()).editConfig(document, panel) },
      { supportsMultipleEditorsPerDocument: true },
    ),
  );

  const loadForConfig = (document: vscode.TextDocument): void => {
    if (document.uri.path.endsWith(CONFIG_SUFFIX)) void load();
  };
  context.subscriptions.push(vscode.workspace.onDidOpenTextDocument(loadForConfig));
  vscode.workspace.textDocuments.forEach(loadForConfig);
  void loadForRuns(load);
}

/** A folder with runs in it: load, so that the status bar shows those that are still training. */
async function loadForRuns(load: () => Promise<MoeLab>): Promise<void> {
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    try {
      await vscode.workspace.fs.stat(vscode.Uri.joinPath(folder.uri, '.moe-lab', 'runs'));
    } catch {
      continue;
    }
    await load();
    return;
  }
}
