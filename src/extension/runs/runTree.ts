import * as vscode from 'vscode';
import { readDescription } from '../../runs/readRun';
import { collectChanges, collectNodes, collectRunItem, nodeKey, type RunGroup, type RunNode } from './runItems';
import type { RunSelection } from './runSelection';
import type { RunStore } from './runStore';
import { runTooltip } from './runTooltip';

/** The run explorer: tree items out of what the store has read, checkboxes into the selection. */
export class RunTree implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  /** VS Code knows elements by identity: one object per run for as long as the window lives. */
  private readonly nodes = new Map<string, RunNode>();
  private shown: readonly RunGroup[];
  private checked: readonly string[];

  constructor(
    private readonly store: RunStore,
    private readonly selection: RunSelection,
    view: vscode.TreeView<RunNode>,
    private readonly changed: vscode.EventEmitter<RunNode[] | undefined>,
  ) {
    this.shown = store.groups;
    this.checked = selection.selected;
    this.subscriptions = [
      store.onDidChange((groups) => this.update(groups)),
      selection.onDidChange((selected) => this.updateChecks(selected)),
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

  private update(groups: readonly RunGroup[]): void {
    const directories = collectChanges(this.shown, groups);
    this.shown = groups;
    if (directories === undefined) this.changed.fire(undefined);
    else this.fireFor(directories);
  }

  private updateChecks(selected: readonly string[]): void {
    const before = this.checked;
    this.checked = selected;
    this.fireFor([...before.filter((run) => !selected.includes(run)), ...selected.filter((run) => !before.includes(run))]);
  }

  /** Only what the tree has shown can change in it. */
  private fireFor(directories: readonly string[]): void {
    const nodes = directories.flatMap((directory) => this.nodes.get(nodeKey({ kind: 'run', directory })) ?? []);
    if (nodes.length > 0) this.changed.fire(nodes);
  }

  getChildren(parent: RunNode | undefined): RunNode[] {
    return collectNodes(this.store.groups, parent).map((node) => {
      const key = nodeKey(node);
      const known = this.nodes.get(key) ?? node;
      this.nodes.set(key, known);
      return known;
    });
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    if (node.kind === 'group') {
      const label = this.store.groups.find(({ runsDirectory }) => runsDirectory === node.runsDirectory)?.label ?? node.runsDirectory;
      const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Expanded);
      item.id = node.runsDirectory;
      item.tooltip = node.runsDirectory;
      item.iconPath = vscode.ThemeIcon.Folder;
      return item;
    }
    const run = this.store.find(node.directory);
    // Deleted a moment ago: the tree is about to be asked again.
    if (run === undefined) return new vscode.TreeItem('');
    const { label, description, icon, contextValue, checked, accessibleLabel } = collectRunItem(run, this.selection.has(node.directory));
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
    const run = node.kind === 'run' ? this.store.find(node.directory) : undefined;
    if (run) item.tooltip = new vscode.MarkdownString(runTooltip(run, await readDescription(run.directory)));
    return item;
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
  }
}
