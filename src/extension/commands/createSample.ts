import { join } from 'node:path';
import * as vscode from 'vscode';
import { writeSampleWorkspace } from '../../data/sampleWorkspace';
import { Command } from '../contributions';
import { Dismissed, ExtensionError } from '../errors';
import { foldersOnDisk } from '../workspaceFolders';

/** The config that the sample opens with. */
const FIRST_CONFIG = 'smoe.moe.yaml';

/** Remembers, over the reload that opening a folder is, that its sample has just been made. */
const PENDING_KEY = 'moeLab.pendingSample';

/**
 * Writes the sample into the open folder, or into one that the user picks and that is then opened. Files that are there are left as
 * they are.
 */
export async function createSample(state: vscode.Memento): Promise<void> {
  const open = await openFolder();
  const folder = open ?? (await pickNewFolder());
  const { written } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: 'Writing the sample experiment' },
    () => write(folder),
  );
  const config = vscode.Uri.file(join(folder, FIRST_CONFIG));
  if (open === undefined) {
    await state.update(PENDING_KEY, folder);
    await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder), { forceReuseWindow: true, filesToOpen: [config] });
    return;
  }
  await vscode.window.showTextDocument(config, { preview: false });
  offerStart(config, written.length > 0);
}

/** After the folder with a new sample has been opened: the step that comes next. */
export async function finishPendingSample(state: vscode.Memento): Promise<void> {
  const folder = state.get<string>(PENDING_KEY);
  if (folder === undefined || !foldersOnDisk().some(({ path }) => path === folder)) return;
  await state.update(PENDING_KEY, undefined);
  offerStart(vscode.Uri.file(join(folder, FIRST_CONFIG)), true);
}

function offerStart(config: vscode.Uri, isNew: boolean): void {
  const start = 'Start Run';
  const message = isNew
    ? 'The sample experiment is ready: an SMoE, its MH-MoE twin of equal compute and a dense model, with text to train on.'
    : 'The sample experiment was here already; nothing was written.';
  void vscode.window.showInformationMessage(message, start).then((chosen) => {
    if (chosen === start) void vscode.commands.executeCommand(Command.startRun, config);
  });
}

async function write(folder: string): ReturnType<typeof writeSampleWorkspace> {
  try {
    return await writeSampleWorkspace(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ExtensionError(`The sample could not be written: ${reason}.`, 'Choose a folder that can be written.');
  }
}

/** The open folder, of several the one picked; undefined where none is open. */
async function openFolder(): Promise<string | undefined> {
  const folders = foldersOnDisk();
  if (folders.length > 1) {
    const chosen = await vscode.window.showWorkspaceFolderPick({ placeHolder: 'Write the sample experiment into which folder?' });
    if (chosen === undefined) throw new Dismissed('No folder was picked.');
    return chosen.uri.fsPath;
  }
  if (folders.length === 0 && vscode.workspace.workspaceFolders?.length) {
    throw new ExtensionError('The open folder is not on a disk.', 'Open a folder of this machine, or of a remote one.');
  }
  return folders[0]?.path;
}

async function pickNewFolder(): Promise<string> {
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: 'Folder for the sample experiment',
      openLabel: 'Create Sample Here',
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (chosen === undefined) throw new Dismissed('No folder was picked.');
  return chosen.fsPath;
}
