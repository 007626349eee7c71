import * as vscode from 'vscode';
import type { RunSummary } from '../../runs/runIndex';
import type { RunTarget } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { collectRunItem, type RunNode } from '../runs/runItems';
import type { RunStore } from '../runs/runStore';

interface RunChoice extends vscode.QuickPickItem {
  readonly run: RunSummary;
}

/**
 * The run a command is about: what it was given, else the one selected in the run explorer when that has the keyboard, else the only
 * one in question, else the one picked from a list. Throws Dismissed where the user picks none.
 */
export async function pickRun(
  store: RunStore,
  given: RunTarget | undefined,
  question: { readonly title: string; readonly none: string; readonly suits: (run: RunSummary) => boolean },
): Promise<RunSummary> {
  await store.refresh();
  if (given !== undefined) {
    const run = store.runs.find(({ directory }) => directory === given.directory);
    if (run) return run;
    throw new ExtensionError(`There is no run in ${given.directory}.`, 'It may have been deleted meanwhile.');
  }
  const candidates = store.runs.filter(question.suits);
  const [first, ...others] = candidates;
  if (first === undefined) throw new ExtensionError(question.none, 'The run explorer lists the runs of this workspace.');
  if (others.length === 0) return first;
  const choices = candidates.map((run): RunChoice => {
    const { label, description, icon } = collectRunItem(run, false);
    return { label: `$(${icon.icon}) ${label}`, description, detail: run.directory, run };
  });
  const chosen = await vscode.window.showQuickPick(choices, { title: question.title, matchOnDescription: true });
  if (chosen === undefined) throw new Dismissed('No run was picked.');
  return chosen.run;
}

/** The run under the run explorer's cursor: what its keyboard shortcuts are about. */
export function selectedRun(view: vscode.TreeView<RunNode>): RunTarget | undefined {
  const node = view.selection[0];
  return node?.kind === 'run' ? node : undefined;
}
