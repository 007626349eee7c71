import * as vscode from 'vscode';
import type { WorkspaceFolder } from './runs/runsFolders';

/** The workspace folders that lie on disk. */
export function foldersOnDisk(): WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).flatMap(({ name, uri }) => (uri.scheme === 'file' ? [{ name, path: uri.fsPath }] : []));
}
