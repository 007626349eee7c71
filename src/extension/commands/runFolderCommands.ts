import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { isLive } from '../../runs/liveness';
import { deleteRun } from '../../runs/runIndex';
import { runFiles } from '../../runs/runFiles';
import { leftBehind } from '../../runs/sweepSummary';
import type { RunTarget } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import type { RunSelection } from '../runs/runSelection';
import type { RunStore } from '../runs/runStore';
import { pickRun } from './pickRun';

const any = { none: 'There are no runs here yet.', suits: () => true };

export async function revealRunFolder(store: RunStore, given: RunTarget | undefined): Promise<void> {
  const { directory } = await pickRun(store, given, { title: 'Reveal the folder of which run?', ...any });
  const uri = vscode.Uri.file(directory);
  // The Explorer shows what the workspace holds; elsewhere, and only on the desktop, the system's file manager does.
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  const isRemote = vscode.env.remoteName !== undefined || vscode.env.uiKind === vscode.UIKind.Web;
  await vscode.commands.executeCommand(inWorkspace || isRemote ? 'revealInExplorer' : 'revealFileInOS', uri);
}

export async function copyRunPath(store: RunStore, given: RunTarget | undefined): Promise<void> {
  const { directory } = await pickRun(store, given, { title: 'Copy the path of which run?', ...any });
  await vscode.env.clipboard.writeText(directory);
  vscode.window.setStatusBarMessage('Run path copied', 3_000);
}

export async function showRunLog(store: RunStore, given: RunTarget | undefined): Promise<void> {
  const { directory, name } = await pickRun(store, given, { title: 'Show the log of which run?', ...any });
  const log = runFiles.log(directory);
  if (!existsSync(log)) throw new ExtensionError(`${name} has no log.`, 'A run that was started in a terminal prints there instead.');
  await vscode.window.showTextDocument(vscode.Uri.file(log), { preview: true });
}

export async function confirmAndDeleteRun(store: RunStore, selection: RunSelection, given: RunTarget | undefined): Promise<void> {
  const run = await pickRun(store, given, {
    title: 'Delete which run?',
    none: 'There is no run here that could be deleted.',
    suits: ({ state }) => !isLive(state),
  });
  if (isLive(run.state)) throw new ExtensionError(`${run.name} is ${run.state}.`, 'Stop it first.');
  const confirm = 'Delete';
  const waiting = leftBehind(run.sweep);
  const dropped =
    waiting === 0 ? '' : ` The ${waiting} ${waiting === 1 ? 'member' : 'members'} of its sweep behind it will not be trained.`;
  const detail = `${basename(run.directory)}, with its metrics and checkpoints.${dropped} This cannot be undone.`;
  const chosen = await vscode.window.showWarningMessage(`Delete the run "${run.name}"?`, { modal: true, detail }, confirm);
  if (chosen !== confirm) throw new Dismissed('The run was kept.');
  await deleteRun(run.directory);
  selection.set([run.directory], false);
  await store.refresh();
}
