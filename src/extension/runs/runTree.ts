import * as vscode from 'vscode';
import { readDescription } from '../../runs/readRun';
import { collectNodes, collectRunItem, type RunNode } from './runItems';
import type { RunSelection } from './runSelection';
import type { RunStore } from './runStore';
import { runTooltip } from './runTooltip';

/** The run explorer: tree items out of what the store has read, checkboxes into the selection. */
export class RunTree implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly store: RunStore,
    private readonly selection: RunSelection,
    view: vscode.TreeView<RunNode>,
    changed: vscode.EventEmitter<RunNode | undefined>,
  ) {
    this.subscriptions = [
      store.onDidChange(() => changed.fire(undefined)),
      selection.onDidChange(() => changed.fire(undefined)),
      view.onDidChangeVisibility(({ visible }) => {
        if (visible) void store.refresh();
      }),
      view.onDidChangeCheckboxState(({ items }) => {
        for (const state of [vscode.TreeItemCheckboxState.Checked, vscode.TreeItemCheckboxState.Unchecked]) {
          const runs = items.flatMap(([node, checked]) => (node.kind === 'run' && checked === state ? [node.directory] : []));
          selection.set(runs, state === vscode.TreeItemCheckboxState.Checked);
        }
      }),
    ];
  }

  getChildren(parent: RunNode | undefined): RunNode[] {
    return collectNodes(this.store.groups, parent);
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    if (node.kind === 'group') {
      const item = new vscode.TreeItem(node.group.label, vscode.TreeItemCollapsibleState.Expanded);
      item.id = node.group.runsDirectory;
      item.tooltip = node.group.runsDirectory;
      item.iconPath = vscode.ThemeIcon.Folder;
      return item;
    }
    const { label, description, icon, contextValue, checked, accessibleLabel } = collectRunItem(
      node.run,
      this.selection.has(node.directory),
    );
    const item = new vscode.TreeItem(label);
    item.id = node.directory;
    item.description = description;
    item.iconPath = new vscode.ThemeIcon(icon.icon, icon.color === undefined ? undefined : new vscode.ThemeColor(icon.color));
    item.contextValue = contextValue;
    item.accessibilityInformation = { label: accessibleLabel };
    item.checkboxState = {
      state: checked ? vscode.TreeItemCheckboxState.Checked : vscode.TreeItemCheckboxState.Unchecked,
      tooltip: checked ? 'Shown in the dashboard' : 'Not shown in the dashboard',
    };
    return item;
  }

  /** The tooltip reads run.json, so it is made when somebody looks. */
  async resolveTreeItem(item: vscode.TreeItem, node: RunNode): Promise<vscode.TreeItem> {
    if (node.kind === 'run') item.tooltip = new vscode.MarkdownString(runTooltip(node.run, await readDescription(node.directory)));
    return item;
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}
