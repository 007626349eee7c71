import * as vscode from 'vscode';
import { Dismissed } from './errors';

/**
 * Throws unless the workspace is trusted. Asked inside every command that starts a process, since a command can be called directly,
 * past the menus that hide it.
 */
export async function requireTrust(what: string): Promise<void> {
  if (vscode.workspace.isTrusted) return;
  const manage = 'Manage Workspace Trust';
  const message = `${what} needs a trusted workspace: it runs programs and reads files that the workspace names.`;
  void vscode.window.showWarningMessage(message, manage).then((chosen) => {
    if (chosen === manage) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  throw new Dismissed(message);
}
