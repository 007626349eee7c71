import * as vscode from 'vscode';
import { CONFIG_SUFFIX, type RunTarget } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import type { ComparedSource, ComparisonDocuments } from '../language/comparisonDocuments';
import { isConfigDocument } from '../language/configDocuments';
import { collectRunItem } from '../runs/runItems';
import type { RunStore } from '../runs/runStore';

type Given = vscode.Uri | RunTarget;

/**
 * Compares two configs, or a config and a run, or two runs: those that are selected together; else the one that the command is about, or
 * the one in the active editor, with one that is picked.
 */
export async function compareConfigs(
  documents: ComparisonDocuments,
  store: RunStore,
  given: Given | undefined,
  selected: readonly Given[] | undefined,
): Promise<void> {
  const chosen = (selected !== undefined && selected.length > 1 ? selected : given === undefined ? [] : [given]).map(sourceOf);
  if (chosen.length > 2) throw new ExtensionError(`${chosen.length} things are selected, and two can be compared.`, 'Select two of them.');
  const active = vscode.window.activeTextEditor?.document;
  if (chosen.length === 0 && active && isConfigDocument(active)) chosen.push({ kind: 'config', path: active.uri.fsPath });
  while (chosen.length < 2) chosen.push(await pickSource(store, chosen));
  const [one, other] = chosen;
  if (one !== undefined && other !== undefined) await documents.show(one, other);
}

function sourceOf(given: Given): ComparedSource {
  return 'directory' in given ? { kind: 'run', path: given.directory } : { kind: 'config', path: given.fsPath };
}

interface SourceItem extends vscode.QuickPickItem {
  readonly source?: ComparedSource;
}

async function pickSource(store: RunStore, taken: readonly ComparedSource[]): Promise<ComparedSource> {
  await store.refresh();
  const configs = (await vscode.workspace.findFiles(`**/*${CONFIG_SUFFIX}`, '**/{node_modules,.moe-lab}/**', 500)).sort((one, other) =>
    one.path.localeCompare(other.path),
  );
  const items: SourceItem[] = [
    { label: 'Configs', kind: vscode.QuickPickItemKind.Separator },
    ...configs.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), source: sourceOf(uri) })),
    { label: 'Runs', kind: vscode.QuickPickItemKind.Separator },
    ...store.runs.map((run) => {
      const { label, description } = collectRunItem(run, false);
      return { label, description, detail: run.directory, source: sourceOf(run) };
    }),
  ];
  const open = items.filter(({ kind, source }) => kind !== undefined || taken.every(({ path }) => path !== source?.path));
  const [first] = taken;
  const title =
    first === undefined ? 'Compare which config or run?' : `Compare ${first.path.split(/[/\\]/).at(-1) ?? ''} with which config or run?`;
  const picked = await vscode.window.showQuickPick(open, { title, matchOnDescription: true });
  if (picked?.source === undefined) throw new Dismissed('Nothing was picked.');
  return picked.source;
}
