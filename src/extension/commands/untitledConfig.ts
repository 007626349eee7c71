import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { CONFIG_SUFFIX } from '../contributions';
import { freeName } from './freeName';

/**
 * Opens a config that is not saved yet. It has the name of a config from the start, so that counts and problems are shown in it, and one
 * that neither a file nor an open document has; nothing is written before the user saves. `folder`: where saving puts it; undefined where
 * there is none.
 */
export async function showUntitledConfig(folder: string | undefined, name: string, text: string): Promise<void> {
  const uri = untitled(folder, name);
  const document = await vscode.workspace.openTextDocument(uri);
  const edit = new vscode.WorkspaceEdit();
  edit.insert(uri, new vscode.Position(0, 0), text);
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document, { preview: false });
}

function untitled(folder: string | undefined, name: string): vscode.Uri {
  const open = new Set(vscode.workspace.textDocuments.map(({ uri }) => uri.path));
  const uriOf = (candidate: string): vscode.Uri =>
    folder === undefined
      ? vscode.Uri.from({ scheme: 'untitled', path: `${candidate}${CONFIG_SUFFIX}` })
      : vscode.Uri.file(join(folder, `${candidate}${CONFIG_SUFFIX}`)).with({ scheme: 'untitled' });
  const taken = (candidate: string): boolean => {
    const uri = uriOf(candidate);
    return open.has(uri.path) || (folder !== undefined && existsSync(uri.fsPath));
  };
  return uriOf(freeName(name, taken));
}
