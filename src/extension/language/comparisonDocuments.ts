import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { loadConfig } from '../../config/loadConfig';
import { compareConfigs, type ComparedSide, type ConfigComparison } from '../../language/compareConfigs';
import { comparisonText, sameText } from '../../language/comparisonText';
import { resolvedText } from '../../language/resolvedConfig';
import { readRunExperiment } from '../../runs/runExperiment';
import { ConfigRejected } from '../../worker/runFailure';
import { readOpenOrDisk } from './configDocuments';
import { withShare, type EditorLayout } from './editorLayout';

/** A config file, or a run by its directory. Absolute. */
export interface ComparedSource {
  readonly kind: 'config' | 'run';
  readonly path: string;
}

const SCHEME = 'moe-lab-compare';

/** Of the height that diff and costs have together. */
const COSTS_SHARE = 0.3;

/**
 * Read-only documents of a comparison, kept true while its configs are edited: two resolved configs for a diff, and what differs in their
 * costs.
 */
export class ComparisonDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable;

  readonly onDidChange = this.changed.event;

  constructor(onDidOutdate: vscode.Event<unknown>) {
    this.subscriptions = vscode.Disposable.from(
      this.changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.scheme !== SCHEME) this.update();
      }),
      onDidOutdate(() => this.update()),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => void closeCostsOf(closed)),
    );
  }

  /** Opens the diff with the costs below it, or says that there is nothing to show. Throws ConfigRejected or UnreadableRun. */
  async show(one: ComparedSource, other: ComparedSource): Promise<void> {
    const comparison = await compared(one, other);
    const same = sameText(comparison);
    if (same !== undefined) {
      void vscode.window.showInformationMessage(same);
      return;
    }
    const [left, right] = comparison.names;
    const title = `${left} \u2194 ${right}`;
    await vscode.commands.executeCommand('vscode.diff', resolvedUri(one, left), resolvedUri(other, right), title, { preview: false });
    const costs = vscode.Uri.from({ scheme: SCHEME, path: `/${fileName(title)}.costs.txt`, query: JSON.stringify([one, other]) });
    await showBelow(await vscode.workspace.openTextDocument(costs));
  }

  async provideTextDocumentContent({ query }: vscode.Uri): Promise<string> {
    const [one, other] = sourcesOf(query);
    try {
      if (one === undefined) return '';
      if (other !== undefined) return comparisonText(await compared(one, other));
      const { experiment, folder } = await sideOf(one);
      return resolvedText(experiment, folder);
    } catch (error) {
      // A config that is being edited has errors now and then: the diff says so, and goes on with the next edit.
      return `# ${error instanceof Error ? error.message : String(error)}\n`;
    }
  }

  private update(): void {
    for (const { uri, isClosed } of vscode.workspace.textDocuments) if (!isClosed && uri.scheme === SCHEME) this.changed.fire(uri);
  }

  dispose(): void {
    this.subscriptions.dispose();
  }
}

/**
 * Few and wide lines, which need no height: a low group below the active one, or the group that has such lines already. The focus stays
 * with the diff.
 */
async function showBelow(costs: vscode.TextDocument): Promise<void> {
  const known = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some((tab) => isCosts(tab)));
  if (known !== undefined && !known.isActive) {
    await vscode.window.showTextDocument(costs, { viewColumn: known.viewColumn, preview: false, preserveFocus: true });
    return;
  }
  await vscode.commands.executeCommand('workbench.action.newGroupBelow');
  const { viewColumn } = vscode.window.tabGroups.activeTabGroup;
  await vscode.window.showTextDocument(costs, { viewColumn, preview: false });
  const layout = await vscode.commands.executeCommand<EditorLayout>('vscode.getEditorLayout');
  await vscode.commands.executeCommand('vscode.setEditorLayout', withShare(layout, viewColumn, COSTS_SHARE));
  await vscode.commands.executeCommand('workbench.action.focusAboveGroup');
}

/** The costs of a comparison go with its diff, unless that was only moved. */
async function closeCostsOf(closed: readonly vscode.Tab[]): Promise<void> {
  const open = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs);
  const still = new Set(open.map(comparedBy));
  const gone = new Set(closed.map(comparedBy).filter((pair) => pair !== undefined && !still.has(pair)));
  const costs = open.filter((tab) => isCosts(tab) && gone.has(tab.input.uri.query));
  if (costs.length > 0) await vscode.window.tabGroups.close(costs, true);
}

/** What the diff of a tab compares, as its costs name it; undefined for other tabs. */
function comparedBy({ input }: vscode.Tab): string | undefined {
  if (!(input instanceof vscode.TabInputTextDiff) || input.modified.scheme !== SCHEME) return undefined;
  return JSON.stringify([...sourcesOf(input.original.query), ...sourcesOf(input.modified.query)]);
}

function isCosts(tab: vscode.Tab): tab is vscode.Tab & { readonly input: vscode.TabInputText } {
  return tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === SCHEME && sourcesOf(tab.input.uri.query).length === 2;
}

async function compared(one: ComparedSource, other: ComparedSource): Promise<ConfigComparison> {
  return compareConfigs(await sideOf(one), await sideOf(other));
}

async function sideOf({ kind, path }: ComparedSource): Promise<ComparedSide> {
  if (kind === 'run') return readRunExperiment(path);
  const { experiment, findings } = loadConfig(path, readOpenOrDisk);
  if (experiment === undefined) throw new ConfigRejected(path, findings);
  return { name: basename(path), experiment, folder: dirname(path) };
}

function resolvedUri(source: ComparedSource, name: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${fileName(name)}.resolved.yaml`, query: JSON.stringify([source]) });
}

/** What a tab shows. */
function fileName(name: string): string {
  return name.replaceAll(/[/\\?#]/g, ' ');
}

function sourcesOf(query: string): readonly ComparedSource[] {
  const parsed: unknown = JSON.parse(query);
  return Array.isArray(parsed) ? parsed.filter(isSource) : [];
}

function isSource(value: unknown): value is ComparedSource {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'config' || value.kind === 'run') &&
    'path' in value &&
    typeof value.path === 'string'
  );
}
